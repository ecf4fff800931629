"""`stdpnet export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stdpnet.cli.common import RunArgument, SnapshotOption, ThreadsOption, check_new_file
from stdpnet.cli.meters import meter


def export(
    run: RunArgument,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A new file: .npz for the trained numbers, .h5 for spikes (SONATA), .nir for the network (NIR).",
        ),
    ],
    images: Annotated[
        int, typer.Option("--images", min=1, help="Test images whose spikes are written to an .h5 file.")
    ] = 10,
    snapshot: SnapshotOption = "last",
    threads: ThreadsOption = None,
) -> None:
    """Write a trained network for other software: weights as .npz, spike times as SONATA, the network itself as NIR."""
    from stdpnet.runs import Run

    check_new_file("FILE", file, [".npz", ".h5", ".nir"])
    opened = Run.open(run)
    from stdpnet_analysis import export as of_runs

    if file.suffix == ".npz":
        shapes = of_runs.export_npz(opened, file, snapshot)
        print(f"{file}: {', '.join(f'{name} {shape}' for name, shape in shapes.items())}")
        return
    if file.suffix == ".nir":
        parts = of_runs.export_nir(opened, file, snapshot)
        print("\n".join([f"{file}:", *(f"  {part.label:11}  {name}: {part.note}" for name, part in parts.items())]))
        return
    with meter() as progress:
        found = of_runs.export_sonata(opened, file, images, snapshot=snapshot, threads=threads, progress=progress)
    print(f"{file}: {', '.join(f'{count} spikes of {name}' for name, count in found.items())}")
