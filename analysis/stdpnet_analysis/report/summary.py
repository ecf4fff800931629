"""The text of a report, without figures and without HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stdpnet.reading import visible
from stdpnet.runs import Run
from stdpnet_analysis.report.content import summary_of
from stdpnet_analysis.view import RunView, Settings


def summaries(runs: Sequence[Run], settings: Settings | None = None, snapshot: str = "last") -> list[dict[str, Any]]:
    """Return what a report says of each run, as plain data that can be written as JSON: no figure is drawn."""
    return [summary_of(RunView(run, settings, snapshot)) for run in runs]


def as_text(said: Mapping[str, Any]) -> str:
    """Return the summary of a run as lines of text."""
    health, table = said["health"], said["scores"]
    lines = [f"{said['path']}: {said['sentence']}", "", *_pairs(said["facts"])]
    if table is not None:
        lines += ["", *_table(["read-out", *table["headings"]], table["rows"])]
    lines += ["", f"health: {health['verdict']}", *(f"  {finding}" for finding in health["findings"])]
    lines += ["", "differs from the defaults:", *_pairs({key: value for key, value, _ in said["changed"]})]
    lines += ["", "again:", *(f"  {command}" for command in said["commands"])]
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
