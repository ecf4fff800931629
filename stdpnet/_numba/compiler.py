"""Compile in less time: numba optimises each function three times, and again in each function that calls it."""

from __future__ import annotations

import gc
from typing import Any

from numba.core import ir
from numba.core.analysis import compute_cfg_from_blocks, compute_use_defs, must_use_alloca
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import register_pass
from numba.core.ir_utils import rename_labels
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering


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


class _Lower(Lower):
    """Writes LLVM's instructions, with a value in place of each variable that is set once.

    Numba does so within a block; what several blocks use it keeps in memory, whole records at a time.
    """

    def _find_singly_assigned_variable(self) -> None:
        self.blocks = self.func_ir.blocks = rename_labels(self.blocks)  # a block comes after those that dominate it
        super()._find_singly_assigned_variable()
        dominators, uses = compute_cfg_from_blocks(self.blocks).dominators(), compute_use_defs(self.blocks).usemap
        setters: dict[str, list[int]] = {}
        for label, block in self.blocks.items():
            for assignment in block.find_insts(ir.Assign):
                setters.setdefault(assignment.target.name, []).append(label)
        for name in setters.keys() - must_use_alloca(self.blocks):
            setter, *others = setters[name]
            users = [label for label, names in uses.items() if name in names]
            if not others and setter not in users and all(setter in dominators[user] for user in users):
                self._singly_assigned_vars.add(name)


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):
    _name = "stdpnet_lowering"
    lowering_class = _Lower


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
        """Return numba's pipelines, with a way of writing instructions and a library of our own."""
        state = self.state
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        pipelines = super().define_pipelines()
        for each in pipelines:
            each.passes = [(_Lowering if kind is NativeLowering else kind, name) for kind, name in each.passes]
            each.finalize()
        return pipelines


class InternalCompiler(EntranceCompiler):
    """Compiles functions that only compiled functions call."""

    library = _Internal
