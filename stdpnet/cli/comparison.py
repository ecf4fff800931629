"""`stdpnet compare`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stdpnet.cli.common import (
    FIGURE_ENDINGS,
    JsonOption,
    ReadoutsOption,
    RunsArgument,
    ScoredSplit,
    SnapshotOption,
    check_new_file,
    open_runs,
    readout_names,
)
from stdpnet.errors import ConfigError

if TYPE_CHECKING:
    from stdpnet_analysis.compare import Comparison


TableFormat = Literal["table", "markdown", "csv", "latex", "json"]


def compare(
    runs: RunsArgument,
    split: Annotated[ScoredSplit, typer.Option("--split", help="The scored split.")] = "test",
    snapshot: SnapshotOption = "last",
    readouts: ReadoutsOption = None,
    form: Annotated[
        TableFormat | None,
        typer.Option("--format", help="Default: by the ending of --output (.md, .csv, .tex, .json), else table."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write the table to a new file.")
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option("--figure", metavar="FILE", help="Draw accuracy against synapses into a new png, pdf or svg."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare runs: accuracy over seeds, size, speed, cost, paired tests; runs that differ in the seed are one row."""
    from stdpnet_analysis import tables
    from stdpnet_analysis.compare import compare as compare_runs

    chosen = "json" if as_json else _form(form, output, tables.ENDINGS)
    check_new_file("--output", output)
    check_new_file("--figure", figure, FIGURE_ENDINGS)
    comparison = compare_runs(open_runs(runs), split, snapshot, readout_names(readouts))
    if not comparison.groups:
        raise ConfigError(*(f"{each.run}: {each.reason}" for each in comparison.left_out))
    if output is not None:
        from stdpnet.runs.files import write_text

        write_text(output, tables.FORMATS[chosen](comparison))
        print(output)
    elif chosen == "table":
        print(tables.as_terminal(comparison, None if sys.stdout.isatty() else tables.WIDTH, sys.stdout.isatty()))
    else:
        print(tables.FORMATS[chosen](comparison), end="")
    if chosen in ("csv", "json") or output is not None:
        for each in comparison.left_out:
            warnings.warn(f"left out: {each.run}: {each.reason}", stacklevel=1)
    if figure is not None:
        _draw(comparison, figure)


def _form(form: TableFormat | None, output: Path | None, endings: dict[str, str]) -> str:
    if form is not None:
        return form
    return "table" if output is None else endings.get(output.suffix, "table")


def _draw(comparison: Comparison, path: Path) -> None:
    from stdpnet_analysis.figures import save, style
    from stdpnet_analysis.figures.comparison import accuracy_vs_synapses

    with style.context():
        save(accuracy_vs_synapses(comparison), path)
    print(path)
