"""One typed door to numba, so that type checkers see through compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile with numba: cached on disk, without the GIL, and with IEEE arithmetic (no fastmath, no contraction)."""
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy")(function))


def lean(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as `compiled` does, but for code that allocates nothing: arrays are used without counting references."""
    options: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": False, "error_model": "numpy", "_nrt": False}
    return cast("Callable[P, R]", numba.njit(**options)(function))


def lean_inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as `lean` does, into the compiled callers: passing many arrays can cost more than using them."""
    options: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy", "_nrt": False}
    return cast("Callable[P, R]", numba.njit(forceinline=True, **options)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a small function into its compiled callers."""
    return cast("Callable[P, R]", numba.njit(inline="always", fastmath=False, error_model="numpy")(function))
