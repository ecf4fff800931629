"""Draw the reliability of a read-out's probabilities, and its accuracy if the less confident answers are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stdpnet.arrays import Float64s
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.readouts import title_of
from stdpnet_analysis.readouts.scores import wilson_interval
from stdpnet_analysis.view import RunView

Bins = Sequence[Mapping[str, Any]]
"""The bins of a read-out as scores.json holds them: above, images, confidence, accuracy."""


def plot_reliability(axes: Axes, readouts: Mapping[str, Bins]) -> dict[str, Line2D]:
    """Draw the share of right answers against their mean confidence, a point for each bin with its interval (Wilson).

    Returns
    -------
    The lines, by name.
    """
    axes.plot([0, 100], [0, 100], color=style.GREY, linewidth=0.7, linestyle=":")
    drawn = {}
    for number, (name, bins) in enumerate(readouts.items()):
        confidence, accuracy = (100 * np.array([row[key] for row in bins]) for key in ("confidence", "accuracy"))
        (drawn[name],) = axes.plot(confidence, accuracy, **style.line_look(number), linewidth=0.8, label=name)
        ends = [wilson_interval(round(row["accuracy"] * row["images"]), row["images"]) for row in bins]
        low, high = 100 * np.array(ends).T
        axes.vlines(confidence, low, high, color=style.colour(number), linewidth=0.6, alpha=0.6)
    axes.set(xlabel="mean confidence of the answers, %", ylabel="right answers, %", xlim=(0, 100), ylim=(0, 100))
    axes.grid()
    return drawn


def plot_abstention(axes: Axes, readouts: Mapping[str, Bins], images: Mapping[str, int]) -> dict[str, Line2D]:
    """Draw the share of right answers among the more confident ones, against the share of images that are answered.

    Parameters
    ----------
    axes : where to draw
    readouts : name -> bins; answers are given from the most confident bin down
    images : name -> images that were shown

    Returns
    -------
    The lines, by name.
    """
    drawn = {}
    for number, (name, bins) in enumerate(readouts.items()):
        given, right = answers_above(bins)
        (drawn[name],) = axes.plot(
            100 * given / images[name], 100 * right / given, **style.line_look(number), label=name
        )
    axes.set(xlabel="images answered, the most confident first, %", ylabel="right among them, %", xlim=(0, 101))
    axes.grid()
    return drawn


def answers_above(bins: Bins) -> tuple[Float64s, Float64s]:
    """Return the numbers of answers, and of right answers, in the most confident bin, in the two most confident, ..."""
    numbers = np.array([row["images"] for row in bins], np.float64)[::-1]
    right = numbers * np.array([row["accuracy"] for row in bins])[::-1]
    return np.cumsum(numbers), np.cumsum(right)


def _answered(bins: Bins) -> int:
    return sum(row["images"] for row in bins)


def _with_reliability(view: RunView) -> dict[str, Mapping[str, Any]]:
    """Return the scores of the read-outs that have probabilities, by title and expected calibration error."""
    found = {}
    for name, score in view.required_scores["readouts"].items():
        if (reliability := score.get("reliability")) is not None:
            found[f"{title_of(name)}, ECE {reliability['expected_calibration_error']:.1%}"] = score
    return found


def _lacks_probabilities(view: RunView) -> str | None:
    if _with_reliability(view):
        return None
    return f"its scores have no probabilities; `stdpnet evaluate {view.run.path} --readouts log_evidence,linear` does"


def _reliability(view: RunView) -> Figure:
    scores = _with_reliability(view)
    bins = {name: score["reliability"]["bins"] for name, score in scores.items()}
    figure = style.new_figure(style.DOUBLE, 85)
    left, right = figure.subplots(1, 2)
    lines = plot_reliability(left, bins)
    plot_abstention(right, bins, {name: score.get("n", _answered(bins[name])) for name, score in scores.items()})
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=3)
    figure.suptitle(f"{view.label}; {view.required_scores['protocol']['images']} {view.split} images")
    return figure


FIGURES = (
    RunFigure(
        "reliability",
        "right answers against confidence, and against the share of images answered if a user abstains from the rest",
        ("state", "scores"),
        _reliability,
        _lacks_probabilities,
    ),
)
