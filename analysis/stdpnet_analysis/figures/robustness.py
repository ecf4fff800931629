"""Draw accuracy against the strength of distortions, or against the value of another key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.readouts import title_of
from stdpnet_analysis.robustness import ROBUSTNESS, UNITS
from stdpnet_analysis.robustness_curves import PIXELS, Curve, curves
from stdpnet_analysis.view import RunView

COLUMNS = 3
"""Panels in a row."""


def plot_curves(axes: Axes, lines: Sequence[Curve], looks: Mapping[str, Any]) -> dict[str, Line2D]:
    """Draw accuracy against strength, a band for the interval of each; return the lines by name.

    Parameters
    ----------
    axes : where to draw; strengths that are no numbers stand side by side
    lines : the curves
    looks : name of a curve (`name_of`) -> colour, line and marker
    """
    drawn = {}
    for line in lines:
        strengths = [point.strength for point in line.points]
        numeric = all(isinstance(strength, (int, float)) and not isinstance(strength, bool) for strength in strengths)
        x: Any = strengths if numeric else [str(strength) for strength in strengths]
        name, look = name_of(line), looks[name_of(line)]
        mean, low, high = (np.array([100 * value for value in values]) for values in (
            [point.mean for point in line.points], *zip(*(point.interval for point in line.points), strict=True)
        ))  # fmt: skip
        (drawn[name],) = axes.plot(x, mean, label=name, **look)
        axes.fill_between(x, low, high, color=look["color"], alpha=0.15, linewidth=0)
        if numeric and min(strengths) > 0 and max(strengths) > 20 * min(strengths):
            axes.set_xscale("log")
    axes.set_ylim(0, 100)
    axes.grid()
    return drawn


def name_of(line: Curve) -> str:
    """Return the name of a curve in a legend."""
    if line.group == PIXELS:
        return f"{title_of(line.column)} of the pixels"
    return f"{line.group}, {title_of(line.column)}"


def robustness_figure(found: Mapping[str, Sequence[Curve]]) -> Figure:
    """Return the figure of accuracy against strength, a panel for each series."""
    names = list(dict.fromkeys(name_of(line) for lines in found.values() for line in lines))
    looks = {
        name: style.PIXELS_LOOK if name.endswith("of the pixels") else style.line_look(number)
        for number, name in enumerate(names)
    }
    rows, columns = -(-len(found) // COLUMNS), min(len(found), COLUMNS)
    figure = style.new_figure((style.SINGLE, 130, style.DOUBLE)[columns - 1], 55 * rows + 4 * len(names) + 10)
    panels = style.new_panels(figure, len(found), columns, sharey=True)
    lines: dict[str, Line2D] = {}
    for axes, (series, curves_) in zip(panels, found.items(), strict=True):
        lines |= plot_curves(axes, curves_, looks)
        axes.set(title=series, xlabel=UNITS.get(series, series))
    for axes in panels[::columns]:
        axes.set_ylabel("accuracy, %")
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=min(columns, 2))
    return figure


def _robustness(view: RunView) -> Figure:
    split, results = ROBUSTNESS.of(view)
    figure = robustness_figure(curves([view.run], [results]))
    figure.suptitle(f"{view.label}; {results['protocol'].get('images', '?')} {split} images")
    return figure


FIGURES = (
    RunFigure(
        "robustness",
        "accuracy on distorted images against the strength of the distortion, with 95 % intervals",
        ("state",),
        _robustness,
        ROBUSTNESS.lacks,
    ),
)
