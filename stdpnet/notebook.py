"""HTML tables with which a notebook displays objects."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from numpy.typing import NDArray

Row = tuple[str, Any] | tuple[str, Any, str]
"""A name, its value, and perhaps an explanation that is shown below the mouse pointer."""


def table(title: str, rows: Iterable[Row], more: tuple[str, Iterable[Row]] | None = None) -> str:
    """Return names and values as an HTML table; all text is escaped.

    Parameters
    ----------
    title : heading of the table
    rows : names and values
    more : a summary, and further rows that are shown when it is clicked
    """
    shown = f"<table><caption><b>{escape(title)}</b></caption>{_body(rows)}</table>"
    if more is not None:
        shown += f"<details><summary>{escape(more[0])}</summary><table>{_body(more[1])}</table></details>"
    return shown


def described(array: NDArray[Any]) -> str:
    """Return shape, type and range of an array's values in a few words."""
    if not array.size:
        return f"{array.shape} {array.dtype}"
    values = f"{array.min():.4g} to {array.max():.4g}, mean {array.mean():.4g}" if array.ndim else f"{array[()]:.4g}"
    return f"{array.shape} {array.dtype}: {values}"


def _body(rows: Iterable[Row]) -> str:
    left = 'style="text-align: left"'
    return "".join(
        f'<tr title="{escape(" ".join(explanation))}"><th {left}>{escape(name)}</th>'
        f"<td {left}>{escape(str(value))}</td></tr>"
        for name, value, *explanation in rows
    )
