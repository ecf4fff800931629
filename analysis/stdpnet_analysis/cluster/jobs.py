"""Train a run to its goal: begin it, resume it where an earlier attempt was lost, or return it if it is finished."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from signal import SIGTERM

from stdpnet.errors import RunError
from stdpnet.runs import Run
from stdpnet.spec.experiment import Experiment
from stdpnet.training import Job, Observer, resume, train
from stdpnet_analysis.grouping import deciding_keys

POLL_SECONDS = 0.5
"""Seconds between two checks of a run that another process is writing."""


def complete(spec: Experiment, path: Path, *, threads: int | None = 1, observers: Iterable[Observer] = ()) -> Run:
    """Return the finished run of an experiment: trained, resumed from its checkpoint, or found finished.

    A run that another process is writing, such as a worker that its scheduler believes lost, is waited for. A run of
    the same experiment with fewer training images is trained on.

    Parameters
    ----------
    spec : the experiment
    path : the run's directory, the same for every attempt
    threads : how many threads may compute; None: all cores
    observers : watch the job

    Raises
    ------
    RunError
        If the directory has a run of another experiment, or its files cannot be read or written.
    StopRequestedError, HealthError
        As for stdpnet.train.
    """
    while True:
        try:
            if not (path / "config.toml").exists():
                return train(spec, path, threads=threads, observers=observers)
            run = Run.open(path)
            _check_same(run, spec)
            while run.status == "running":
                time.sleep(POLL_SECONDS)
            extended = run.spec.training.images < spec.training.images
            if run.status == "finished" and not extended:
                return run
            goal = spec.training.images if extended else None
            return resume(run, goal, threads=threads, observers=observers, take_over=True)
        except RunError:
            if not (path / "config.toml").exists() or Run.open(path).status != "running":
                raise  # otherwise another process has begun the run meanwhile


def _check_same(run: Run, spec: Experiment) -> None:
    """Raise RunError unless a run is of an experiment; it may have fewer training images."""
    found, expected = ({"seed": each.seed, **deciding_keys(each)} for each in (run.spec, spec))
    for key, value in found.items():
        if value != expected[key] and not (key == "training.images" and value < expected[key]):
            raise RunError(
                f"{run.path}: holds a run of another experiment, with {key} = {value} instead of {expected[key]}; "
                "remove it, or choose another folder"
            )


class Stopper:
    """Ends a job when a file appears that asks for it: its trial is pruned, or its driver stops.

    Parameters
    ----------
    prune : file that makes the job end as finished, with the reason "pruned"; None: it is never pruned
    leave : file that makes it stop with a checkpoint
    """

    every = 0

    def __init__(self, prune: Path | None, leave: Path) -> None:
        self._prune, self._leave = prune, leave

    def begin(self, job: Job) -> None:
        """Check the files before the first image."""
        self.handle(job)

    def handle(self, job: Job) -> None:
        """Check whether a file has appeared."""
        if self._prune is not None and self._prune.exists():
            job.finish("pruned")
        elif self._leave.exists():
            job.stop(SIGTERM)


def leave_file(folder: Path) -> Path:
    """Return the file in a folder whose presence asks the tasks of this process, and no others, to stop."""
    return folder.resolve() / f".leave-{platform.node()}-{os.getpid()}"
