"""`stdpnet train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stdpnet.cli.common import (
    ConfigArgument,
    EngineOption,
    JsonOption,
    SeedOption,
    SetOption,
    ThreadsOption,
    load,
    meter,
    print_json,
)

if TYPE_CHECKING:
    from stdpnet.training import Progress


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
        seconds = 0.0
        done = 0

        def observe(chunk: Progress) -> None:
            nonlocal seconds, done
            seconds, done = seconds + chunk.seconds, done + chunk.chunk
            shown = chunk.chunk + chunk.retries
            progress.advance(chunk.chunk, f"{done / seconds:.0f} images/s, {chunk.spikes / shown:.1f} spikes/image")

        result = training.train(spec, run, name=Path(config).stem, threads=threads, observers=[observe])
    if as_json:
        rate = done / seconds if seconds else None
        print_json({"run": str(result.path), "images": done, "images_per_s": rate})
    else:
        print(f"{result.path}: trained on {done} images with {spec.simulation.engine}")
        print(f"next: stdpnet evaluate {result.path}")
