"""Draw the competition of one position as a graph: receptive fields around a circle, lines between competitors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stdpnet.arrays import Float64s
from stdpnet.stdp.network import Network
from stdpnet_analysis.competition_weights import off_diagonal
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.competition import LEARNED, class_order, lacks_pairs
from stdpnet_analysis.figures.receptive_fields import top_weight
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.text import literal, with_minus
from stdpnet_analysis.view import RunView

GRAPH_CHANNELS = 25
"""Most neurons in the graph of one position; if there are more, those that compete most are drawn."""


class Graph(NamedTuple):
    """The contents of the graph of a position."""

    channels: NDArray[np.intp]
    """The neurons, in their order around the circle."""
    lines: LineCollection
    """One line for each pair i < j; its opacity is the strength."""
    strength: Float64s
    """(pairs,) mean of -w_ij and -w_ji, mV."""
    limits: tuple[float, float]
    """Smallest and largest strength, mV: a clear and a solid line."""


def plot_competition_graph(
    axes: Axes,
    weights: NDArray[np.floating],
    competition: NDArray[np.floating],
    order: NDArray[np.intp],
) -> Graph:
    """Draw the receptive fields of a position around a circle, and lines whose opacity is the strength of competition.

    Parameters
    ----------
    axes : where to draw
    weights : (k*k, C) receptive fields, mV
    competition : (C, C) mV
    order : (C,) the channels in their order around the circle; at most GRAPH_CHANNELS are drawn
    """
    strength = -(competition + competition.T).astype(np.float64) / 2
    most = np.argsort(-strength.sum(axis=0), kind="stable")[:GRAPH_CHANNELS]
    channels = order[np.isin(order, most)]
    angle = np.pi / 2 - 2 * np.pi * np.arange(len(channels)) / len(channels)
    place = np.column_stack([np.cos(angle), np.sin(angle)])
    i, j = np.triu_indices(len(channels), 1)
    pair = strength[channels[i], channels[j]]
    low, high = float(pair.min()) + 0.0, float(pair.max()) + 0.0  # never -0
    opacity = np.clip((pair - low) / (high - low or 1), 0, 1) ** 2
    inner = 0.88 * place
    ends = list(np.stack([inner[i], inner[j]], axis=1))
    lines = LineCollection(ends, colors=style.colour(0), linewidths=1.3, alpha=opacity)
    axes.add_collection(lines)
    side, half = round(len(weights) ** 0.5), min(0.11, 2.4 / max(len(channels), 1))
    for (x, y), channel in zip(place, channels, strict=True):
        axes.imshow(
            weights[:, channel].reshape(side, side),
            extent=(x - half, x + half, y - half, y + half),
            cmap=style.WEIGHTS,
            vmin=0,
            vmax=top_weight(weights),
            zorder=3,
        )
    axes.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
    style.bare(axes)
    return Graph(channels=channels, lines=lines, strength=pair, limits=(low, high))


def _graph(view: RunView) -> Figure:
    position = view.network.geometry.positions // 2
    figure, axes = style.new_axes(110, 118)
    _draw_graph(axes, view.network, position, class_order(view))
    axes.set_title(f"Competition at position {position}: {view.label}")
    return figure


def _draw_graph(axes: Axes, network: Network, position: int, order: NDArray[np.intp]) -> Graph:
    weights = network.weights[0 if network.geometry.shared else position]
    graph = plot_competition_graph(axes, weights, network.competition[position], order[position])
    low, high = graph.limits
    left_out = "" if len(graph.channels) == network.geometry.channels else f"; the {len(graph.channels)} most inhibited"
    axes.set_xlabel(f"line: mean of −w_ij and −w_ji, {low:.0f} (clear) to {high:.0f} mV (solid){left_out}")
    return graph


def _weak_and_strong(view: RunView) -> Figure:
    views = [view, *view.others]
    columns = min(2, len(views))
    rows = -(-len(views) // columns)
    figure = style.new_figure(style.SINGLE * columns, 95 * rows)
    figure.set_layout_engine("constrained", h_pad=0.1)
    for axes, shown in zip(style.new_panels(figure, len(views), columns), views, strict=True):
        position = shown.network.geometry.positions // 2
        _draw_graph(axes, shown.network, position, class_order(shown))
        mean = with_minus(f"{off_diagonal(shown.network.competition).mean():.1f}")
        axes.set_title(f"{literal(shown.run.path.name)}\nposition {position}, mean weight {mean} mV")
    figure.suptitle(" and ".join(dict.fromkeys(shown.label for shown in views)))
    return figure


def _lacks_learned_others(view: RunView) -> str | None:
    """Return which of the other runs did not learn their competition, or else why there are no pairs to draw."""
    kinds = {"fixed": "a fixed competition", "none": "no competition"}
    rules = [(other.run.path, other.spec.competition.rule) for other in view.others]
    unlearned = [f"{path} has {kinds[rule]}" for path, rule in rules if rule in kinds]
    return f"{', '.join(unlearned)}; name a run that learned its competition" if unlearned else lacks_pairs(view)


FIGURES = (
    RunFigure(
        "competition-graph",
        "receptive fields of one position, with lines whose opacity is the strength of competition",
        LEARNED,
        _graph,
        lacks_pairs,
    ),
    RunFigure(
        "competition-side-by-side",
        "the graphs of several runs, such as weak and strong competition (--beside)",
        (*LEARNED, "other runs"),
        _weak_and_strong,
        _lacks_learned_others,
    ),
)
