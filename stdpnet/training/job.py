"""Run a training job: checkpoints, progress rows, observers, clean stops, resume."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from stdpnet.data import Dataset, load_dataset
from stdpnet.data.checks import doubts
from stdpnet.errors import ConfigError, DataError, HealthError, RunError, StdpnetError, StopRequestedError
from stdpnet.model import Learner, LearnerMaker, open_model
from stdpnet.runs import Run, run_path
from stdpnet.runs.provenance import readable
from stdpnet.spec.experiment import Experiment
from stdpnet.stopping import StopRequest, interruptible
from stdpnet.training.display import with_progress
from stdpnet.training.loop import Observer, Training

OBSERVERS = "stdpnet.observers"
"""Entry point group of functions (spec, dataset) -> Observer or None, called before a job begins."""
CURVE = "curve"
"""Name of the entry point that makes the learning curve."""
TENSORBOARD = "tensorboard"
"""Name of the entry point that makes the TensorBoard log."""


class Job(Training):
    """A training job on a run directory; made by `train` and `resume`."""

    def __init__(self, run: Run, learner: Learner, stop: StopRequest, extended: bool = False) -> None:
        super().__init__(run.spec, learner, stop)
        self.run = run
        self.name = str(run.path)
        self.extended = extended
        """Whether the user has just set a new goal."""
        self._saved_images, self._saved_time = self.images if run.has_state else -1, time.monotonic()

    @property
    def _continuation(self) -> str:
        return f"`stdpnet resume {self.name}` goes on"

    def go(self, observers: Iterable[Observer], event: str) -> Run:
        """Train to the goal, with checkpoints, rows and events in the run; the caller holds the run's lock."""
        run = self.run
        run.log(event, images=self.images, command=[readable(word) for word in sys.argv])
        try:
            reason = self.to_goal(observers)
            self._save()
        except StopRequestedError as error:
            self._save()
            run.log("stopped", images=self.images, reason=error.signal.name)
            raise
        except Exception as error:
            self._rescue(error)
            raise
        run.log("finished", images=self.images, reason=reason)
        return run

    def _rescue(self, error: Exception) -> None:
        """Note why the job ends, and keep what it has learned; a disk that failed before may fail again."""
        with contextlib.suppress(RunError):
            self.run.log("failed", images=self.images, reason=readable(str(error)))
        if self._at_boundary and not (isinstance(error, HealthError) and error.fatal):
            with contextlib.suppress(StdpnetError):
                self._save()

    def _strides(self) -> list[int]:
        return [*super()._strides(), self.spec.checkpoint.every]

    def _write(self, row: dict[str, Any]) -> None:
        self.run.append_row("progress", row)

    def _at_image_boundary(self) -> None:
        """Write a checkpoint where one is due, by images or by time."""
        checkpoint, images = self.spec.checkpoint, self.images
        by_images = checkpoint.every > 0 and images % checkpoint.every == 0
        by_time = checkpoint.minutes > 0 and time.monotonic() - self._saved_time >= 60 * checkpoint.minutes
        if by_images or by_time:
            self._save()

    def _save(self) -> None:
        """Write a checkpoint unless the newest one is of this image."""
        if self._saved_images != self.images:
            state = self.state
            if not state.is_finite:
                message = f"{self.name}: not finite at image {self.images}: there is nothing to keep"
                raise HealthError(message, fatal=True)
            self.run.save_state(state)
            self._saved_images, self._saved_time = self.images, time.monotonic()


def train(
    spec: Experiment,
    run: str | Path | None = None,
    *,
    name: str = "run",
    threads: int | None = None,
    observers: Iterable[Observer] = (),
    learner: LearnerMaker | None = None,
    stop: StopRequest | None = None,
    progress: bool | None = None,
) -> Run:
    """Train a model from its initial state and return the finished run.

    Ctrl-C, or a notebook's stop button, ends the training at the next image boundary, with a checkpoint.

    Parameters
    ----------
    spec : the experiment
    run : name below runs/ or path of the new run directory; default `<name>-<seed>`, with a number added if taken
    name : what the experiment is called, such as its configuration file's stem
    threads : how many threads may compute; default all cores; results do not depend on it
    observers : watch the job
    learner : makes the learner, default the model's own; results do not depend on it
    stop : a request to stop, made by the caller, such as by signal handlers; default: made by an interrupt
    progress : whether to show it; default: in a notebook and at Python's prompt

    Raises
    ------
    ConfigError, DataError, EngineError, RunError
        If the spec, the dataset, the engine or the run directory is not usable; nothing is written then.
    StopRequestedError
        If the job was asked to stop; a checkpoint has been written.
    HealthError
        If the model is unhealthy and spec.health.action is "stop", or its numbers are not finite.

    Examples
    --------
    >>> import stdpnet
    >>> spec = stdpnet.load_config("digits", {"topology.channels": 4, "training.images": 20})
    >>> stdpnet.train(spec, "example", progress=False)
    <Run runs/example: LCSNN 4/12, finished at 20 of 20 images>
    """
    _check_spec(spec)
    if run is not None:
        run_path(run)  # before anything is loaded
    dataset = load_dataset(spec.dataset)
    observers = with_progress([*observers, *_plugged_in(spec, dataset)], progress)
    check_training_images(dataset)
    for doubt in doubts(dataset):
        warnings.warn(doubt, stacklevel=2)
    model = open_model(spec)
    made = (learner or model.learner)(spec, dataset.train, model.initial(spec), threads=threads)
    record = Run.create(spec, run, f"{name}-{spec.seed}", dataset_sha256=dataset.sha256)
    with record.locked():
        return _run(lambda request: Job(record, made, request).go(observers, "started"), stop)


def resume(
    run: Run,
    images: int | None = None,
    *,
    threads: int | None = None,
    observers: Iterable[Observer] = (),
    learner: LearnerMaker | None = None,
    stop: StopRequest | None = None,
    take_over: bool = False,
    progress: bool | None = None,
) -> Run:
    """Go on with a run from its newest checkpoint, as if it had never stopped, and return it finished.

    A run that is finished stays as it is, unless there is a new goal.

    Parameters
    ----------
    run : the run
    images : new goal, in training images from the beginning; default as configured
    threads, observers, learner, stop, progress : as for train
    take_over : whether to take the lock that a process of another host left behind, because that process is dead

    Raises
    ------
    RunError
        If configuration, number type or dataset are not those that the run began with, if another process writes
        the run, or if no checkpoint can be read.

    Examples
    --------
    >>> import stdpnet
    >>> spec = stdpnet.load_config("digits", {"topology.channels": 4, "training.images": 20})
    >>> run = stdpnet.train(spec, "longer", progress=False)
    >>> stdpnet.resume(run, images=30, progress=False)
    <Run runs/longer: LCSNN 4/12, finished at 30 of 30 images>
    """
    if images is None and run.complete:
        return run
    with run.locked(take_over) as died:
        run.reload()  # no other process can change it from here on
        dataset = load_dataset(run.spec.dataset)
        check_dataset(run, dataset)
        model = open_model(run.spec)
        state = run.load_state() if run.has_state else model.initial(run.spec)
        if died:
            warnings.warn(f"{run.path}: {died}; going on from image {state.images}", stacklevel=2)
        if images is not None:
            if images < state.images:
                raise RunError(f"--images {images}: {run.path} has seen {state.images} images already; choose more")
            run.extend(images)
        run.set_damaged_aside()
        observers = with_progress([*observers, *_plugged_in(run.spec, dataset)], progress)
        made = (learner or model.learner)(run.spec, dataset.train, state, threads=threads)
        extended = images is not None
        return _run(lambda request: Job(run, made, request, extended=extended).go(observers, "resumed"), stop)


def check_dataset(run: Run, dataset: Dataset) -> None:
    """Raise RunError unless the dataset is the one that the run was trained on."""
    trained_on = run.dataset_sha256
    if trained_on != dataset.sha256:
        raise RunError(
            f"{run.path}: was trained on images with SHA-256 {trained_on[:12]}..., those of dataset.name = "
            f"'{dataset.name}' now have {dataset.sha256[:12]}...; restore the dataset, or start a new run"
        )


def check_training_images(dataset: Dataset) -> None:
    """Raise DataError if there is nothing to train on."""
    if len(dataset.train) == 0:
        raise DataError("dataset: the training split is empty; make the calibration, validation or test split smaller")


def _check_spec(spec: object) -> None:
    if not isinstance(spec, Experiment):
        raise ConfigError(
            f"spec: is a {type(spec).__name__}, no experiment; load_config(name) returns one, and "
            "stdpnet.fit(spec, images) trains on arrays of images"
        )


def _run(work: Callable[[StopRequest], Run], stop: StopRequest | None) -> Run:
    """Return the finished run; where the caller gives no `stop`, an interrupt asks the job to stop."""
    if stop is not None:
        return work(stop)
    request = StopRequest()
    run = interruptible(lambda: work(request), request)
    if request.received is not None:  # during the last images; a loop around this must not miss it
        raise StopRequestedError(f"{run.path}: interrupted at its last image, and finished", request.received)
    return run


def _plugged_in(spec: Experiment, dataset: Dataset) -> list[Observer]:
    """Return the observers that installed packages have for an experiment, such as the learning curve.

    Raises
    ------
    RunError
        If the experiment asks for an observer that no installed package has.
    """
    made = {entry.name: entry.load()(spec, dataset) for entry in _plugins()}
    for name, what, key, value, off in (
        (CURVE, "learning curve", "curve.every", spec.curve.every, "0"),
        (TENSORBOARD, "TensorBoard log", "progress.tensorboard", spec.progress.tensorboard, "false"),
    ):
        if value and made.get(name) is None:
            raise RunError(
                f"{key}: {value} asks for a {what}, and no installed package makes one (entry point '{name}' of "
                f"'{OBSERVERS}'); install stdpnet with pip, or set {key} to {off}"
            )
    return [observer for observer in made.values() if observer is not None]


@cache
def _plugins() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=OBSERVERS))
