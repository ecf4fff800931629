"""`stdpnet compare`."""

from __future__ import annotations

import glob
import os
import sys
import warnings
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stdpnet.cli.common import JsonOption, RunsArgument
from stdpnet.cli.evaluation import ScoredSplit
from stdpnet.errors import ConfigError, RunError, StdpnetError

if TYPE_CHECKING:
    from stdpnet.runs import Run
    from stdpnet_analysis.compare import Comparison, LeftOut


class TableFormat(StrEnum):
    """Formats of a table."""

    table = "table"
    markdown = "markdown"
    csv = "csv"
    latex = "latex"
    json = "json"


def compare(
    runs: RunsArgument,
    split: Annotated[ScoredSplit, typer.Option("--split", help="The scored split.")] = ScoredSplit.test,
    snapshot: Annotated[str, typer.Option("--snapshot", help="last, or best: the best by validation.")] = "last",
    form: Annotated[
        TableFormat | None,
        typer.Option("--format", help="Default as --output ends (.md, .csv, .tex, .json), else table."),
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
    for path in (output, figure):
        refuse_existing(path)
    if figure is not None:
        _check_ending(figure)
    comparison = compare_runs(open_runs(runs), split.value, snapshot)
    if not comparison.groups:
        raise RunError("; ".join(f"{each.run}: {each.reason}" for each in comparison.left_out))
    if output is not None:
        write_new(output, tables.FORMATS[chosen](comparison))
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


def open_runs(names: Sequence[str]) -> list[Run | LeftOut]:
    """Return the runs of names, paths, patterns such as 'runs/lcsnn-*' and folders of runs, each once."""
    from stdpnet.runs import Run
    from stdpnet_analysis.compare import LeftOut

    found: dict[str, Run | LeftOut] = {}
    for path in (path for name in names for path in _paths(name)):
        key = os.path.realpath(path)
        if key not in found:
            try:
                found[key] = Run.open(path)
            except StdpnetError as error:
                found[key] = LeftOut(str(path), str(error).removeprefix(f"{path}: "))
    return list(found.values())


def _paths(name: str) -> list[Path]:
    """Return the paths that a name, a pattern or a folder of runs stands for."""
    from stdpnet.runs import run_path

    path = run_path(name)
    if not os.path.lexists(path) and os.path.isdir(name):
        path = Path(name)  # a folder of runs, such as runs, is no run below runs/
    if os.path.lexists(path):
        inside = sorted(each.parent for each in path.glob("*/config.toml")) if path.is_dir() else []
        return [path] if (path / "config.toml").is_file() or not inside else inside
    if not glob.has_magic(name):
        return [path]
    matches = sorted(Path(each) for each in glob.glob(str(path)))
    if not matches:
        raise RunError(f"{name}: no run matches; `stdpnet runs` lists them")
    return [match for match in matches if match.is_dir()]


def _form(form: TableFormat | None, output: Path | None, endings: dict[str, str]) -> str:
    if form is not None:
        return form.value
    return "table" if output is None else endings.get(output.suffix, "table")


def refuse_existing(path: Path | None) -> None:
    """Raise ConfigError if there is a file already where one is to be written, or no folder for it."""
    if path is None:
        return
    if os.path.lexists(path):
        raise ConfigError(f"{path}: exists already and is not overwritten; choose another name, or remove it")
    if not os.path.isdir(path.parent):
        raise ConfigError(f"{path}: the folder {path.parent} does not exist; make it, or choose another")


def write_new(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    from stdpnet.runs.files import write_text

    write_text(path, text)


def _check_ending(path: Path) -> None:
    from stdpnet_analysis.figures import FORMATS

    if path.suffix[1:] not in FORMATS:
        raise ConfigError(f"{path}: '{path.suffix[1:]}' is unknown; choose among {', '.join(FORMATS)}")


def _draw(comparison: Comparison, path: Path) -> None:
    from stdpnet_analysis.figures import save, style
    from stdpnet_analysis.figures.comparison import accuracy_vs_synapses

    with style.context():
        save(accuracy_vs_synapses(comparison), path)
    print(path)
