"""Tell whoever shows progress that machine code is being compiled, which happens once and takes a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

WORDS = "compiling (once)"
"""What a display of progress says meanwhile."""
_LISTENERS: list[Callable[[], None]] = []


def announce() -> None:
    """Say that the compilation of a function begins; called once for each."""
    for listener in tuple(_LISTENERS):
        listener()


@contextmanager
def announced(listener: Callable[[], None]) -> Iterator[None]:
    """Call a function, within a block, each time a compilation begins; any thread may call it."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


class Pace:
    """Images per second, without the chunk of images during which code was compiled.

    Parameters
    ----------
    images : images shown so far
    now : the time, s
    """

    def __init__(self, images: int, now: float) -> None:
        self._images, self._begin, self._restarts = images, now, False
        self._first, self._start = images, now

    def compiling(self) -> None:
        """Note that the chunk of images that goes on now takes longer than others."""
        self._restarts = True

    def rate(self, images: int, now: float) -> float | None:
        """Return the images per second so far; None while there is no chunk by which to know."""
        if self._restarts:
            self._images, self._begin, self._restarts = images, now, False
        shown, seconds = images - self._images, now - self._begin
        return shown / seconds if shown > 0 and seconds > 0 else None

    def words(self, images: int, now: float) -> str:
        """Return the images per second for a reader; with the compilation where nothing else is known."""
        if (rate := self.rate(images, now)) is not None:
            return f"{rate:.0f} images/s"
        return f"{(images - self._first) / max(now - self._start, 1e-9):.0f} images/s with compilation"
