"""Draw the accuracy of read-outs against the number of calibration labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatter

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.labels import LABELS
from stdpnet_analysis.readouts import ROLES, names_of, title_of
from stdpnet_analysis.view import RunView

Curve = Sequence[Mapping[str, Any]]
"""Points of a read-out as labels.json holds them: labels, mean, sd, interval, accuracy."""


def plot_label_curves(axes: Axes, curves: Mapping[str, Curve], looks: Mapping[str, Any]) -> dict[str, Line2D]:
    """Draw accuracy against the number of labels, a band of one standard deviation over draws; return the lines.

    Parameters
    ----------
    axes : where to draw
    curves : name -> points
    looks : name -> colour, line and marker
    """
    drawn = {}
    for name, points in curves.items():
        labels, mean = (np.array([point[key] for point in points]) for key in ("labels", "mean"))
        sd = np.array([point["sd"] or 0.0 for point in points])
        (drawn[name],) = axes.plot(labels, 100 * mean, label=name, **looks[name])
        axes.fill_between(
            labels, 100 * (mean - sd), 100 * (mean + sd), color=looks[name]["color"], alpha=0.15, linewidth=0
        )
    axes.set(xscale="log", xlabel="calibration labels")
    axes.xaxis.set_major_formatter(LogFormatter())
    axes.grid()
    return drawn


def by_column(readouts: Mapping[str, Curve]) -> dict[str, Curve]:
    """Return the curve of each column: of `vote`, at each number of labels the best of its rules."""
    found: dict[str, Curve] = {}
    for column in ROLES:
        curves = [readouts[name] for name in names_of(column) if name in readouts]
        if curves:
            found[column] = [max(points, key=lambda point: point["mean"]) for points in zip(*curves, strict=True)]
    return found


def _labels_needed(view: RunView) -> Figure:
    split, results = LABELS.of(view)
    panels = {name: by_column(results[name]) for name in ("trained", "untrained") if name in results}
    pixels = results.get("pixels", {}).get("linear")
    looks = {column: style.line_look(number) for number, column in enumerate(panels["trained"])}
    looks["pixels"] = style.PIXELS_LOOK
    figure = style.new_figure(style.DOUBLE if len(panels) > 1 else 110, 92)
    lines: dict[str, Line2D] = {}
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, curves) in zip(row, panels.items(), strict=True):
        lines |= plot_label_curves(axes, curves | ({"pixels": pixels} if pixels else {}), looks)
        axes.set_title(name)
    row[0].set_ylabel("accuracy, %")
    names = ["linear read-out of the pixels" if name == "pixels" else title_of(name) for name in lines]
    figure.legend(list(lines.values()), names, loc="outside lower center", ncols=4)
    protocol = results["protocol"]
    figure.suptitle(
        f"{view.label}; {protocol.get('images', '?')} {split} images, mean ± sd of {protocol['draws']} draws"
    )
    return figure


FIGURES = (
    RunFigure(
        "labels-needed",
        "accuracy against the number of calibration labels, beside the untrained network and the pixels",
        ("state",),
        _labels_needed,
        LABELS.lacks,
    ),
)
