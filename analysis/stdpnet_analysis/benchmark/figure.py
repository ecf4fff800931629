"""The figure of `stdpnet benchmark --grow`: time per image against each quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from stdpnet.errors import RunError

LABELS = {
    "channels": "channels $C$",
    "kernel": "kernel side $k$, pixels",
    "duration": "duration of an image, ms",
    "rate": "rate of a white pixel, Hz",
    "threads": "threads",
}
CURVES = {
    "train": ("training", "#0072B2", "o-"),
    "inference": ("inference", "#D55E00", "s-"),
    "add_loop": ("add loop, one thread", "#000000", ":"),
}
"""Label, colour (Okabe and Ito's) and style of each kind of time."""
COLUMNS, FONT = 3, 8


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
            panel.set_ylabel("time per image, µs", fontsize=FONT)
        else:
            panel.tick_params(labelleft=False)
    assert first is not None, "there is at least one row"
    handles, labels = first.get_legend_handles_labels()
    fig.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=len(CURVES),
        frameon=False,
        fontsize=FONT,
        columnspacing=1,
        handlelength=1.6,
    )


def _draw(panel: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw one quantity; its values are the ticks."""
    values = [row["value"] for row in rows]
    for kind, (label, colour, style) in CURVES.items():
        times = [row[f"{kind}_microseconds_per_image"] for row in rows]
        panel.plot(values, times, style, color=colour, label=label, linewidth=1.3, markersize=4)
    panel.set(xscale="log", yscale="log")
    panel.set_xticks(values)
    panel.set_xlabel(LABELS[rows[0]["quantity"]], fontsize=FONT)
    panel.tick_params(labelsize=FONT)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.25, which="both", linewidth=0.5)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.xaxis.set_minor_locator(NullLocator())


def save_growth(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the figure of plot_growth to a new .pdf, .png or .svg file."""
    quantities = len({row["quantity"] for row in rows})
    height = 0.3 + 2.2 * -(-quantities // COLUMNS)
    fig = Figure(figsize=(max(3.5, 0.4 + 2.2 * min(quantities, COLUMNS)), height), layout="constrained")
    plot_growth(fig, rows)
    try:
        with path.open("xb") as file:
            fig.savefig(file, format=path.suffix[1:].lower(), dpi=200)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}); choose another --figure") from None
