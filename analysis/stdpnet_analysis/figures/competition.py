"""Draw learned competition: histogram, matrices, symmetry of pairs, relation to the similarity of receptive fields."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import StepPatch
from numpy.typing import NDArray

from stdpnet.arrays import Float64s
from stdpnet_analysis.competition_weights import Association, associate, off_diagonal, reciprocal
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.mosaic import tile
from stdpnet_analysis.figures.receptive_fields import order_by_class
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.text import with_minus
from stdpnet_analysis.view import Need, RunView


def plot_competition_weights(axes: Axes, weights: Mapping[str, Float64s]) -> dict[str, StepPatch]:
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
        label = f"{name}: mean {with_minus(f'{values.mean():.1f}')}, sd {values.std():.1f} mV"
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
    order : (P, C) the channels of each position in the order in which they are drawn

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


def plot_symmetry(axes: Axes, forth: Float64s, back: Float64s) -> PolyCollection:
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
    """Return (P, C) the channels sorted by preferred class, or by number if there are no responses."""
    geometry = view.network.geometry
    if view.lacks("responses") is not None:
        return np.broadcast_to(np.arange(geometry.channels), (geometry.positions, geometry.channels))
    return order_by_class(view.votes.reshape(len(view.classes), geometry.positions, geometry.channels))


def _weights(view: RunView) -> Figure:
    figure, axes = style.new_axes(style.SINGLE, 70)
    networks = {"before training": view.untrained, "learned": view.network}
    plot_competition_weights(axes, {name: off_diagonal(network.competition) for name, network in networks.items()})
    figure.suptitle(view.label)
    return figure


def _matrices(view: RunView) -> Figure:
    figure, axes = style.new_axes(120, 132)
    image = plot_competition_matrices(axes, view.network.competition, class_order(view))
    style.bar_below(figure, image, axes, "weight from row to column, mV", extend="min")
    by = "channel" if view.lacks("responses") else "preferred class"
    axes.set_title(f"Competition at each position, sorted by {by}\n{view.label}")
    return figure


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
    figure, axes = style.new_axes(style.SINGLE, 80)
    cells = plot_symmetry(axes, forth, back)
    figure.colorbar(cells, ax=axes, label="pairs of neurons", pad=0.02, shrink=0.8)
    flat = forth.ravel(), back.ravel()
    varied = all(np.ptp(values) > 0 for values in flat)
    words = f"r = {np.corrcoef(*flat)[0, 1]:.3f}" if varied else "all weights equal"
    axes.set_title(f"{view.label}\n{words}")
    return figure


def lacks_pairs(view: RunView) -> str | None:
    """Return why there are no pairs to draw; None if there are."""
    return None if view.spec.topology.channels > 2 else "fewer than three channels have no pairs to compare"


LEARNED: tuple[Need, ...] = ("spiking network", "state", "learned competition")
FIGURES = (
    RunFigure("competition-weights", "histogram of the competition weights", LEARNED, _weights, lacks_pairs),
    RunFigure(
        "competition-matrix", "competition between all neurons of each position", LEARNED, _matrices, lacks_pairs
    ),
    RunFigure(
        "competition-similarity",
        "competition against similarity of receptive fields, with a permutation test",
        LEARNED,
        _similarity,
        lacks_pairs,
    ),
    RunFigure("competition-symmetry", "w_ij against w_ji", LEARNED, _symmetry, lacks_pairs),
)
