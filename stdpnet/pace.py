"""Know how fast images are shown, and tell whoever shows progress what takes time beside them, such as compiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

COMPILING = "compiling (once)"
"""What a display of progress says while machine code is compiled, which happens once and takes a while."""
_LISTENERS: list[Callable[[str], None]] = []


def announce(what: str = COMPILING) -> None:
    """Say that something begins that takes time and shows no training image, such as the compilation of a function."""
    for listener in tuple(_LISTENERS):
        listener(what)


@contextmanager
def announced(listener: Callable[[str], None]) -> Iterator[None]:
    """Call a function, within a block, with what is announced; any thread may call it."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


class Pace:
    """Images per second, without the chunks of images that were interrupted by something else.

    Parameters
    ----------
    images : images shown so far
    now : the time, s
    """

    def __init__(self, images: int, now: float) -> None:
        self._first = self._last = (images, now)
        self._shown, self._seconds = 0, 0.0  # of the chunks that were not interrupted
        self._paused = 0.0  # seconds of what comes again and again
        self._pause, self._beside = "", "compilation"

    def pause(self, what: str) -> None:
        """Note that the chunk of images that goes on now takes longer than others, and why."""
        self._pause = what
        self._beside = "compilation" if what == COMPILING else what

    def rate(self, images: int, now: float) -> float | None:
        """Return the images per second so far; None while there is no chunk by which to know."""
        before, then = self._last
        shown, seconds = images - before, now - then
        if not self._pause:
            self._shown, self._seconds = self._shown + shown, self._seconds + seconds
        elif self._pause != COMPILING and before > self._first[0]:  # the first one says nothing of how often it comes
            self._paused += max(0.0, seconds - shown * self._seconds / max(self._shown, 1))
        self._last, self._pause = (images, now), ""
        return self._shown / self._seconds if self._shown > 0 and self._seconds > 0 else None

    def words(self, images: int, now: float) -> str:
        """Return the images per second for a reader; with what took time beside them where nothing else is known."""
        if (rate := self.rate(images, now)) is not None:
            return f"{rate:.0f} images/s"
        first, start = self._first
        return f"{(images - first) / max(now - start, 1e-9):.0f} images/s with {self._beside}"

    def left(self, images: int) -> float | None:
        """Return the seconds that further images will take, with what comes again; None while that is not known."""
        if self._shown <= 0 or self._seconds <= 0:
            return None
        return images * (self._seconds / self._shown + self._paused / (self._last[0] - self._first[0]))
