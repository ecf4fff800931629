"""Measure how fast images are shown, and announce other work that takes time, such as compiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

COMPILING = "compiling (once)"
"""The announcement that machine code is compiled, which happens once."""
_LISTENERS: list[Callable[[str], None]] = []


def announce(what: str = COMPILING) -> None:
    """Announce that work begins that takes time and shows no training images, such as compiling a function."""
    for listener in tuple(_LISTENERS):
        listener(what)


@contextmanager
def announced(listener: Callable[[str], None]) -> Iterator[None]:
    """Within a block, call a listener with every announcement, in the thread that makes it."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


class Pace:
    """Images per second, measured without the chunks of images in which other work was announced.

    Parameters
    ----------
    images : images shown so far
    now : the time, s
    """

    def __init__(self, images: int, now: float) -> None:
        self._first = self._last = (images, now)
        self._shown, self._seconds = 0, 0.0  # of the chunks without other work
        self._paused = 0.0  # seconds of repeated other work, such as evaluations
        self._pause, self._other_work = "", "compilation"

    def pause(self, what: str) -> None:
        """Note which other work makes the present chunk of images take longer."""
        self._pause = what
        self._other_work = "compilation" if what == COMPILING else what

    def rate(self, images: int, now: float) -> float | None:
        """Return the images per second so far; None before the first chunk without other work."""
        before, then = self._last
        shown, seconds = images - before, now - then
        if not self._pause:
            self._shown, self._seconds = self._shown + shown, self._seconds + seconds
        elif self._pause != COMPILING and before > self._first[0]:
            # Not in the first chunk: it does not show how often the work comes.
            self._paused += max(0.0, seconds - shown * self._seconds / max(self._shown, 1))
        self._last, self._pause = (images, now), ""
        return self._shown / self._seconds if self._shown > 0 and self._seconds > 0 else None

    def words(self, images: int, now: float) -> str:
        """Return the images per second as text; without a `rate`, other work is included, and the text names it."""
        if (rate := self.rate(images, now)) is not None:
            return f"{rate:.0f} images/s"
        first, start = self._first
        return f"{(images - first) / max(now - start, 1e-9):.0f} images/s with {self._other_work}"

    def left(self, images: int) -> float | None:
        """Return the seconds that further images will take, repeated other work included; None without a `rate`."""
        if self._shown <= 0 or self._seconds <= 0:
            return None
        return images * (self._seconds / self._shown + self._paused / (self._last[0] - self._first[0]))
