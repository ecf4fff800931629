"""Write one self-contained HTML file about one or several runs: it has no script and loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stdpnet.errors import RunError
from stdpnet.extras import require
from stdpnet.reading import open_regular
from stdpnet.runs import Run
from stdpnet.runs.files import write_text
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.report.content import chapter, planned_figures
from stdpnet_analysis.report.overview import overview
from stdpnet_analysis.view import RunView, Settings

MARK = '<meta name="generator" content="stdpnet report">'
"""Marks a file as a report, which a newer one may replace."""


def write_report(
    runs: Sequence[Run],
    path: Path,
    settings: Settings | None = None,
    snapshot: str = "last",
    progress: Progress = SILENT,
) -> Path:
    """Write a report; where a run lacks something, the report names the command that makes it.

    Parameters
    ----------
    runs : the runs; if there are several, the report begins with a comparison
    path : the file, which appears whole or not at all
    settings : which images and neurons the figures show, and how many threads may compute
    snapshot : which state of the runs is shown, as for `evaluate`
    progress : advances by 1 with each figure, whose name is the note

    Raises
    ------
    ExtraError
        If the extra "report" is not installed.
    """
    require("report")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    chapters: list[dict[str, Any]] = []
    for run in runs:
        view = RunView(run, settings, snapshot)
        chapters.append(chapter(view, f"run{len(chapters)}", progress))
    content: dict[str, Any] = {"chapters": chapters, "overview": None, "mark": MARK}
    if len(runs) > 1:
        content["overview"] = overview(runs, settings, snapshot, progress)
    environment = Environment(
        loader=PackageLoader("stdpnet_analysis.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    write_text(path, environment.get_template("template.html").render(content))
    return path


def count_figures(runs: Sequence[Run], settings: Settings | None = None, snapshot: str = "last") -> int:
    """Return how many figures a report of these runs has at most."""
    of_runs = sum(len(planned_figures(RunView(run, settings, snapshot))) for run in runs)
    return of_runs + (2 if len(runs) > 1 else 0)


def is_report(path: Path) -> bool:
    """Return whether a file is a report that `write_report` wrote."""
    try:
        with open_regular(path) as file:
            return MARK.encode() in file.read(4000)
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}); choose another --output") from None
