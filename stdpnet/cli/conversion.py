"""`stdpnet conversion`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stdpnet.cli.common import (
    JsonOption,
    RunArgument,
    ScoredSplit,
    SnapshotOption,
    ThreadsOption,
    print_json,
    print_table,
)
from stdpnet.cli.meters import meter
from stdpnet.errors import ConfigError


def conversion(
    run: RunArgument,
    split: Annotated[ScoredSplit, typer.Option("--split", help="The scored images.")] = "test",
    dts: Annotated[
        str, typer.Option("--dt", metavar="S,S,...", help="Time steps in seconds, in this order.")
    ] = "0.001,0.01,0.1,1",
    stop: Annotated[
        bool, typer.Option("--stop", help="End at the first time step that beats the units without spikes.")
    ] = False,
    training: Annotated[
        bool, typer.Option("--training/--no-training", help="Also score the training images, in columns of their own.")
    ] = True,
    snapshot: SnapshotOption = "last",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a rate-conversion network without spikes, and with spikes at several time steps."""
    from stdpnet.runs import Run

    chosen = _numbers(dts)
    opened = Run.open(run)
    from stdpnet_analysis import conversion as of_runs

    with meter() as progress:
        result = of_runs.conversion(
            opened,
            split,
            dts=chosen,
            stop=stop,
            training=training,
            snapshot=snapshot,
            threads=threads,
            progress=progress,
        )
    if as_json:
        print_json({"run": str(opened.path), **result})
    else:
        _print(str(opened.path), result)


def _numbers(text: str) -> list[float]:
    """Return the numbers of a list such as 0.001,0.01."""
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ConfigError(f"--dt {text}: must look like 0.001,0.01,0.1,1") from None


def _print(title: str, result: dict[str, Any]) -> None:
    """Print a table: the units without spikes, then a row for each time step."""
    from rich.table import Table

    from stdpnet_analysis.text import score_cell

    protocol = result["protocol"]
    parts = [name for name in (protocol["split"], "training") if name in result["rate"]]
    table = Table(
        title=f"{title}: {protocol['images']} {protocol['split']} images of {protocol['dataset']}, "
        f"{protocol['steps']} steps",
        caption="accuracy in %, in brackets its 95 % interval (Wilson); rates over images and hidden units",
    )
    table.add_column("time step, s")
    for part in parts:
        table.add_column(f"{part} accuracy", justify="right")
        table.add_column(f"{part} loss", justify="right")
    table.add_column("rates, Hz: min, mean, max", justify="right")
    for name, row in [("no spikes", result["rate"]), *((f"{row['dt']:g}", row["images"]) for row in result["spiking"])]:
        cells = [cell for part in parts for cell in (score_cell(row[part]), f"{row[part]['loss']:.3f}")]
        rates = row[protocol["split"]].get("rates")
        shown = "–" if rates is None else f"{rates['min']:.3g}, {rates['mean']:.3g}, {rates['max']:.3g}"
        table.add_row(name, *cells, shown)
    print_table(table, 160)
    beats = result["stops_at"]
    print(
        "no time step beats the units without spikes"
        if beats is None
        else f"the first time step that beats the units without spikes: {beats:g} s"
    )
