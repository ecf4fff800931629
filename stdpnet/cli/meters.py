"""Show the progress of a computation on stderr: bars on a terminal, else a line from time to time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

from stdpnet.pace import Pace, announced


class Meter(Protocol):
    """Shows how far a computation is, stage by stage (a `stdpnet_analysis.progress.Progress`)."""

    def stage(self, name: str, total: int) -> None:
        """Begin a stage of `total` parts, 0 if their number is not known."""
        ...

    def advance(self, count: int, note: str = "") -> None:
        """Count parts of the stage that are done; replace the note shown beside it."""
        ...

    def skip(self, count: int) -> None:
        """Count parts that were done before; they do not count for the speed."""
        ...


@contextmanager
def meter(stage: str = "", total: int = 0, *, quiet: bool = False) -> Iterator[Meter]:
    """Show progress on stderr: bars on a terminal, else a line every ten seconds; the first stage may come later."""
    if quiet:
        yield _Quiet()
        return
    with _bar() if sys.stderr.isatty() else nullcontext() as bar:
        shown = _LineMeter() if bar is None else _BarMeter(bar)
        with announced(shown.pause):
            if stage:
                shown.stage(stage, total)
            yield shown
        shown.close()


class _Quiet:
    def stage(self, name: str, total: int) -> None:
        pass

    def advance(self, count: int, note: str = "") -> None:
        pass

    def skip(self, count: int) -> None:
        pass


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
    )


class _BarMeter:
    def __init__(self, bar: Any) -> None:
        self._bar, self._task = bar, None

    def stage(self, name: str, total: int) -> None:
        if self._task is not None:
            self._bar.stop_task(self._task)
        self._task = self._bar.add_task(name, total=total or None, note="")

    def advance(self, count: int, note: str = "") -> None:
        self._bar.update(self._task, advance=count, note=note)

    def pause(self, what: str) -> None:
        """Show beside the bar what is done until the stage goes on."""
        if self._task is not None:
            self._bar.update(self._task, note=what)

    def skip(self, count: int) -> None:
        self._bar.reset(self._task, completed=count, note="")

    def close(self) -> None:
        """Do nothing: the context of the bar ends it."""


class _LineMeter:
    INTERVAL = 10.0

    def __init__(self) -> None:
        self._shown = True
        """Whether the newest line shows the present progress."""
        self._stage = ""
        self._printed: set[str] = set()

    def stage(self, name: str, total: int) -> None:
        self.close()
        self._stage, self._total, self._done, self._note = name, total, 0, ""
        self._begin = self._last = time.monotonic()
        self._pace = Pace(0, self._begin)
        self._shown = False

    def pause(self, what: str) -> None:
        """Print a line about what interrupts the stage, only the first time."""
        if self._stage:
            self._pace.pause(what)
        if what not in self._printed:
            print(f"{self._stage}: {what}" if self._stage else what, file=sys.stderr, flush=True)
        self._printed.add(what)

    def advance(self, count: int, note: str = "") -> None:
        self._done, self._note, self._shown = self._done + count, note, False
        self._pace.rate(self._done, time.monotonic())
        if time.monotonic() - self._last >= self.INTERVAL:
            self._last = time.monotonic()
            self._print()

    def skip(self, count: int) -> None:
        self._done = count
        self._pace = Pace(count, time.monotonic())

    def close(self) -> None:
        if not self._shown:
            self._print()

    def _print(self) -> None:
        self._shown = True
        elapsed = time.monotonic() - self._begin
        parts = [f"{self._stage}: {self._done}/{self._total}"] if self._total else [self._stage]
        parts += [self._note] if self._note else []
        left = self._pace.left(self._total - self._done)
        remaining = f", {left:.0f} s left" if left is not None and self._total > self._done else ""
        print(f"{', '.join(parts)}, {elapsed:.1f} s{remaining}", file=sys.stderr, flush=True)
