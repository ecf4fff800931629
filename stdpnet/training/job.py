"""A training job: from a spec or a checkpoint to a finished run, whatever happens on the way."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from signal import Signals
from typing import Any, NoReturn, Protocol

from stdpnet.data import Dataset, load_dataset
from stdpnet.errors import HealthError, RunError, StdpnetError, StopRequestedError
from stdpnet.runs import Interval, Run, TrainingState
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.health import examine
from stdpnet.stdp.learner import EngineMaker, Trainer, chunk_size
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.spec.experiment import ExperimentSpec
from stdpnet.stdp.statistics import summarise
from stdpnet.training.signals import SignalCatcher

OBSERVERS = "stdpnet.observers"
"""Entry point group of functions that get a job before it begins and return an observer of it, or None."""


class Observer(Protocol):
    """Watches a job; it may read everything and must change nothing of the network."""

    every: int
    """Called at multiples of so many images; 0: after every chunk of images, whatever its size."""

    def begin(self, job: Job) -> None:
        """Look at the job before its first image."""
        ...

    def handle(self, job: Job) -> None:
        """Look at the job at an image boundary; may call job.finish(reason) and job.check_signals()."""
        ...


class Job:
    """A training job on a run directory; made by `train` and `resume`."""

    def __init__(self, run: Run, dataset: Dataset, trainer: Trainer, chunk: int | None, extended: bool = False) -> None:
        self.extended = extended
        """Whether the user has just set a new goal."""
        self.run, self.dataset, self.state, self.threads = run, dataset, trainer.state, trainer.threads
        self._ailments: set[str] = set()
        self._trainer, self._chunk = trainer, chunk or chunk_size(run.spec)
        self._signals = SignalCatcher()
        self._reason: str | None = None
        self._at_boundary = True
        self._saved_images, self._saved_time = self.state.images if run.has_state else -1, time.monotonic()
        self._row_images, self._row_seconds = self.state.images, 0.0

    def finish(self, reason: str) -> None:
        """End the training after this image, as finished."""
        self._reason = reason

    def check_signals(self) -> None:
        """Leave, by an exception that the job answers with a checkpoint, if a signal asked for it."""
        if self._signals.received is not None:
            self.stop(self._signals.received)

    def stop(self, number: Signals) -> NoReturn:
        """Leave as after a signal of this number: by an exception that the job answers with a checkpoint."""
        path, images = self.run.path, self.state.images
        raise StopRequestedError(
            f"{path}: stopped by {number.name} at image {images}; `stdpnet resume {path}` goes on", number
        )

    def go(self, observers: Iterable[Observer], event: str) -> Run:
        """Train to the goal, and write everything down on the way; the caller holds the run's lock."""
        watching = [*observers, *_plugged_in(self)]
        with self._signals:
            self.run.log(event, images=self.state.images, command=sys.argv)
            try:
                self._train(watching)
            except StopRequestedError as error:
                self._save()
                self.run.log("stopped", images=self.state.images, reason=error.signal.name)
                raise
            except Exception as error:
                self._rescue(error)
                raise
            self.run.log("finished", images=self.state.images, reason=self._reason or "goal reached")
        return self.run

    def _rescue(self, error: Exception) -> None:
        """Note why the job ends, and keep what it has learned; a disk that failed before may fail again."""
        with contextlib.suppress(RunError):
            self.run.log("failed", images=self.state.images, reason=str(error))
        if self._at_boundary and not (isinstance(error, HealthError) and error.fatal):
            with contextlib.suppress(StdpnetError):
                self._save()

    def _train(self, observers: list[Observer]) -> None:
        for observer in observers:
            observer.begin(self)
        spec, state = self.run.spec, self.state
        strides = [spec.progress.every, spec.checkpoint.every, *(observer.every for observer in observers)]
        while state.images < spec.training.images and self._reason is None:
            self.check_signals()
            boundary = min((state.images // every + 1) * every for every in strides if every > 0)
            begin = time.perf_counter()
            self._at_boundary = False
            self._trainer.advance(min(self._chunk, boundary - state.images))
            self._at_boundary = True
            self._row_seconds += time.perf_counter() - begin
            if state.images % spec.progress.every == 0 or state.images == spec.training.images:
                self._report()
            for observer in observers:
                if observer.every == 0 or state.images % observer.every == 0:
                    observer.handle(self)
            if self._checkpoint_is_due():
                self._save()
        self._save()

    def _report(self) -> None:
        """Write a row of progress; warn of, or stop at, what is unhealthy."""
        spec, state = self.run.spec, self.state
        row: dict[str, Any] = summarise(spec, state)
        complete = state.images % spec.progress.every == 0  # else the goal, which may yet be put further
        findings = [finding for finding in examine(spec, row) if complete or finding.fatal]
        seconds, images = self._row_seconds, state.images - self._row_images
        row["images_per_s"] = images / seconds if seconds else None
        row["health"] = [finding.name for finding in findings]
        if complete:
            state.interval = Interval.begin(state.network)
        self._row_images, self._row_seconds = state.images, 0.0
        self.run.append_row("progress", row)
        for finding in findings:
            if finding.fatal or spec.health.action == "stop":
                message = f"{self.run.path}: {finding.name} at image {state.images}: {finding.message}"
                raise HealthError(message, finding.fatal)
            if finding.name not in self._ailments:  # said once, and again when it comes back
                warnings.warn(f"{finding.name} at image {state.images}: {finding.message}", stacklevel=2)
        self._ailments = {finding.name for finding in findings}

    def _checkpoint_is_due(self) -> bool:
        checkpoint, images = self.run.spec.checkpoint, self.state.images
        by_images = checkpoint.every > 0 and images % checkpoint.every == 0
        by_time = checkpoint.minutes > 0 and time.monotonic() - self._saved_time >= 60 * checkpoint.minutes
        return by_images or by_time

    def _save(self) -> None:
        """Write a checkpoint unless the newest one is of this image."""
        if self._saved_images != self.state.images:
            if not self.state.network.is_finite:
                message = f"{self.run.path}: not finite at image {self.state.images}: there is nothing to keep"
                raise HealthError(message, fatal=True)
            self.run.save_state(self.state)
            self._saved_images, self._saved_time = self.state.images, time.monotonic()


def train(
    spec: ExperimentSpec,
    run: str | Path | None = None,
    *,
    name: str = "run",
    threads: int | None = None,
    observers: Iterable[Observer] = (),
    chunk: int | None = None,
    make: EngineMaker = make_engine,
) -> Run:
    """Train a network from its initial state and return the finished run.

    Parameters
    ----------
    spec : the experiment
    run : name below runs/ or path of the new run directory; default `<name>-<seed>`, with a number added if taken
    name : what the experiment is called, such as its configuration file's stem
    threads : how many threads may compute; default all cores; results do not depend on it
    observers : watch the job
    chunk : images shown together, default as suits the engine; results do not depend on it
    make : what makes the engine; results do not depend on it

    Raises
    ------
    ConfigError, DataError, EngineError, RunError
        If the spec, the dataset, the engine or the run directory is not usable; nothing is written then.
    StopRequestedError
        If a signal asked the job to stop; a checkpoint has been written.
    HealthError
        If the network is unhealthy and spec.health.action is "stop", or its numbers are not finite.
    """
    if spec.dataset.path:  # a run can be resumed from anywhere
        spec = spec.replace(dataset=spec.dataset.replace(path=str(Path(spec.dataset.path).resolve())))
    dataset = load_dataset(spec.dataset)
    trainer = Trainer(spec, dataset.train.images, TrainingState(initial_network(spec)), threads, make)
    record = Run.create(spec, run, f"{name}-{spec.seed}", dataset_sha256=dataset.sha256)
    with record.locked():
        return Job(record, dataset, trainer, chunk).go(observers, "started")


def resume(
    run: Run,
    images: int | None = None,
    *,
    threads: int | None = None,
    observers: Iterable[Observer] = (),
    chunk: int | None = None,
    make: EngineMaker = make_engine,
    take_over: bool = False,
) -> Run:
    """Go on with a run from its newest checkpoint, as if it had never stopped, and return it finished.

    Parameters
    ----------
    run : the run
    images : new goal, in training images from the beginning; default as configured
    threads, observers, chunk, make : as for train
    take_over : whether a process of another host that left its lock behind is known to be dead

    Raises
    ------
    RunError
        If configuration, number type or dataset are not those that the run began with, if another process writes
        the run, or if no checkpoint can be read.
    """
    with run.locked(take_over) as died:
        run.reload()  # as it is now that nobody else writes it
        dataset = load_dataset(run.spec.dataset)
        check_dataset(run, dataset)
        state = run.load_state() if run.has_state else TrainingState(initial_network(run.spec))
        if died:
            warnings.warn(f"{run.path}: {died}; going on from image {state.images}", stacklevel=2)
        if images is not None:
            if images < state.images:
                raise RunError(f"--images {images}: {run.path} has seen {state.images} images already; choose more")
            run.extend(images)
        run.set_damaged_aside()
        trainer = Trainer(run.spec, dataset.train.images, state, threads, make)
        return Job(run, dataset, trainer, chunk, extended=images is not None).go(observers, "resumed")


def check_dataset(run: Run, dataset: Dataset) -> None:
    """Raise RunError unless the dataset is the one that the run was trained on."""
    trained_on = run.provenance["dataset_sha256"]
    if trained_on != dataset.sha256:
        raise RunError(
            f"{run.path}: was trained on images with SHA-256 {trained_on[:12]}..., those of dataset.name = "
            f"'{dataset.name}' now have {dataset.sha256[:12]}...; restore the dataset, or start a new run"
        )


def _plugged_in(job: Job) -> list[Observer]:
    """Return the observers that installed packages have for this job, such as the learning curve."""
    made = [entry.load()(job) for entry in entry_points(group=OBSERVERS)]
    return [observer for observer in made if observer is not None]
