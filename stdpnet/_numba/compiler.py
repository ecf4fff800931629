"""Optimise machine code once: numba does so three times for each function, and again in each function that calls it."""

from __future__ import annotations

import gc
from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class _Entrance(JITCodeLibrary):
    """The machine code of a function that Python calls, and of the internal functions that it calls.

    Of numba's three rounds of optimisation, the first two serve to remove reference counts, which our functions do not
    have.
    """

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        manager, builder = self._codegen._module_pass_manager()
        manager.run(self._final_module, builder)


class _Internal(_Entrance):
    """The instructions of a function that only compiled functions call: optimised and translated with its callers."""

    def finalize(self) -> None:
        """Add the instructions of the functions that this one calls."""
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return 0: there is no machine code."""
        return 0

    @property
    def codegen(self) -> Any:
        """Return whose `set_env` numba calls."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Do nothing: there is no machine code that an environment could be given to."""


class EntranceCompiler(Compiler):
    """Compiles functions that Python calls."""

    library: type[JITCodeLibrary] = _Entrance

    def compile_extra(self, function: Any) -> Any:
        """Compile a function without looking for garbage, which takes a sixth of the time and finds little."""
        collects = gc.isenabled()
        gc.disable()
        try:
            return super().compile_extra(function)
        finally:
            if collects:
                gc.enable()

    def define_pipelines(self) -> Any:
        """Return numba's pipelines, which write to a library of our own."""
        state = self.state
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().define_pipelines()


class InternalCompiler(EntranceCompiler):
    """Compiles functions that only compiled functions call."""

    library = _Internal
