"""`stdpnet train` and `stdpnet resume`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stdpnet.cli.common import (
    ConfigArgument,
    EngineOption,
    JsonOption,
    Meter,
    RunArgument,
    SeedOption,
    SetOption,
    ThreadsOption,
    load,
    meter,
    print_json,
)

if TYPE_CHECKING:
    from stdpnet.runs import Run
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
    as_json: JsonOption = False,
) -> None:
    """Train a network and write a run directory."""
    spec = load(config, overrides, engine, seed)
    from stdpnet import training

    with meter("training", spec.training.images) as progress:
        ticker = _Ticker(progress)
        result = training.train(spec, run, name=Path(config).stem, threads=threads, observers=[ticker])
    _conclude(result, ticker, as_json)


def resume(
    run: RunArgument,
    images: Annotated[
        int | None, typer.Option("--images", min=1, help="New goal, in training images from the beginning.")
    ] = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with an interrupted run as if it had never stopped, or extend a finished one."""
    from stdpnet.runs import Run

    opened = Run.open(run)
    from stdpnet import training

    with meter("training", images or opened.spec.training.images) as progress:
        ticker = _Ticker(progress)
        result = training.resume(opened, images, threads=threads, observers=[ticker])
    _conclude(result, ticker, as_json)


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


def _conclude(run: Run, ticker: _Ticker, as_json: bool) -> None:
    """Say what was done and what comes next."""
    last = run.events()[-1]
    if as_json:
        rate = ticker.images / ticker.seconds if ticker.seconds else None
        print_json({"run": str(run.path), "images": last["images"], "images_per_s": rate, "reason": last["reason"]})
        return
    print(f"{run.path}: trained on {last['images']} images with {run.spec.simulation.engine} ({last['reason']})")
    print(f"next: stdpnet evaluate {run.path}")
