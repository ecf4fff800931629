"""Decorators that compile functions with numba, typed so that type checkers know the compiled functions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from stdpnet._numba.cache import MachineCode, optional, warn_of_missing_cache
from stdpnet._numba.compiler import EntranceCompiler, InternalCompiler

P = ParamSpec("P")
R = TypeVar("R")
njit: Any = numba.njit
OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy", "_nrt": False}
"""No GIL; IEEE arithmetic, nothing reassociated or contracted; no allocation, hence no reference counts."""
INTERNAL: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, **OPTIONS}
"""No wrapper for Python or C: code that unpacks dozens of arrays takes longer to compile than most functions."""
PACKAGE = Path(__file__).parents[1]
COMPILED = re.compile(rb"^from (stdpnet\._numba|numba\.extending)\b", re.MULTILINE)
IMPORTED = re.compile(rb"^ *from (stdpnet[.\w]*) import", re.MULTILINE)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that allocates nothing, and keep the machine code on disk."""
    options: dict[str, Any] = {"no_cfunc_wrapper": True, "pipeline_class": EntranceCompiler, **OPTIONS}
    try:
        dispatcher = njit(cache=True, **options)(function)
    except (RuntimeError, OSError):  # numba finds no folder that it may write
        warn_of_missing_cache("there is no folder that may be written")
        return cast("Callable[P, R]", _widening(njit(**options)(function)))
    # Numba checks the age of the function's own file only, and would use old code of the functions that it calls.
    source = Path(function.__code__.co_filename).read_bytes()
    stamp = source_stamp() + hashlib.sha256(source).hexdigest()
    cache = dispatcher._cache
    cache._cache_file = MachineCode(cache.cache_path, cache._impl.filename_base, stamp)
    cache._guard_against_spurious_io_errors = optional
    return cast("Callable[P, R]", _widening(dispatcher))


def internal(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function as `compiled` does, but for compiled callers only."""
    return cast("Callable[P, R]", _widening(njit(pipeline_class=InternalCompiler, **INTERNAL)(function)))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function as a part of its compiled callers: by itself it is neither analysed nor translated."""
    return cast("Callable[P, R]", njit(inline="always", **INTERNAL)(function))


def _widening(dispatcher: Any) -> Any:
    """Let compiled callers that pass a constant use the code for any value of its type.

    Numba would compile the function for the constant with which a loop begins, and again for the variable.
    """
    widened: Any = types.unliteral
    template = dispatcher.get_call_template
    dispatcher.get_call_template = lambda args, kws: template(
        tuple(widened(kind) for kind in args), {name: widened(kind) for name, kind in kws.items()}
    )
    return dispatcher


def load_registries() -> None:
    """Load the registries that numba otherwise loads at the first call of a function, which takes half a second.

    A process calls this before it forks others, which then have them from the beginning.
    """
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


def instruction(generator: Callable[..., Any]) -> Any:
    """Make a function that compiled code can call, from a generator of LLVM instructions that is given numba types."""
    return intrinsic(generator)


@lru_cache
def source_stamp() -> str:
    """Return a digest of the files in which stdpnet's machine code has its source."""
    digest = hashlib.sha256()
    for path in compiled_sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def compiled_sources() -> list[Path]:
    """Return the files of stdpnet that hold compiled code, and those that they import from.

    The latter define the records that compiled code is given: machine code refers to a field by its position.
    """
    files = {path: path.read_bytes() for path in PACKAGE.rglob("*.py")}
    sources = {path for path, text in files.items() if COMPILED.search(text)}
    names = {name.decode() for path in sources for name in IMPORTED.findall(files[path])}
    modules = {PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py") for name in names}
    return sorted(sources | (modules & files.keys()))
