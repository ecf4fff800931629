"""Draw votes, confusion matrices and the accuracy on each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from stdpnet.arrays import Float64s
from stdpnet.errors import DataError
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.receptive_fields import order_by_class
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.readouts import title_of
from stdpnet_analysis.readouts.scores import accuracies, best_of, wilson_interval
from stdpnet_analysis.readouts.votes import class_means
from stdpnet_analysis.view import RunView

SHOWN = ("vote", "log_evidence", "linear", "own")
"""The read-outs whose confusion matrices are shown."""
NUMBERED = 12
"""A confusion matrix has numbers in its cells if there are at most so many classes."""


def vote_shares(votes: Float64s) -> Float64s:
    """Return each neuron's votes divided by their sum, (n_classes, neurons); nan for a neuron that never spiked."""
    total = votes.sum(axis=0)
    shares: Float64s = np.divide(votes, total, out=np.full_like(votes, np.nan), where=total > 0)
    return shares


def plot_votes(axes: Axes, votes: Float64s, names: Sequence[str]) -> AxesImage:
    """Draw the share of each neuron's votes for each class, neurons sorted by the class they prefer.

    Parameters
    ----------
    axes : where to draw
    votes : (n_classes, neurons) mean counts
    names : of the classes

    Returns
    -------
    The image (n_classes, neurons).
    """
    shares = vote_shares(votes)
    order = order_by_class(np.nan_to_num(shares)[:, np.newaxis])[0]
    image = axes.imshow(
        shares[:, order],
        aspect="auto",
        cmap=style.colour_map(style.COUNTS),
        vmin=0,
        vmax=float(np.nanquantile(shares, 0.998)) if np.isfinite(shares).any() else 1.0,
        interpolation="antialiased",
    )
    style.class_ticks(axes, names, "y")
    silent = int(np.count_nonzero(~votes.any(axis=0)))
    without = f"; the last {silent} have no votes" if silent else ""
    axes.set(xlabel=f"neurons, sorted by preferred class{without}", ylabel="class")
    return image


def plot_ranked_votes(axes: Axes, votes: Mapping[str, Float64s]) -> dict[str, ErrorbarContainer]:
    """Draw the votes of a neuron from its best class to its worst, mean and deviation over the neurons.

    Parameters
    ----------
    axes : where to draw
    votes : name -> (n_classes, neurons) mean counts

    Returns
    -------
    The points with their bars, by name; none for a silent network.
    """
    drawn = {}
    for number, (name, values) in enumerate(votes.items()):
        shares = vote_shares(values)
        ranked = -np.sort(-shares[:, np.isfinite(shares[0])], axis=0)
        if ranked.shape[1] == 0:  # no neuron spiked
            continue
        rank = np.arange(1, len(ranked) + 1) + 0.12 * number
        look: Any = {"capsize": 1.5, "elinewidth": 0.7, "label": name, **style.line_look(number)}
        drawn[name] = axes.errorbar(rank, 100 * ranked.mean(axis=1), 100 * ranked.std(axis=1), **look)
    chance = 100 / len(next(iter(votes.values())))
    axes.axhline(chance, color=style.GREY, linewidth=0.7, linestyle=":", label="no preference")
    axes.set(xlabel="rank of the class for the neuron", ylabel="share of its votes, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_ylim(bottom=0)
    axes.legend()
    return drawn


def plot_confusion(axes: Axes, confusion: NDArray[np.int64], names: Sequence[str]) -> AxesImage:
    """Draw how often each class got each answer, in % of the class; a last column for images without an answer.

    Parameters
    ----------
    axes : where to draw
    confusion : (n_classes, n_classes + 1) images
    names : of the classes

    Returns
    -------
    The image.
    """
    columns = len(names) + bool(confusion[:, -1].any())
    per_class = np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    share = 100 * confusion[:, :columns] / per_class
    image = axes.imshow(share, cmap=style.COUNTS, vmin=0, vmax=100)
    if len(names) <= NUMBERED:
        for row, column in np.ndindex(share.shape):
            if share[row, column] > 0.5:  # smaller numbers would be rounded to 0
                ink = "white" if share[row, column] < 55 else "black"
                axes.text(column, row, f"{share[row, column]:.0f}", ha="center", va="center", size=5.5, color=ink)
    style.class_ticks(axes, [*names, "none"][:columns], "x", most=16)
    style.class_ticks(axes, names, "y")
    axes.set(xlabel="answer", ylabel="class")
    return image


def plot_class_accuracies(
    axes: Axes, confusions: Mapping[str, NDArray[np.int64]], names: Sequence[str]
) -> dict[str, Line2D]:
    """Draw the accuracy on each class with its 95 % interval (Wilson).

    Parameters
    ----------
    axes : where to draw
    confusions : name -> (n_classes, n_classes + 1) images
    names : of the classes

    Returns
    -------
    The points, by name.
    """
    drawn = {}
    for number, (name, confusion) in enumerate(confusions.items()):
        right, shown = np.diag(confusion), confusion.sum(axis=1)
        have = np.flatnonzero(shown)
        low, high = 100 * np.array([wilson_interval(right[label], shown[label]) for label in have]).T
        place = have + 0.7 * ((number + 0.5) / len(confusions) - 0.5)
        colour = style.colour(number)
        axes.vlines(place, low, high, color=colour, linewidth=0.9)
        overall = f"{name}: {right.sum() / max(shown.sum(), 1):.1%}"
        (drawn[name],) = axes.plot(
            place, 100 * right[have] / shown[have], "os^vD"[number % 5], color=colour, label=overall
        )
    style.class_ticks(axes, names, "x")
    axes.set(xlabel="class", ylabel="accuracy, %", xlim=(-0.6, len(names) - 0.4))
    axes.grid(axis="y")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return drawn


def confusions(view: RunView) -> dict[str, NDArray[np.int64]]:
    """Return the confusion matrices of the best vote and of the other read-outs of SHOWN that were scored."""
    scores = view.required_scores
    named = {column: best_of(column, accuracies(scores)) for column in SHOWN}
    return {
        f"vote ({name})" if column == "vote" else title_of(column): np.array(scores["readouts"][name]["confusion"])
        for column, name in named.items()
        if name is not None
    }


def _images(confusions: Mapping[str, NDArray[np.int64]]) -> int:
    """Return how many images were scored."""
    return int(next(iter(confusions.values())).sum())


def _lacks_confusions(view: RunView) -> str | None:
    """Return why there are no confusion matrices of this dataset's classes; None if there are."""
    remedy = f"`stdpnet evaluate {view.run.path}` makes them"
    try:
        found = confusions(view)
    except (KeyError, DataError):
        found = {}
    if not found:
        return f"its scores lack a vote or the linear read-out with a confusion matrix; {remedy}"
    classes = len(view.classes)
    fits = all(confusion.shape == (classes, classes + 1) for confusion in found.values())
    return None if fits else f"its confusion matrices are not of {classes} classes; {remedy}"


def _votes(view: RunView) -> Figure:
    figure, axes = style.new_axes(style.DOUBLE, 40 + 3 * min(len(view.classes), 24))
    image = plot_votes(axes, view.votes, view.classes)
    figure.colorbar(image, ax=axes, label="share of the neuron's votes", extend="max", pad=0.01)
    axes.set_title(f"Votes: {view.label}")
    return figure


def votes_by_network(view: RunView) -> dict[str, Float64s]:
    """Return the votes (n_classes, neurons) of the trained network, and of the untrained one where it was evaluated."""
    shown = {"trained": view.votes}
    if untrained := view.responses("calibration", "untrained"):
        shown["untrained"] = class_means(untrained.counts, untrained.labels, len(view.classes))
    return shown


def _ranked(view: RunView) -> Figure:
    figure, axes = style.new_axes(style.SINGLE, 65)
    plot_ranked_votes(axes, votes_by_network(view))
    axes.set_title(view.label)
    return figure


def _confusion(view: RunView) -> Figure:
    shown = confusions(view)
    figure = style.new_figure(style.DOUBLE, 98 if len(shown) < 3 else 88)
    panels = figure.subplots(1, len(shown), squeeze=False)[0]
    for axes, (name, matrix) in zip(panels, shown.items(), strict=True):
        image = plot_confusion(axes, matrix, view.classes)
        axes.set_title(f"{name}: {np.trace(matrix) / matrix.sum():.1%}")
    style.bar_below(figure, image, panels, "% of the class")
    figure.suptitle(f"{view.label}; {_images(shown)} {view.split} images")
    return figure


def _class_accuracies(view: RunView) -> Figure:
    shown = confusions(view)
    untrained = view.required_scores.get("untrained", {"readouts": {}})["readouts"]
    for name in ("log_evidence", "linear"):
        confusion = untrained.get(name, {}).get("confusion", ())
        if np.shape(confusion) == (len(view.classes), len(view.classes) + 1):
            shown[f"untrained, {title_of(name)}"] = np.array(confusion)
    figure, axes = style.new_axes(style.DOUBLE if len(view.classes) > 16 else 130, 70)
    plot_class_accuracies(axes, shown, view.classes)
    figure.suptitle(f"{view.label}; {_images(shown)} {view.split} images")
    return figure


FIGURES = (
    RunFigure("votes", "votes of all neurons, sorted by preferred class", ("state", "responses"), _votes),
    RunFigure(
        "votes-ranked",
        "a neuron's votes from its best to its worst class, mean and deviation over the neurons",
        ("state", "responses"),
        _ranked,
    ),
    RunFigure(
        "confusion",
        "confusion matrices of best vote, log evidence, linear read-out, and a model's own answers",
        ("state", "scores"),
        _confusion,
        _lacks_confusions,
    ),
    RunFigure("class-accuracy", "accuracy on each class", ("state", "scores"), _class_accuracies, _lacks_confusions),
)
