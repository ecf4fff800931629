"""What several commands share: options, tables, progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

if TYPE_CHECKING:
    from stdpnet.stdp.spec.experiment import ExperimentSpec

ConfigArgument = Annotated[str, typer.Argument(metavar="CONFIG", help="A .toml file or the name of a preset.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's name below runs/, or its path.")]
RunsArgument = Annotated[
    list[str],
    typer.Argument(metavar="RUN...", help="Names below runs/, paths, quoted patterns, or folders of runs."),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as plasticity.A_plus=0.01.")
]
EngineOption = Annotated[str | None, typer.Option("--engine", help="numba or brian2; default: as configured.")]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Seed of everything random; default: as configured.")]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads that compute; default: all cores. Results are the same.")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="A running Dask scheduler, such as tcp://host:8786."),
]
SchedulerFileOption = Annotated[
    str | None, typer.Option("--scheduler-file", metavar="FILE", help="The file that a running scheduler has written.")
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes on this machine; default: one per core.")
]
MemoryOption = Annotated[
    str, typer.Option("--memory", help="Most memory of a process, such as 4GB; auto: an equal share.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def load(
    config: str, overrides: list[str] | None = None, engine: str | None = None, seed: int | None = None
) -> ExperimentSpec:
    """Return the spec of a CONFIG argument with the overrides of the command line."""
    from stdpnet.spec.load import load_config

    extra = [f'simulation.engine="{engine}"'] if engine is not None else []
    extra += [f"seed={seed}"] if seed is not None else []
    return load_config(config, [*(overrides or []), *extra])


def as_json_text(content: Any) -> str:
    """Return a JSON object as text."""
    from pydantic_core import to_json

    return to_json(content, indent=2, inf_nan_mode="null").decode()


def print_json(content: Any) -> None:
    """Print one JSON object."""
    print(as_json_text(content))


class Meter(Protocol):
    """Shows how far a stage is."""

    def advance(self, count: int, note: str = "") -> None:
        """Add to what is done; replace the note shown beside it."""
        ...

    def skip(self, count: int) -> None:
        """Begin with something that was done before, and says nothing about the speed."""
        ...


@contextmanager
def meter(stage: str, total: int, *, quiet: bool = False) -> Iterator[Meter]:
    """Show the progress of a stage on stderr: a bar on a terminal, else a line every ten seconds."""
    if quiet:
        yield _Quiet()
    elif sys.stderr.isatty():
        with _bar() as bar:
            yield _BarMeter(bar, bar.add_task(stage, total=total or None, note=""))
    else:
        lines = _LineMeter(stage, total)
        yield lines
        lines.close()


class _Quiet:
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
    def __init__(self, bar: Any, task: Any) -> None:
        self._bar, self._task = bar, task

    def advance(self, count: int, note: str = "") -> None:
        self._bar.update(self._task, advance=count, note=note)

    def skip(self, count: int) -> None:
        self._bar.reset(self._task, completed=count, note="")


class _LineMeter:
    INTERVAL = 10.0

    def __init__(self, stage: str, total: int) -> None:
        self._stage, self._total, self._done, self._skipped, self._note = stage, total, 0, 0, ""
        self._printed = -1
        self._begin = self._last = time.monotonic()

    def advance(self, count: int, note: str = "") -> None:
        self._done, self._note = self._done + count, note
        if time.monotonic() - self._last >= self.INTERVAL:
            self._last = time.monotonic()
            self._print()

    def skip(self, count: int) -> None:
        self._done = self._skipped = count

    def close(self) -> None:
        if self._printed != self._done:
            self._print()

    def _print(self) -> None:
        self._printed = self._done
        elapsed = time.monotonic() - self._begin
        parts = [f"{self._stage}: {self._done}/{self._total}"] if self._total else [self._stage]
        parts += [self._note] if self._note else []
        done, open_ = self._done - self._skipped, self._total - self._done
        left = f", {elapsed / done * open_:.0f} s left" if done > 0 and open_ > 0 else ""
        print(f"{', '.join(parts)}, {elapsed:.1f} s{left}", file=sys.stderr, flush=True)
