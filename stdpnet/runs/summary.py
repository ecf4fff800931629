"""The state of a run as plain data; of long files only the end is read, and files that have not changed only once.

`summarise` reads a run once. `RunReader` and `FolderReader` follow runs, for example for `stdpnet watch`.
"""

from __future__ import annotations

import datetime
import statistics
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from stdpnet.errors import StdpnetError
from stdpnet.model import facts_of
from stdpnet.runs.checkpoint import checkpointed_images
from stdpnet.runs.directory import Run
from stdpnet.runs.lock import is_locked
from stdpnet.runs.paths import run_folders
from stdpnet.runs.provenance import read_provenance
from stdpnet.runs.rows import RowFollower, first_row, last_rows, with_named_quantiles
from stdpnet.runs.scores import ScoredState, read_scores, scored_state
from stdpnet.runs.status import Status, status_after
from stdpnet.spec.experiment import Experiment

T = TypeVar("T")
SPEED_ROWS = 5
"""Rows of progress whose median is the training speed."""
SCORED = (("test", "last"), ("validation", "last"), ("test", "best"), ("validation", "best"))
"""Split and snapshot of the scores that a summary shows, the most important first."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The learning curve: validation accuracy in the course of training, of very long ones the newest rows."""

    readout: str
    """The read-out that decides which state is the best."""
    images: list[int]
    """Training images before each evaluation."""
    accuracy: list[float]
    """Fraction of the validation images answered correctly."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The state of a run; `as_dict` makes it JSON-serialisable. A value that is not known yet is None."""

    name: str
    """The directory's name."""
    path: str
    """The directory."""
    model: str
    """The model that is trained, such as stdp."""
    label: str
    """The network in a few words, such as LCSNN 25/12."""
    facts: dict[str, Any]
    """Its family, sizes and numbers of synapses."""
    dataset: str
    """Name of the dataset."""
    seed: int
    """Seed of everything random."""
    state: Status
    """new, running, stopped, failed or finished."""
    reason: str | None
    """Why it stopped, failed or finished."""
    images: int
    """Training images shown so far."""
    goal: int
    """Training images to show in total."""
    images_per_s: float | None
    """Training speed: see `training_speed`."""
    seconds_left: float | None
    """Time that the training still takes, s; None if it is finished."""
    age_seconds: float
    """Time since the run was begun, s."""
    health: list[str] | None
    """What is unhealthy in the last interval of training, by name; empty if nothing is."""
    progress: dict[str, Any] | None
    """The last row of progress.jsonl, its quantiles named."""
    curve: Curve
    """The learning curve so far."""
    scores: list[ScoredState]
    """What has been evaluated: scores of the newest state on test images first, then on validation images."""

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain dicts, lists, strings and numbers."""
        return asdict(self)


def training_speed(run: Run) -> float | None:
    """Return training images per second: the median of the last five rows of progress, None before the first.

    The higher of two: the first row's time includes compilation.
    """
    return _median_speed(last_rows(run.path / "progress.jsonl", SPEED_ROWS))


def _median_speed(rows: list[dict[str, Any]]) -> float | None:
    speeds = [row["images_per_s"] for row in rows if row.get("images_per_s")]
    return statistics.median_high(speeds) if speeds else None


def summarise(run: Run) -> Summary:
    """Return the state of a run.

    Raises
    ------
    RunError
        If one of its files cannot be read.
    """
    return RunReader(run).read()


class RunReader:
    """Reads the state of a run repeatedly; a file that has not changed is not read again.

    Parameters
    ----------
    run : the run, as it is now
    """

    def __init__(self, run: Run) -> None:
        self._run, self._path = run, run.path
        self._known: dict[Path, tuple[Any, Any]] = {}
        self._curve = RowFollower(run.path / "curve.jsonl")
        config = run.path / "config.toml"
        self._known[config] = _signature(config), run.spec

    def read(self) -> Summary:
        """Return the state of the run now.

        Raises
        ------
        RunError
            If one of its files cannot be read.
        """
        running = is_locked(self._path / "lock")  # first, since a job logs its last event before it releases the lock
        first, event = self._unless_known("events.jsonl", _ends)
        state: Status = "running" if running else status_after(event)
        spec = self._unless_known("config.toml", lambda path: Run.open(path.parent).spec)
        rows = self._unless_known("progress.jsonl", lambda path: last_rows(path, SPEED_ROWS))
        images = max(self._unless_known("checkpoint.h5", checkpointed_images), rows[-1]["images"] if rows else 0)
        begun = first["time"] if first else self._unless_known("provenance.json", read_provenance)["created"]
        speed, facts = _median_speed(rows), facts_of(spec)
        left = max(spec.training.images - images, 0) / speed if speed and state != "finished" else None
        return Summary(
            name=self._path.name,
            path=str(self._path),
            model=spec.model,
            label=facts.label,
            facts={
                "family": facts.family,
                "positions": facts.positions,
                "units": facts.units,
                "synapses": dict(facts.synapses),
                "labels": facts.labels,
                **facts.details,
            },
            dataset=spec.dataset.name,
            seed=spec.seed,
            state=state,
            reason=_reason(state, event),
            images=images,
            goal=spec.training.images,
            images_per_s=speed,
            seconds_left=left,
            age_seconds=_seconds_since(begun),
            health=rows[-1].get("health") if rows else None,
            progress=with_named_quantiles(rows[-1]) if rows else None,
            curve=self._learning_curve(spec),
            scores=self._scores(images),
        )

    def _unless_known(self, name: str, read: Callable[[Path], T]) -> T:
        """Return what `read` returns for a file; it is called only if the file has changed since the last call."""
        path = self._path / name
        signature = _signature(path)
        if path not in self._known or self._known[path][0] != signature:
            self._known[path] = signature, read(path)
        value: T = self._known[path][1]
        return value

    def _learning_curve(self, spec: Experiment) -> Curve:
        readout = spec.curve.readout
        rows = [row for row in self._curve.read() if readout in row["accuracy"]]
        return Curve(
            readout=readout,
            images=[row["images"] for row in rows],
            accuracy=[row["accuracy"][readout] for row in rows],
        )

    def _scores(self, images: int) -> list[ScoredState]:
        found = []
        for split, snapshot in SCORED:
            path = self._run.scores_path(split, snapshot)
            if (scores := self._unless_known(path.name, read_scores)) is not None:
                now = images
                if snapshot != "last":
                    now = self._unless_known(f"snapshots/{snapshot}.h5", checkpointed_images)
                found.append(scored_state(scores, split, snapshot, now))
        return found


class FolderReader:
    """Reads the states of the runs of a folder repeatedly.

    Parameters
    ----------
    folder : a folder of runs, such as runs/
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readers: dict[Path, RunReader] = {}

    def read(self) -> list[Summary]:
        """Return the states of the runs by name; one that cannot be read is left out with a warning.

        Raises
        ------
        RunError
            If there is no such folder.
        """
        summaries, readers = [], {}
        for path in run_folders(self._folder):
            try:
                readers[path] = self._readers.get(path) or RunReader(Run.open(path))
                summaries.append(readers[path].read())
            except StdpnetError as error:
                warnings.warn(str(error), stacklevel=2)
        self._readers = readers
        return summaries


def _signature(path: Path) -> tuple[int, int, int] | None:
    """Return what changes with a file: its inode, size and time of change; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _ends(path: Path) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return the first and the last row of a file."""
    return first_row(path), next(iter(last_rows(path)), None)


def _reason(state: Status, event: Mapping[str, Any] | None) -> str | None:
    if state == "running" or event is None:
        return None
    return event.get("reason") or ("its process died" if state == "failed" else None)


def _seconds_since(moment: str) -> float:
    return (datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(moment)).total_seconds()
