"""Draw the rows of progress of a training: for networks with STDP chosen numbers, for other models all numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.view import RunView

MOST_PANELS = 8
"""Most panels of a model that is not a network with STDP."""
COUNTERS = ("images", "goal", "interval_images", "presentations", "updates")
"""Numbers of a row that are not drawn, because they only say how far the training is."""
LABELS = {
    "images_per_s": ("images per second", 1),
    "silent_images": ("silent images, %", 100),
    "dead_units": ("dead units, %", 100),
    "training_accuracy": ("training accuracy, %", 100),
    "gradient_norm": ("L2 norm of the gradient", 1),
    "weight_change": ("mean |Δw|", 1),
    "rate": ("mean rate, Hz", 1),
    "hidden_rate": ("hidden rate, Hz", 1),
    "output_rate": ("output rate, Hz", 1),
}
"""Key of a number -> label and factor of its axis, for models other than STDP; the default label is the key."""
DRAWN = ("spikes_per_image", "silent_images", "dead_neurons", "at_w_min", "at_w_max", "weight_change", "largest_share")
"""Numbers of a spiking network that a row must have to be drawn."""


def plot_progress(figure: Figure, rows: Sequence[Mapping[str, Any]]) -> dict[str, Line2D]:
    """Draw the rows of progress.jsonl: activity, thresholds and weights; the training may still be going on.

    Returns
    -------
    The main line of each panel, by its key.
    """
    learned = rows[-1].get("competition") is not None
    panels = figure.subplots(2, 3, sharex=True).ravel()
    images = np.array([row["images"] for row in rows])

    def line(axes: Axes, values: Sequence[float], label: str | None = None, number: int = 0) -> Line2D:
        look: Any = {"color": style.colour(number), "linestyle": style.LINES[number], "marker": "o", "markersize": 2}
        (drawn,) = axes.plot(images, values, label=label, **look)
        return drawn

    drawn = {"spikes_per_image": line(panels[0], [row["spikes_per_image"] for row in rows])}
    panels[0].set_ylabel("spikes per image")
    for number, (key, name) in enumerate(
        (("silent_images", "silent images"), ("dead_neurons", "neurons without spike"))
    ):
        drawn[key] = line(panels[1], [100 * row[key] for row in rows], name, number)
    for number, (key, name) in enumerate((("at_w_min", "at w_min"), ("at_w_max", "at w_max"))):
        drawn[key] = line(panels[2], [100 * row[key] for row in rows], name, number)
    panels[1].set_ylabel("share, %")
    panels[2].set_ylabel("feedforward weights, %")
    theta = {name: [row["theta"][name] for row in rows] for name in ("p5", "p50", "p95")}
    drawn["theta"] = line(panels[3], theta["p50"], "median")
    panels[3].fill_between(
        images, theta["p5"], theta["p95"], color=style.colour(0), alpha=0.2, linewidth=0, label="5–95 %"
    )
    panels[3].set_ylabel("θ, mV")
    drawn["weight_change"] = line(panels[4], [row["weight_change"] for row in rows])
    panels[4].set_ylabel("mean |Δw|, mV")
    if learned:
        mean, sd = (np.array([row["competition"][key] for row in rows]) for key in ("mean", "sd"))
        drawn["competition"] = line(panels[5], mean.tolist(), "mean")
        panels[5].fill_between(
            images, mean - sd, mean + sd, color=style.colour(0), alpha=0.2, linewidth=0, label="± sd"
        )
        panels[5].set_ylabel("competition, mV")
    else:
        drawn["largest_share"] = line(panels[5], [100 * row["largest_share"] for row in rows])
        panels[5].set_ylabel("largest share of spikes, %")
    for axes in panels[3:]:
        axes.set_xlabel("training images")
    for number in (0, 1, 2, 4) if learned else (0, 1, 2, 4, 5):
        panels[number].set_ylim(bottom=0)  # counts, shares and sizes of changes are never negative
    for axes in panels[1:3]:
        axes.set_ylim(top=max(1.0, axes.get_ylim()[1]))  # at least 1 %, so that tiny shares look tiny
    for axes in panels:
        axes.set_xlim(left=0)
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    return drawn


def plot_numbers(figure: Figure, rows: Sequence[Mapping[str, Any]]) -> dict[str, Line2D]:
    """Draw every number that the rows of progress have beside the images, one panel each.

    Returns
    -------
    The lines, by key.
    """
    keys = _numbers(rows[-1])[:MOST_PANELS]
    rows_of_panels = 1 + (len(keys) > MOST_PANELS // 2)
    panels = style.new_panels(figure, len(keys), -(-len(keys) // rows_of_panels))
    images = [row["images"] for row in rows]
    drawn = {}
    for axes, key in zip(panels, keys, strict=True):
        label, factor = LABELS.get(key, (key.replace("_", " "), 1))
        values = [factor * row[key] if _is_number(row.get(key)) else None for row in rows]
        (drawn[key],) = axes.plot(images, np.array(values, np.float64), "o-", color=style.colour(0), markersize=2)
        axes.set(xlabel="training images", ylabel=label)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
    return drawn


def _numbers(row: Mapping[str, Any]) -> list[str]:
    """Return the keys of the numbers of a row that are drawn."""
    return [key for key, value in row.items() if _is_number(value) and key not in COUNTERS]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _progress(view: RunView) -> Figure:
    figure = style.new_figure(style.DOUBLE, 95)
    if view.lacks("spiking network"):
        plot_numbers(figure, view.progress)
    else:
        plot_progress(figure, _complete_rows(view))
    figure.suptitle(f"Training of {view.facts.label}, {view.progress[-1]['images']} images so far")
    return figure


def _complete_rows(view: RunView) -> list[dict[str, Any]]:
    """Return the rows of progress of a spiking network that have every number that is drawn."""
    parts: dict[str, tuple[str, ...]] = {"theta": ("p5", "p50", "p95")}
    if view.spec.competition.is_learned:
        parts["competition"] = ("mean", "sd")
    rows = (row for row in view.progress if all(row.get(key) is not None for key in DRAWN))
    return [
        row for row in rows if all((row.get(key) or {}).get(name) is not None for key in parts for name in parts[key])
    ]


def _lacks_rows(view: RunView) -> str | None:
    """Return why the training's progress cannot be drawn, or None if it can."""
    if view.lacks("spiking network"):
        return None if _numbers(view.progress[-1]) else "its rows of progress hold no number"
    return None if _complete_rows(view) else "its rows of progress lack what is drawn; an older version wrote them"


FIGURES = (
    RunFigure("progress", "activity, thresholds and weights during training", ("progress",), _progress, _lacks_rows),
)
