"""Shorten compilation: numba alone optimises each function three times, and again in each function that calls it."""

from __future__ import annotations

import gc
from typing import Any, ClassVar

from numba.core import ir
from numba.core.analysis import compute_cfg_from_blocks, compute_use_defs, must_use_alloca
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, DefaultPassBuilder, Flags
from numba.core.compiler_machinery import register_pass
from numba.core.inline_closurecall import InlineWorker, callee_ir_validator
from numba.core.ir_utils import rename_labels
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering
from numba.core.untyped_passes import InlineInlinables


class _Entrance(JITCodeLibrary):
    """The machine code of a function that Python calls, and of the internal functions that it calls.

    Of numba's three rounds of optimisation, the first two serve to remove reference counts, which compiled functions of
    this package do not have.
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
        """Return the object whose `set_env` numba calls: this one."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Do nothing: there is no machine code that an environment could be given to."""


class _Flags(Flags):
    """Options, compared only by those that at least one of the two objects sets.

    Numba compares all of them, thousands of times.
    """

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, Flags):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._values.keys() | other._values.keys())

    def __hash__(self) -> int:
        return 0


class _Scope(ir.Scope):
    """The names of an inlined function. Copies of its blocks share one copy of them; numba makes one for each block."""

    def renew(self) -> None:
        """Make the copy for the next place where the function is inlined."""
        self._copy = _Scope(self.parent, self.loc)
        self._copy._copy = self._copy
        for variable in self.localvars._con.values():
            self._copy.define(variable.name, variable.loc)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Scope:
        return self._copy


class _Inliner(InlineWorker):
    """Inlines functions. It analyses a function once; numba does so again for each call."""

    _read: ClassVar[dict[Any, Any]] = {}

    def __init__(self, state: Any) -> None:
        context = state.typingctx, state.targetctx, state.locals, state.pipeline, state.flags
        super().__init__(*context, validator=callee_ir_validator)
        self._compiler_pipeline = _untyped_passes

    def run_untyped_passes(self, func: Any, enable_ssa: bool = False) -> Any:
        """Return a function's instructions, before types are known."""
        if func not in self._read:
            self._read[func] = super().run_untyped_passes(func, enable_ssa)
            _scope(self._read[func]).__class__ = _Scope
        self.flags.enable_ssa = enable_ssa  # as numba leaves it
        return self._read[func]

    def inline_ir(
        self, caller_ir: Any, block: Any, i: int, callee_ir: Any, callee_freevars: Any, arg_typs: Any = None
    ) -> Any:
        """Put a copy of the callee's instructions in place of the caller's instruction i of a block."""
        _scope(callee_ir).renew()
        return super().inline_ir(caller_ir, block, i, callee_ir, callee_freevars, arg_typs)


def _untyped_passes(state: Any, name: str = "untyped") -> Any:
    return _with_replaced_passes(DefaultPassBuilder.define_untyped_pipeline(state, name))


def _scope(function: Any) -> Any:
    return next(iter(function.blocks.values())).scope


@register_pass(mutates_CFG=True, analysis_only=False)
class _Inlining(InlineInlinables):
    _name = "stdpnet_inlining"

    def _do_work(self, state: Any, work: Any, block: Any, index: int, call: Any, worker: Any) -> bool:
        return bool(super()._do_work(state, work, block, index, call, _Inliner(state)))


class _Lower(Lower):
    """Generates LLVM instructions, with a value for each variable that is assigned once.

    Numba does so only for variables of a single block; it keeps those of several blocks in memory, whole records too.
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


def _with_replaced_passes(manager: Any) -> Any:
    """Replace passes of numba by those of this module."""
    replacements = {NativeLowering: _Lowering, InlineInlinables: _Inlining}
    manager.passes = [(replacements.get(kind, kind), name) for kind, name in manager.passes]
    manager.finalize()
    return manager


class EntranceCompiler(Compiler):
    """Compiles functions that Python calls."""

    library: type[JITCodeLibrary] = _Entrance

    def compile_extra(self, function: Any) -> Any:
        """Compile a function without garbage collection, which would take a sixth of the time and find little."""
        self.state.flags = _Flags(self.state.flags)
        collects = gc.isenabled()
        gc.disable()
        try:
            return super().compile_extra(function)
        finally:
            if collects:
                gc.enable()

    def define_pipelines(self) -> Any:
        """Return numba's pipelines, with the passes and the library of this module."""
        state = self.state
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return [_with_replaced_passes(each) for each in super().define_pipelines()]


class InternalCompiler(EntranceCompiler):
    """Compiles functions that only compiled functions call."""

    library = _Internal
