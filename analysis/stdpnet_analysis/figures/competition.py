"""Draw learned competition: weights, pairs, graph of a position, relation to the similarity of receptive fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import StepPatch
from numpy.typing import NDArray

from stdpnet.stdp.network import Network
from stdpnet_analysis.competition_weights import Association, associate, off_diagonal, reciprocal
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.mosaic import Floats, tile
from stdpnet_analysis.figures.receptive_fields import order_by_class, top_weight
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.view import Need, RunView

GRAPH_CHANNELS = 25
"""Neurons in the graph of one position; of more those that compete most."""


def plot_competition_weights(axes: Axes, weights: Mapping[str, Floats]) -> dict[str, StepPatch]:
    """Draw histograms of the competition weights of all ordered pairs.

    Parameters
    ----------
    axes : where to draw
    weights : name -> any shape, mV, without the diagonal

    Returns
    -------
    The steps of each histogram, by name.
    """
    low = min(float(values.min()) for values in weights.values())
    edges = np.linspace(low, 0, 61)
    drawn = {}
    for number, (name, values) in enumerate(weights.items()):
        share = 100 * np.histogram(values, edges)[0] / values.size
        label = f"{name}: mean {values.mean():.1f}, sd {values.std():.1f} mV"
        drawn[name] = axes.stairs(share, edges, label=label, color=style.colour(number), linewidth=1.2)
        drawn[name].set(linestyle=style.LINES[number % 4])
    axes.set(xlabel="competition weight, mV", ylabel="synapses, %", xlim=(low, 0))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return drawn


def plot_competition_matrices(axes: Axes, competition: NDArray[np.floating], order: NDArray[np.intp]) -> AxesImage:
    """Draw the competition of all positions, from row to column, positions as panels.

    Parameters
    ----------
    axes : where to draw
    competition : (P, C, C) mV
    order : (P, C) in which order the channels stand

    Returns
    -------
    The image.
    """
    rows = np.arange(len(competition))[:, np.newaxis, np.newaxis]
    sorted_ = competition[rows, order[:, :, np.newaxis], order[:, np.newaxis, :]].astype(np.float64)
    sorted_[order[:, :, np.newaxis] == order[:, np.newaxis, :]] = np.nan
    gap = max(1, competition.shape[-1] // 12)
    sheet = tile(sorted_, gap, (round(len(competition) ** 0.5),) * 2)
    low = float(np.nanquantile(sheet, 0.005)) if np.isfinite(sheet).any() else -1.0
    cmap = style.colour_map(style.COUNTS + "_r")
    image = axes.imshow(sheet, cmap=cmap, vmin=min(low, -1e-6), vmax=0, interpolation="antialiased")
    style.bare(axes)
    return image


class Graph(NamedTuple):
    """The contents of the graph of a position."""

    channels: NDArray[np.intp]
    """The neurons, in their order around the circle."""
    lines: LineCollection
    """A line per pair i < j of them, its opacity the strength."""
    strength: Floats
    """(pairs,) mean of -w_ij and -w_ji, mV."""
    limits: tuple[float, float]
    """Strengths of a clear and of a solid line, mV."""


def plot_competition_graph(
    axes: Axes,
    weights: NDArray[np.floating],
    competition: NDArray[np.floating],
    order: NDArray[np.intp],
    limits: tuple[float, float] | None = None,
) -> Graph:
    """Draw the receptive fields of a position around a circle, lines between them as opaque as they compete.

    Parameters
    ----------
    axes : where to draw
    weights : (k*k, C) receptive fields, mV
    competition : (C, C) mV
    order : (C,) in which order they stand; of more than GRAPH_CHANNELS those that compete most are kept
    limits : strengths of a clear and of a solid line, mV; default the smallest and the largest
    """
    strength = -(competition + competition.T).astype(np.float64) / 2
    most = np.argsort(-strength.sum(axis=0), kind="stable")[:GRAPH_CHANNELS]
    channels = order[np.isin(order, most)]
    angle = np.pi / 2 - 2 * np.pi * np.arange(len(channels)) / len(channels)
    place = np.column_stack([np.cos(angle), np.sin(angle)])
    i, j = np.triu_indices(len(channels), 1)
    pair = strength[channels[i], channels[j]]
    low, high = limits or (float(pair.min()), float(pair.max()))
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
    return Graph(channels, lines, pair, (low, high))


def plot_similarity(axes: Axes, association: Association) -> PolyCollection:
    """Draw how strongly two neurons compete against how similar their receptive fields are; return the hexagons."""
    x, y = association.similarity.ravel(), association.strength.ravel()
    cells = axes.hexbin(x, y, gridsize=45, cmap=style.COUNTS, bins="log", mincnt=1, linewidths=0.1)
    slope, offset = np.polyfit(x, y, 1) if np.ptp(x) > 0 else (0.0, float(y.mean()))
    ends = np.array([x.min(), x.max()])
    axes.plot(ends, slope * ends + offset, color=style.colour(1), linewidth=1.2)
    axes.set(xlabel="similarity of receptive fields (cosine)", ylabel="mean of −w_ij and −w_ji, mV")
    return cells


def plot_null(axes: Axes, association: Association) -> StepPatch:
    """Draw the correlations of the permutations and the observed one; return the histogram."""
    steps = axes.stairs(*np.histogram(association.null, 30), fill=True, color="0.75")
    axes.axvline(association.correlation, color=style.colour(1), linewidth=1.2)
    axes.set(xlabel="correlation", ylabel="permutations")
    axes.locator_params(axis="x", nbins=5)
    return steps


def plot_symmetry(axes: Axes, forth: Floats, back: Floats) -> PolyCollection:
    """Draw w_ji against w_ij of every pair i < j, (P, pairs) mV; return the hexagons."""
    x, y = forth.ravel(), back.ravel()
    low = float(min(x.min(), y.min()))
    cells = axes.hexbin(
        x, y, gridsize=45, extent=(low, 0, low, 0), cmap=style.COUNTS, bins="log", mincnt=1, linewidths=0.1
    )
    axes.plot([low, 0], [low, 0], color=style.colour(1), linewidth=0.8, linestyle="--")
    axes.set(xlabel="w_ij, mV", ylabel="w_ji, mV", aspect="equal")
    return cells


def class_order(view: RunView) -> NDArray[np.intp]:
    """Return (P, C) the channels sorted by preferred class; by number where there are no responses."""
    geometry = view.network.geometry
    if view.lacks("responses") is not None:
        return np.broadcast_to(np.arange(geometry.channels), (geometry.positions, geometry.channels))
    return order_by_class(view.votes.reshape(len(view.classes), geometry.positions, geometry.channels))


def _weights(view: RunView) -> Figure:
    figure = style.new_figure(style.SINGLE, 70)
    axes = figure.subplots()
    networks = {"before training": view.untrained, "learned": view.network}
    plot_competition_weights(axes, {name: off_diagonal(network.competition) for name, network in networks.items()})
    figure.suptitle(view.label)
    return figure


def _matrices(view: RunView) -> Figure:
    figure = style.new_figure(120, 132)
    axes = figure.subplots()
    image = plot_competition_matrices(axes, view.network.competition, class_order(view))
    figure.colorbar(
        image,
        ax=axes,
        label="weight from row to column, mV",
        location="bottom",
        shrink=0.6,
        aspect=30,
        pad=0.02,
        extend="min",
    )
    by = "channel" if view.lacks("responses") else "preferred class"
    axes.set_title(f"Competition at each position, sorted by {by}\n{view.label}")
    return figure


def _graph(view: RunView) -> Figure:
    position = view.network.geometry.positions // 2
    figure = style.new_figure(110, 118)
    axes = figure.subplots()
    _draw_graph(axes, view.network, position, class_order(view))
    axes.set_title(f"Competition at position {position}: {view.label}")
    return figure


def _draw_graph(
    axes: Axes,
    network: Network,
    position: int,
    order: NDArray[np.intp],
    limits: tuple[float, float] | None = None,
) -> Graph:
    weights = network.weights[0 if network.geometry.shared else position]
    graph = plot_competition_graph(axes, weights, network.competition[position], order[position], limits)
    low, high = graph.limits
    left_out = "" if len(graph.channels) == network.geometry.channels else f"; the {len(graph.channels)} most inhibited"
    axes.set_xlabel(f"line: mean of −w_ij and −w_ji, {low:.0f} (clear) to {high:.0f} mV (solid){left_out}")
    return graph


def _similarity(view: RunView) -> Figure:
    association = associate(view.network, seed=view.spec.seed)
    figure = style.new_figure(style.DOUBLE, 75)
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    cells = plot_similarity(left, association)
    figure.colorbar(cells, ax=left, label="pairs of neurons", pad=0.01)
    plot_null(right, association)
    left.set_title(f"r = {association.correlation:.3f}")
    right.set_title(f"p = {association.p_value:.3g}, {len(association.null)} permutations")
    figure.suptitle(f"Do similar receptive fields compete more? {view.label}")
    return figure


def _symmetry(view: RunView) -> Figure:
    forth, back = reciprocal(view.network.competition)
    figure = style.new_figure(style.SINGLE, 80)
    axes = figure.subplots()
    cells = plot_symmetry(axes, forth, back)
    figure.colorbar(cells, ax=axes, label="pairs of neurons", pad=0.02, shrink=0.8)
    flat = forth.ravel(), back.ravel()
    varied = all(np.ptp(values) > 0 for values in flat)
    words = f"r = {np.corrcoef(*flat)[0, 1]:.3f}" if varied else "all weights equal"
    axes.set_title(f"{view.label}\n{words}")
    return figure


def _weak_and_strong(view: RunView) -> Figure:
    views = [view, *view.others]
    middle = [each.network.geometry.positions // 2 for each in views]
    strongest = [float(-each.network.competition[at].min()) for each, at in zip(views, middle, strict=True)]
    figure = style.new_figure(style.SINGLE * len(views), 95)
    panels = np.atleast_1d(figure.subplots(1, len(views)))
    for axes, each, position in zip(panels, views, middle, strict=True):
        _draw_graph(axes, each.network, position, class_order(each), (0.0, max(strongest)))
        mean = off_diagonal(each.network.competition).mean()
        axes.set_title(f"{each.run.path.name}: {each.label}\nposition {position}, mean weight {mean:.1f} mV")
    return figure


def has_pairs(view: RunView) -> str | None:
    """Return why there are no pairs to draw."""
    return None if view.spec.topology.channels > 2 else "fewer than three channels have no pairs to compare"


def _others_learned(view: RunView) -> str | None:
    fixed = [str(other.run.path) for other in view.others if not other.spec.competition.learned]
    return f"the competition of {', '.join(fixed)} is fixed; name a run that learned it" if fixed else has_pairs(view)


LEARNED: tuple[Need, ...] = ("state", "learned competition")
FIGURES = (
    RunFigure("competition-weights", "histogram of the competition weights", LEARNED, _weights, has_pairs),
    RunFigure("competition-matrix", "competition between all neurons of each position", LEARNED, _matrices, has_pairs),
    RunFigure(
        "competition-graph",
        "receptive fields of one position, lines as opaque as they compete",
        LEARNED,
        _graph,
        has_pairs,
    ),
    RunFigure(
        "competition-similarity",
        "competition against similarity of receptive fields, with a permutation test",
        LEARNED,
        _similarity,
        has_pairs,
    ),
    RunFigure("competition-symmetry", "w_ij against w_ji", LEARNED, _symmetry, has_pairs),
    RunFigure(
        "competition-side-by-side",
        "the graphs of two runs, such as weak and strong competition (--beside)",
        (*LEARNED, "other runs"),
        _weak_and_strong,
        _others_learned,
    ),
)
