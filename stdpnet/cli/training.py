"""`stdpnet train` and `stdpnet resume`."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from stdpnet.runs import Run
    from stdpnet.stdp.spec.experiment import ExperimentSpec
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
        spread = _spread(stack, spec, scheduler, scheduler_file)
        ticker = _Ticker(stack.enter_context(meter("training", spec.training.images)))
        name = Path(config).stem
        result = training.train(spec, run, name=name, threads=threads, observers=[ticker], **spread)
    _conclude(result, ticker, as_json)


def resume(
    run: RunArgument,
    images: Annotated[
        int | None, typer.Option("--images", min=1, help="New goal, in training images from the beginning.")
    ] = None,
    threads: ThreadsOption = None,
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with an interrupted run as if it had never stopped, or extend a finished one."""
    from stdpnet.runs import Run

    opened = Run.open(run)
    if images is None and opened.complete:
        _say_complete(opened, as_json)
        return
    from stdpnet import training

    with ExitStack() as stack:
        spread = _spread(stack, opened.spec, scheduler, scheduler_file)
        ticker = _Ticker(stack.enter_context(meter("training", images or opened.spec.training.images)))
        result = training.resume(opened, images, threads=threads, observers=[ticker], **spread)
    _conclude(result, ticker, as_json)


def _spread(
    stack: ExitStack, spec: ExperimentSpec, scheduler: str | None, scheduler_file: str | None
) -> dict[str, Any]:
    """Return what makes a job spread its positions over a scheduler's workers; nothing where none is named."""
    if scheduler is None and scheduler_file is None:
        return {}
    from stdpnet_analysis.cluster.engine import CLUSTER_CHUNK, check_positions, position_parallel
    from stdpnet_analysis.cluster.pool import pool

    check_positions(spec)
    client = stack.enter_context(pool(scheduler, scheduler_file))
    return {"make": position_parallel(client), "chunk": CLUSTER_CHUNK}


class _Ticker:
    """Moves a meter while a job goes on."""

    every = 0

    def __init__(self, progress: Meter) -> None:
        self._meter = progress
        self.images = 0
        self.seconds = 0.0

    def begin(self, job: Job) -> None:
        self._begin, self._first = time.perf_counter(), job.state.images
        self._counted = job.state.images
        self._meter.skip(job.state.images)

    def handle(self, job: Job) -> None:
        state = job.state
        self.images, self.seconds = state.images - self._first, time.perf_counter() - self._begin
        interval = state.interval
        note = f"{self.images / self.seconds:.0f} images/s"
        if interval.presentations:
            note += f", {interval.counts.sum() / interval.presentations:.1f} spikes/image"
        self._meter.advance(state.images - self._counted, note)
        self._counted = state.images


def _say_complete(run: Run, as_json: bool) -> None:
    """Say that a finished run is left as it is."""
    reason = run.events()[-1]["reason"]
    if as_json:
        print_json({"run": str(run.path), "images": run.images, "images_per_s": None, "reason": reason})
        return
    print(f"{run.path}: nothing to do, trained on {run.images} images ({reason}); --images N trains on")


def _conclude(run: Run, ticker: _Ticker, as_json: bool) -> None:
    """Say what was done and what comes next."""
    last = run.events()[-1]
    if as_json:
        rate = ticker.images / ticker.seconds if ticker.seconds else None
        print_json({"run": str(run.path), "images": last["images"], "images_per_s": rate, "reason": last["reason"]})
        return
    print(f"{run.path}: trained on {last['images']} images with {run.spec.simulation.engine} ({last['reason']})")
    print(f"next: stdpnet evaluate {run.path}")
