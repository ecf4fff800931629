"""Show the progress of a training in an interactive session: a bar in a notebook, a line at the prompt of Python."""

from __future__ import annotations

import html
import importlib
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from stdpnet.pace import Pace
from stdpnet.training.loop import Observer

INTERVAL = 0.2
"""Seconds between two displays."""


def is_interactive() -> bool:
    """Return whether this is an interactive session: a notebook, IPython, or Python's prompt."""
    return hasattr(sys, "ps1")  # Python sets it at its prompt, IPython always


def with_progress(observers: Iterable[Observer], show: bool | None) -> list[Observer]:
    """Return the observers, before them one that shows the progress; None: in an interactive session."""
    return [*([ProgressDisplay()] if (is_interactive() if show is None else show) else []), *observers]


class ProgressDisplay:
    """An observer that shows how far a training is, its speed, the note of the model, and the time left.

    Parameters
    ----------
    put : shows images shown, goal and a few words; default: a bar in a notebook, else a line of stderr
    """

    every = 0

    def __init__(self, put: Callable[[int, int, str], None] | None = None) -> None:
        self._put = put or _notebook_bar() or _line

    def begin(self, training: Any) -> None:
        """Show where the training begins."""
        self._first, self._begin, self._last = training.images, time.monotonic(), float("-inf")
        self._pace = Pace(self._first, self._begin)
        self._show(training)

    def pause(self, training: Any, what: str) -> None:
        """Show what is done between images."""
        self._pace.pause(what)
        if training.images < training.spec.training.images:  # at the goal its last line stays
            self._put(training.images, training.spec.training.images, what)

    def handle(self, training: Any) -> None:
        """Show how far it is, at most every INTERVAL seconds, and at the end."""
        if time.monotonic() - self._last >= INTERVAL or training.images >= training.spec.training.images:
            self._show(training)

    def _show(self, training: Any) -> None:
        self._last = time.monotonic()
        images, goal, seconds = training.images, training.spec.training.images, self._last - self._begin
        words: list[str] = []
        if images > self._first:
            words = [self._pace.words(images, self._last), training.learner.note()]
            if images >= goal:
                words.append(f"{seconds:.1f} s")
            elif (left := self._pace.left(goal - images)) is not None:
                words.append(f"{left:.0f} s left")
        self._put(images, goal, ", ".join(filter(None, words)))


def _line(images: int, goal: int, words: str) -> None:
    """Rewrite a line of stderr."""
    text = f"training: {images}/{goal}{', ' * bool(words)}{words}"
    print(f"\r{text:<78}", end="\n" if images >= goal else "", file=sys.stderr, flush=True)


def _notebook_bar() -> Callable[[int, int, str], None] | None:
    """Return a function that shows a bar below the cell of a notebook; None where there is no notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    display = importlib.import_module("IPython.display").display
    handle = None

    def put(images: int, goal: int, words: str) -> None:
        nonlocal handle
        text = f"training: {images}/{goal}{', ' * bool(words)}{words}"
        bar = f'<progress value="{images}" max="{goal}" style="width: 20em"></progress> {html.escape(text)}'
        shown = {"text/plain": text, "text/html": bar}
        if handle is None:
            handle = display(shown, raw=True, display_id=True)
        else:
            handle.update(shown, raw=True)

    return put
