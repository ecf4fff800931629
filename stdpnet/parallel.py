"""Divide a computation among threads; compiled code releases the GIL, so that they run at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from stdpnet.machine import available_cores

__all__ = ["available_cores", "in_parallel", "limited_algebra", "shares"]

WITH_THREADS = ("scipy.linalg", "sklearn.utils._openmp_helpers")
"""Modules that load the libraries whose threads `limited_algebra` limits, beside numpy."""

T = TypeVar("T")


def in_parallel(work: Callable[[int], T], threads: int) -> list[T]:
    """Call work(0), work(1), ..., each on its own thread, and return the results in this order."""
    if threads == 1:
        return [work(0)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(threads)))


def shares(count: int, threads: int) -> list[slice]:
    """Return up to `threads` consecutive slices of range(count); none is empty, unless count is 0."""
    parts = min(threads, max(count, 1))
    ends = np.linspace(0, count, parts + 1).astype(int).tolist()
    return [slice(*pair) for pair in pairwise(ends)]


def limited_algebra(threads: int | None) -> AbstractContextManager[Any]:
    """Return a context in which linear algebra uses at most this number of threads (None: any number).

    The last bits of the results depend on the number of threads.
    """
    context: AbstractContextManager[Any] = _controller().limit(limits=threads)
    return context


@cache
def _controller() -> ThreadpoolController:
    """Return the controller of all libraries with threads; finding them takes longer than a small matrix product."""
    for name in WITH_THREADS:
        import_module(name)
    return ThreadpoolController()
