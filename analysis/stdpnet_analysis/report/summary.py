"""Write the summaries of runs as plain data and as text, without figures and HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stdpnet.reading import visible
from stdpnet.runs import Run
from stdpnet_analysis.report.content import summary_of
from stdpnet_analysis.view import RunView, Settings


def summaries(runs: Sequence[Run], settings: Settings | None = None, snapshot: str = "last") -> list[dict[str, Any]]:
    """Return the text and numbers of each run's chapter as plain data for JSON; no figure is drawn."""
    return [summary_of(RunView(run, settings, snapshot)) for run in runs]


def as_text(summary: Mapping[str, Any]) -> str:
    """Return the summary of a run as lines of text."""
    health, table = summary["health"], summary["scores"]
    lines = [f"{summary['path']}: {summary['sentence']}", "", *_pairs(summary["facts"])]
    if table is not None:
        lines += ["", *_table(["read-out", *table["headings"]], table["rows"])]
    lines += ["", f"health: {health['verdict']}", *(f"  {finding}" for finding in health["findings"])]
    lines += ["", "differs from the defaults:", *_pairs({key: value for key, value, _ in summary["changed"]})]
    lines += ["", "again:", *(f"  {command}" for command in summary["commands"])]
    return "\n".join(map(visible, lines)) + "\n"


def _pairs(values: Mapping[str, str]) -> list[str]:
    width = max(map(len, values), default=0)
    return [f"  {name:{width}}  {value}" for name, value in values.items()]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines, the first column on the left, the others on the right."""
    complete = [headings, *rows]
    widths = [max(len(row[column]) for row in complete) for column in range(len(headings))]
    return [
        f"  {row[0]:{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in complete
    ]
