"""`stdpnet report`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stdpnet.cli.common import (
    JsonOption,
    RunsArgument,
    ShownOption,
    SnapshotOption,
    ThreadsOption,
    check_new_file,
    every_run,
    print_json,
    print_json_of_runs,
)
from stdpnet.cli.meters import meter
from stdpnet.errors import ConfigError, RunError

if TYPE_CHECKING:
    from stdpnet.runs import Run


def report(
    runs: RunsArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="A new file; default report.html in the run, or in runs/."),
    ] = None,
    snapshot: SnapshotOption = "last",
    images: ShownOption = 300,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print the summary as text; no figure is drawn, no file is written.")
    ] = False,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained HTML file about runs, finished or not; of several, a comparison comes first."""
    opened = every_run(runs)
    if summary:
        if output is not None:
            raise ConfigError(f"--output {output}: --summary writes no file; leave one of them out")
        _print_summaries(opened, snapshot, as_json)
        return
    check_new_file("--output", output)
    from stdpnet_analysis.report import count_figures, write_report
    from stdpnet_analysis.view import RunView, Settings

    settings = Settings(images=images, threads=threads)
    for each in opened:
        RunView(each, settings, snapshot).check_settings()
    path = output or _usual_place(opened)
    replaced = path.exists()
    with meter("figures", count_figures(opened, settings, snapshot)) as progress:
        write_report(opened, path, settings, snapshot, progress)
    if as_json:
        print_json({"runs": [str(run.path) for run in opened], "file": str(path), "replaced": replaced})
    else:
        print(f"{path}{' (replaces an earlier report)' if replaced else ''}")


def _print_summaries(runs: list[Run], snapshot: str, as_json: bool) -> None:
    from stdpnet_analysis.report.summary import as_text, summaries

    contents = summaries(runs, snapshot=snapshot)
    if as_json:
        print_json_of_runs(contents)
    else:
        print("\n".join(map(as_text, contents)), end="")


def _usual_place(runs: list[Run]) -> Path:
    """Return report.html in the run, or for several in their folder; an earlier report there may be replaced."""
    from stdpnet_analysis.report import is_report

    folder = runs[0].path if len(runs) == 1 else Path(os.path.commonpath([run.path.parent.resolve() for run in runs]))
    path = folder / "report.html"
    if os.path.lexists(path) and not is_report(path):
        raise RunError(f"{path}: is no report of stdpnet and is not overwritten; choose another --output")
    return path
