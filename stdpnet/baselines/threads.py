"""Linear algebra on one thread: results would depend on how many there are."""

from __future__ import annotations

from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def one_thread() -> ThreadpoolController:
    """Return the controller of the threads of linear algebra; `one_thread().limit(limits=1)` is the context."""
    return ThreadpoolController()
