"""`stdpnet train` and `stdpnet resume`."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stdpnet.cli.common import (
    ConfigArgument,
    EngineOption,
    JsonOption,
    Meter,
    RunArgument,
    SchedulerFileOption,
    SchedulerOption,
    SeedOption,
    SetOption,
    ThreadsOption,
    load,
    meter,
    print_json,
)
from stdpnet.cli.signals import SignalCatcher

if TYPE_CHECKING:
    from stdpnet.model import LearnerMaker
    from stdpnet.runs import Run
    from stdpnet.spec.experiment import Experiment
    from stdpnet.training import Job


def train(
    config: ConfigArgument,
    run: Annotated[
        str | None, typer.Option("--run", metavar="NAME_OR_PATH", help="Where to write; default <config>-<seed>.")
    ] = None,
    engine: EngineOption = None,
    seed: SeedOption = None,
    overrides: SetOption = None,
    threads: ThreadsOption = None,
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a network and write a run directory."""
    spec = load(config, overrides, engine, seed)
    from stdpnet import training

    with ExitStack() as stack:
        learner = _learner(stack, spec, scheduler, scheduler_file)
        ticker = _MeterObserver(stack.enter_context(meter("training", spec.training.images)))
        stop = stack.enter_context(SignalCatcher())
        name = Path(config).stem
        result = training.train(spec, run, name=name, threads=threads, observers=[ticker], learner=learner, stop=stop)
    _conclude(result, ticker, as_json)


def resume(
    run: RunArgument,
    images: Annotated[
        int | None,
        typer.Option("--images", min=1, help="New total of training images, counted from the start of the run."),
    ] = None,
    threads: ThreadsOption = None,
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Continue an interrupted run as if it had never stopped, or extend a finished one."""
    from stdpnet.runs import Run

    opened = Run.open(run)
    if images is None and opened.complete:
        _say_complete(opened, as_json)
        return
    from stdpnet import training

    with ExitStack() as stack:
        learner = _learner(stack, opened.spec, scheduler, scheduler_file)
        ticker = _MeterObserver(stack.enter_context(meter("training", images or opened.spec.training.images)))
        stop = stack.enter_context(SignalCatcher())
        result = training.resume(opened, images, threads=threads, observers=[ticker], learner=learner, stop=stop)
    _conclude(result, ticker, as_json)


def _learner(
    stack: ExitStack, spec: Experiment, scheduler: str | None, scheduler_file: str | None
) -> LearnerMaker | None:
    """Return a maker of learners that spread positions over a scheduler's workers; None without a scheduler."""
    if scheduler is None and scheduler_file is None:
        return None
    from stdpnet_analysis.cluster.engine import check_positions, position_parallel
    from stdpnet_analysis.cluster.pool import pool

    check_positions(spec)
    client = stack.enter_context(pool(scheduler, scheduler_file))
    return position_parallel(client)


class _MeterObserver:
    """Observer that updates a progress meter."""

    every = 0

    def __init__(self, progress: Meter) -> None:
        self._meter = progress
        self.images = 0
        self.seconds = 0.0

    def begin(self, job: Job) -> None:
        self._begin, self._first = time.perf_counter(), job.images
        self._counted = job.images
        self._meter.skip(job.images)

    def handle(self, job: Job) -> None:
        self.images, self.seconds = job.images - self._first, time.perf_counter() - self._begin
        notes = [f"{self.images / self.seconds:.0f} images/s", job.learner.note()]
        self._meter.advance(job.images - self._counted, ", ".join(filter(None, notes)))
        self._counted = job.images


def _say_complete(run: Run, as_json: bool) -> None:
    """Say that a finished run is left as it is."""
    reason = run.events()[-1].get("reason")
    if as_json:
        print_json({"run": str(run.path), "images": run.images, "images_per_s": None, "reason": reason})
        return
    print(f"{run.path}: nothing to do, trained on {run.images} images ({reason}); --images N trains on")


def _conclude(run: Run, ticker: _MeterObserver, as_json: bool) -> None:
    """Print how many images were shown, and the next command."""
    last = run.events()[-1]
    if as_json:
        rate = ticker.images / ticker.seconds if ticker.seconds else None
        print_json({"run": str(run.path), "images": last["images"], "images_per_s": rate, "reason": last["reason"]})
        return
    engine = run.spec.computation.get("engine", run.spec.model)
    print(f"{run.path}: trained on {last['images']} images with {engine} ({last['reason']})")
    print(f"next: stdpnet evaluate {run.path}")
