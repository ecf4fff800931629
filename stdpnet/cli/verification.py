"""`stdpnet verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from stdpnet.cli.common import (
    MOST_IMAGES,
    ConfigArgument,
    JsonOption,
    SeedOption,
    SetOption,
    ThreadsOption,
    check_spiking,
    load,
    print_json,
)
from stdpnet.cli.meters import meter


def verify(
    config: ConfigArgument,
    images: Annotated[
        int, typer.Option("--images", min=1, max=MOST_IMAGES, help="Training images to show to both engines.")
    ] = 50,
    seed: SeedOption = None,
    overrides: SetOption = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the Brian2 and the compiled engine on the same images and compare them spike for spike."""
    spec = load(config, overrides, seed=seed)
    check_spiking(spec, "verify")
    from stdpnet.stdp import verification

    with meter("verifying", images) as progress:
        verdict = verification.verify(spec, images, threads=threads, progress=progress.advance)
    if as_json:
        print_json(verdict._asdict())
    else:
        print(verdict.message)
    if not verdict.identical:
        raise typer.Exit(1)
