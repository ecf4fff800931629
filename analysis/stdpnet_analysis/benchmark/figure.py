"""Draw the figure of `stdpnet benchmark --grow`: time per image against each quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from stdpnet_analysis.figures import save, style

LABELS = {
    "channels": "channels $C$",
    "kernel": "kernel side $k$, pixels",
    "duration": "duration of an image, ms",
    "rate": "rate of a white pixel, Hz",
    "threads": "threads",
}
CURVES = {
    "train": ("training", style.colour(0), "o-"),
    "inference": ("inference", style.colour(1), "s-"),
    "add_loop": ("add loop, one thread", "black", ":"),
}
"""Label, colour and line of each kind of time."""
COLUMNS = 3


def plot_growth(fig: Figure, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw the time per image against each quantity of the rows of `benchmark.growth`, on logarithmic axes.

    Parameters
    ----------
    fig : where to draw; in rows of three panels, each about 2.3 inches wide and as high
    rows : what was measured
    """
    names = list(dict.fromkeys(row["quantity"] for row in rows))
    columns = min(len(names), COLUMNS)
    first: Axes | None = None
    for number, name in enumerate(names, start=1):
        panel = fig.add_subplot(-(-len(names) // columns), columns, number, sharey=first)
        first = first or panel
        _draw(panel, sorted((row for row in rows if row["quantity"] == name), key=lambda row: row["value"]))
        if number % columns == 1 or columns == 1:
            panel.set_ylabel("time per image, µs")
        else:
            panel.tick_params(labelleft=False)
    assert first is not None, "there is at least one row"
    handles, labels = first.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=len(CURVES))


def _draw(panel: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw one quantity; its values are the ticks."""
    values = [row["value"] for row in rows]
    for kind, (label, colour, line) in CURVES.items():
        times = [row[f"{kind}_microseconds_per_image"] for row in rows]
        panel.plot(values, times, line, color=colour, label=label)
    panel.set(xscale="log", yscale="log")
    panel.set_xticks(values)
    panel.set_xlabel(LABELS[rows[0]["quantity"]])
    panel.grid(which="both")
    panel.xaxis.set_major_formatter("{x:g}")
    panel.xaxis.set_minor_locator(NullLocator())


def save_growth(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the figure of plot_growth to a .pdf, .png or .svg file."""
    quantities = len({row["quantity"] for row in rows})
    with style.context():
        figure = style.new_figure(8 + 55 * max(2, min(quantities, COLUMNS)), 10 + 52 * -(-quantities // COLUMNS))
        plot_growth(figure, rows)
    save(figure, path)
