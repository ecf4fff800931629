"""One typed door to numba, so that type checkers see through compiled functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")
njit: Any = numba.njit
OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
"""No GIL; IEEE arithmetic: nothing reassociated or contracted."""


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile with numba, kept on disk."""
    return cast("Callable[P, R]", _kept(njit(cache=True, **OPTIONS)(function)))


def lean(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as `compiled` does, but for code that allocates nothing: arrays are used without counting references."""
    return cast("Callable[P, R]", _kept(njit(cache=True, _nrt=False, **OPTIONS)(function)))


def lean_inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as `lean` does, into the compiled callers: passing many arrays can cost more than using them."""
    return cast("Callable[P, R]", njit(forceinline=True, _nrt=False, **OPTIONS)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a small function into its compiled callers."""
    return cast("Callable[P, R]", njit(inline="always", fastmath=False, error_model="numpy")(function))


def _kept(dispatcher: Any) -> Any:
    """Let what is kept on disk be valid for all sources of this package as they are.

    Numba looks only at the file of the function itself, and would go on using old code of functions called from it.
    """
    dispatcher._cache._cache_file._source_stamp = source_stamp()
    return dispatcher


@lru_cache
def source_stamp() -> str:
    """Return a digest of all files of this package that hold compiled code."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        if b"stdpnet._numba.jit" in (source := path.read_bytes()) or b"numba.extending" in source:
            digest.update(source)
    return digest.hexdigest()
