"""`stdpnet labels`."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from stdpnet.cli.common import (
    AtOption,
    BaselinesOption,
    JsonOption,
    ReadoutsOption,
    RunArgument,
    ScoredSplit,
    SnapshotOption,
    ThreadsOption,
    operating_point,
    print_json,
    print_table,
    readout_names,
)
from stdpnet.cli.meters import meter
from stdpnet.errors import ConfigError
from stdpnet.reading import shortened


def labels(
    run: RunArgument,
    split: Annotated[
        ScoredSplit, typer.Option("--split", help="validation; test only for a final figure.")
    ] = "validation",
    sizes: Annotated[
        str | None, typer.Option("--sizes", metavar="N,N,...", help="Numbers of labels; default 10, 20, 50, ... all.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=1, help="Sets of labels that are drawn of each number.")] = 10,
    readouts: ReadoutsOption = None,
    baselines: BaselinesOption = True,
    snapshot: SnapshotOption = "last",
    at: AtOption = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many labels a run needs: the accuracy of read-outs calibrated on 10 to all calibration images."""
    chosen = None if sizes is None else _numbers(sizes)
    from stdpnet.runs import Run

    opened = Run.open(run)
    from stdpnet_analysis.labels import label_curve

    with meter() as progress:
        result = label_curve(
            opened,
            split,
            sizes=chosen,
            draws=draws,
            readouts=readout_names(readouts),
            baselines=baselines,
            snapshot=snapshot,
            at=operating_point(at),
            threads=threads,
            progress=progress,
        )
    if as_json:
        print_json({"run": str(opened.path), **result})
    else:
        _print_curves(str(opened.path), result)


def _numbers(text: str) -> list[int]:
    """Return the numbers of a list such as 10,100."""
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch("[0-9]{1,9}", part) for part in parts):
        raise ConfigError(f"--sizes {shortened(text)}: must look like 10,100,1000")
    return [int(part) for part in parts]


def _print_curves(title: str, result: dict[str, Any]) -> None:
    """Print a table: a row for each read-out of the trained and the untrained network and of the pixels."""
    from rich.table import Table

    from stdpnet_analysis.statistics import Summary
    from stdpnet_analysis.text import percent

    protocol = result["protocol"]
    table = Table(
        title=f"{title}: accuracy on {protocol['images']} {protocol['split']} images by number of labels, %",
        caption=f"mean ± sample standard deviation of {protocol['draws']} draws of labels",
    )
    numbers = [point["labels"] for point in next(iter(result["trained"].values()))]
    table.add_column("read-out")
    for number in numbers:
        table.add_column(str(number), justify="right")
    for part, prefix in (("trained", ""), ("untrained", "untrained, "), ("pixels", "pixels, ")):
        for name, points in result.get(part, {}).items():
            cells = (percent(Summary(point["mean"], point["sd"], 0)) for point in points)
            table.add_row(f"{prefix}{name}", *cells)
        table.add_section()
    print_table(table, 200)
    print(f"`stdpnet figures {title} labels-needed` draws it")
