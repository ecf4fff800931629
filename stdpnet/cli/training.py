"""`stdpnet train` and `stdpnet resume`."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from stdpnet.cli.common import (
    ConfigArgument,
    EngineOption,
    JsonOption,
    RunsArgument,
    SchedulerFileOption,
    SchedulerOption,
    SeedOption,
    SetOption,
    ThreadsOption,
    every_run,
    load,
    print_json_of_runs,
)
from stdpnet.cli.meters import Meter, meter
from stdpnet.cli.signals import SignalCatcher
from stdpnet.errors import ConfigError, RunError
from stdpnet.pace import Pace
from stdpnet.reading import shortened

if TYPE_CHECKING:
    from stdpnet.model import LearnerMaker
    from stdpnet.runs import Run
    from stdpnet.spec.experiment import Experiment
    from stdpnet.training import Job

MOST_SEEDS = 1000
"""Largest number of runs that one command trains."""


def train(
    config: ConfigArgument,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="NAME_OR_PATH", help="Where to write; default <config>-<seed>."),
    ] = None,
    engine: EngineOption = None,
    seed: SeedOption = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds",
            metavar="0-4",
            help="A run for each of these seeds, such as 0-4 or 0,2,7, named <run>-<seed>; the same command goes on.",
        ),
    ] = None,
    overrides: SetOption = None,
    threads: ThreadsOption = None,
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a network, or one for each of several seeds, and write a run directory."""
    name = Path(config).stem
    if seeds is not None:
        from stdpnet.spec.load import refuse_key

        if seed is not None:
            raise ConfigError(f"--seed {seed}: --seeds {seeds} names seeds already; give one of them")
        refuse_key("seed", overrides or [], f"--seeds {shortened(seeds)}")
        spec = load(config, overrides, engine)
        steps: list[_Step | Run] = [_step_of_seed(spec, each, f"{run or name}-{each}") for each in seed_numbers(seeds)]
    else:
        from stdpnet import training

        spec = load(config, overrides, engine, seed)
        steps = [_Step(spec, spec.training.images, partial(training.train, spec, run, name=name))]
    _run_steps(steps, threads, scheduler, scheduler_file, as_json)


def resume(
    runs: RunsArgument,
    images: Annotated[
        int | None,
        typer.Option("--images", min=1, help="New total of training images, counted from the start of the run."),
    ] = None,
    threads: ThreadsOption = None,
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Continue interrupted runs as if they had never stopped, or extend finished ones, one after the other."""
    _run_steps([_step_of_run(run, images) for run in every_run(runs)], threads, scheduler, scheduler_file, as_json)


class _Step(NamedTuple):
    """One training that a command begins or continues."""

    spec: Experiment
    goal: int
    job: Callable[..., Run]
    """Trains, with the keyword arguments of stdpnet.training.train."""


def _step_of_run(run: Run, images: int | None = None) -> _Step | Run:
    """Return the step that continues a run; the run itself if it has ended and has no new goal."""
    if images is None and run.complete:
        return run
    from stdpnet import training

    return _Step(run.spec, images or run.spec.training.images, partial(training.resume, run, images))


def _step_of_seed(spec: Experiment, seed: int, name: str) -> _Step | Run:
    """Return the step that begins the run of a seed, or continues it if it exists.

    Raises
    ------
    RunError
        If another run has its name.
    """
    from stdpnet import training
    from stdpnet.runs import Run, run_path
    from stdpnet.spec.base import Monitoring, differences

    wanted, path = spec.updated({"seed": seed}), run_path(name)
    if not os.path.lexists(path):
        return _Step(wanted, wanted.training.images, partial(training.train, wanted, path))
    run = Run.open(path)
    for key, (old, new) in differences(run.spec, wanted, Monitoring).items():
        raise RunError(f"{path}: was begun with {key} = {old}, not {new}; choose another --run, or remove it")
    return _step_of_run(run)


def seed_numbers(text: str) -> list[int]:
    """Return the seeds of a text such as 0-4 or 0,2,7-9, each once, in their order.

    Raises
    ------
    ConfigError
        If the text has another form, or names too many seeds.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,18})(?:\s*-\s*([0-9]{1,18}))?\s*", part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ConfigError(f"--seeds {shortened(text)}: must look like 0-4 or 0,2,7")
        numbers = range(int(match[1]), int(match[2] or match[1]) + 1)
        if len(numbers) + len(found) > MOST_SEEDS:
            raise ConfigError(f"--seeds {shortened(text)}: names more than {MOST_SEEDS} seeds; choose fewer")
        found |= dict.fromkeys(numbers)
    return list(found)


def _run_steps(
    steps: Sequence[_Step | Run], threads: int | None, scheduler: str | None, scheduler_file: str | None, as_json: bool
) -> None:
    """Run steps one after the other and print the result of each; for a finished run, that there is nothing to do."""
    results = []
    for step in steps:
        if not isinstance(step, _Step):
            results.append(_complete(step, as_json))
            continue
        with ExitStack() as stack:
            learner = _learner(stack, step.spec, scheduler, scheduler_file)
            observer = _MeterObserver(stack.enter_context(meter("training", step.goal)))
            stop = stack.enter_context(SignalCatcher())
            run = step.job(threads=threads, observers=[observer], learner=learner, stop=stop)
        results.append(_concluded(run, observer, as_json))
    if as_json:
        print_json_of_runs(results)
    elif any(isinstance(step, _Step) for step in steps):
        print(f"next: stdpnet evaluate {' '.join(shlex.quote(result['run']) for result in results)}")


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
        self.rate: float | None = None
        """Images per second; chunks of images that something else interrupted count only if there are no others."""

    def begin(self, job: Job) -> None:
        self._begin, self._first = time.perf_counter(), job.images
        self._counted, self._pace = job.images, Pace(job.images, self._begin)
        self._meter.skip(job.images)

    def pause(self, job: Job, what: str) -> None:
        self._pace.pause(what)

    def handle(self, job: Job) -> None:
        now = time.perf_counter()
        notes = [self._pace.words(job.images, now), job.learner.note()]
        self.rate = self._pace.rate(job.images, now) or (job.images - self._first) / (now - self._begin)
        self._meter.advance(job.images - self._counted, ", ".join(filter(None, notes)))
        self._counted = job.images


def _complete(run: Run, quiet: bool) -> dict[str, Any]:
    """Return, and print, that a finished run is left as it is."""
    reason = run.events()[-1].get("reason")
    if not quiet:
        print(f"{run.path}: nothing to do, trained on {run.images} images ({reason}); --images N trains on")
    return {"run": str(run.path), "images": run.images, "images_per_s": None, "reason": reason}


def _concluded(run: Run, observer: _MeterObserver, quiet: bool) -> dict[str, Any]:
    """Return, and print, how many images were shown."""
    last = run.events()[-1]
    if not quiet:
        engine = run.spec.computation.get("engine", run.spec.model)
        print(f"{run.path}: trained on {last['images']} images with {engine} ({last['reason']})")
    return {"run": str(run.path), "images": last["images"], "images_per_s": observer.rate, "reason": last["reason"]}
