"""Draw the accuracy of damaged networks: channels left out, synapses deleted, competition clamped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stdpnet.arrays import Float64s
from stdpnet.model import Responses
from stdpnet_analysis.ablation import (
    Accuracies,
    Clamping,
    by_channels_kept,
    by_clamp,
    by_synapses_deleted,
    calibrated_accuracy,
    clamp_splits,
)
from stdpnet_analysis.competition_weights import off_diagonal
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.competition import lacks_pairs
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.readouts.rules import THESIS_RULES
from stdpnet_analysis.readouts.scores import wilson_interval
from stdpnet_analysis.view import RunView

SHARES = tuple(round(0.1 * tenth, 1) for tenth in range(11))
"""Shares of the synapses that are deleted."""
PRUNED_IMAGES, PRUNED_COUNTS, RANDOM_ORDERS = 2000, 8_000_000, 3
"""Figure of the channels kept: most images, most spike counts of these images, and the number of random orders."""
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Quantiles of the learned weights at which they are clamped."""


def plot_channels_kept(
    axes: Axes, kept: Sequence[int], chosen: Accuracies, random: Sequence[Accuracies]
) -> dict[str, Line2D]:
    """Draw accuracy against the number of channels that vote.

    Parameters
    ----------
    axes : where to draw
    kept : (K,) numbers of channels
    chosen : accuracies when the most active channels are kept
    random : the same for each of several random orders

    Returns
    -------
    The lines of the chosen channels, by rule.
    """
    drawn: dict[str, Line2D] = {}
    for number, rule in enumerate(THESIS_RULES):
        colour = style.colour(number)
        (drawn[rule],) = axes.plot(kept, 100 * chosen[rule], "o-", color=colour, label=f"{rule}, most active kept")
        draws = 100 * np.array([accuracies[rule] for accuracies in random])
        axes.errorbar(
            kept,
            draws.mean(axis=0),
            draws.std(axis=0),
            color=colour,
            linestyle=":",
            capsize=1.5,
            label=f"{rule}, random",
        )
    axes.set(xlabel="channels kept at each position", ylabel="accuracy, %", xscale="log")
    axes.set_xticks(kept, [str(number) for number in kept])
    axes.minorticks_off()
    axes.grid(axis="y")
    axes.legend(ncols=1)
    return drawn


def plot_synapses_deleted(axes: Axes, shares: Sequence[float], accuracies: Accuracies) -> dict[str, Line2D]:
    """Draw accuracy against the share of feedforward synapses deleted; return the lines by rule."""
    drawn: dict[str, Line2D] = {}
    for number, rule in enumerate(THESIS_RULES):
        values = 100 * accuracies[rule]
        (drawn[rule],) = axes.plot(
            100 * np.asarray(shares), values, "os^"[number] + "-", color=style.colour(number), label=rule
        )
    axes.set(xlabel="feedforward synapses deleted, %", ylabel="accuracy, %", ylim=(0, 100))
    axes.grid(axis="y")
    axes.legend(title="vote")
    return drawn


def plot_clamping(
    axes: Axes, clamping: Clamping, rule: str, trained: Sequence[tuple[str, float, float]] = ()
) -> dict[str, Line2D]:
    """Draw accuracy against the bound at which the learned competition is clamped.

    Parameters
    ----------
    axes : where to draw
    clamping : accuracies with weights clamped at evaluation
    rule : the voting rule
    trained : ("below" or "above", bound in mV, accuracy) of networks clamped while they were trained

    Returns
    -------
    The lines, "below" and "above".
    """
    drawn = {}
    for number, (side, accuracies, words) in enumerate(
        (("below", clamping.below, "w ≥ bound (weakened)"), ("above", clamping.above, "w ≤ bound (strengthened)"))
    ):
        look: Any = {"marker": "os"[number], "linestyle": style.LINES[number], "color": style.colour(number)}
        (drawn[side],) = axes.plot(clamping.bounds, 100 * accuracies[rule], label=f"at evaluation, {words}", **look)
        points = np.array([(bound, 100 * accuracy) for which, bound, accuracy in trained if which == side]).reshape(
            -1, 2
        )
        if len(points):
            axes.plot(*points.T, "D*"[number], color=style.colour(number), markersize=6, label=f"in training, {words}")
    whole = clamping.unclamped[rule]
    low, high = wilson_interval(round(whole * clamping.images), clamping.images)
    words = f"not clamped: {whole:.1%} (95 %: {100 * low:.0f}–{100 * high:.0f})"
    axes.axhline(100 * whole, color=style.GREY, linewidth=0.8, linestyle=":", label=words)
    axes.axhspan(100 * low, 100 * high, color="0.93", zorder=0, linewidth=0)
    axes.set(xlabel="bound, mV", ylabel=f"accuracy, vote ({rule}), %")
    axes.grid(axis="y")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22))
    return drawn


def _channels_kept(view: RunView) -> Figure:
    positions, units, scored = view.facts.positions, view.facts.units, view.scored
    first_ones = slice(0, min(PRUNED_IMAGES, PRUNED_COUNTS // units))
    few = Responses(scored.counts[first_ones], scored.labels[first_ones], scored.indices[first_ones])
    kept = sorted({round(number) for number in np.geomspace(1, units // positions, 8)})
    activity = view.votes.sum(axis=0).reshape(positions, units // positions)
    random = np.random.default_rng(view.experiment.seed)
    orders = [np.argsort(-activity, axis=1, kind="stable")]
    orders += [np.argsort(random.random(activity.shape), axis=1) for _ in range(RANDOM_ORDERS)]
    first, *others = (by_channels_kept(view.votes, few, positions, kept, order) for order in orders)
    figure, axes = style.new_axes(120, 78)
    plot_channels_kept(axes, kept, first, others)
    axes.set_title(f"{view.label}\n{len(few.labels)} {view.split} images; random: mean ± sd of {RANDOM_ORDERS} draws")
    return figure


def _synapses_deleted(view: RunView) -> Figure:
    images = view.dataset.some(view.split, view.settings.images)
    accuracies = by_synapses_deleted(
        view.spec,
        view.network,
        view.votes,
        images,
        view.split,
        SHARES,
        seed=view.spec.seed,
        threads=view.settings.threads,
    )
    figure, axes = style.new_axes(style.SINGLE, 68)
    plot_synapses_deleted(axes, SHARES, accuracies)
    low, high = wilson_interval(len(images) // 2, len(images))
    axes.set_title(f"{view.label}\n{len(images)} {view.split} images, 95 %: up to ± {50 * (high - low):.0f} points")
    return figure


def _clamping(view: RunView) -> Figure:
    bounds: Float64s = np.quantile(off_diagonal(view.network.competition), QUANTILES).astype(np.float64)
    clamping = by_clamp(
        view.spec,
        view.network,
        view.dataset,
        view.split,
        bounds,
        view.settings.images,
        threads=view.settings.threads,
    )
    rule = max(THESIS_RULES, key=lambda name: float(np.mean(clamping.below[name])))
    trained = clamped_in_training(view.others, view.split, view.settings.images, rule)
    figure, axes = style.new_axes(style.SINGLE, 88)
    plot_clamping(axes, clamping, rule, trained)
    axes.set_title(f"{view.label}\n{clamping.images} calibration, {clamping.images} {view.split} images")
    return figure


def clamped_in_training(views: Sequence[RunView], part: str, images: int, rule: str) -> list[tuple[str, float, float]]:
    """Return side, bound (mV) and accuracy of the runs that were trained with competition.w_min or w_max.

    Parameters
    ----------
    views : runs with learned competition, bounded or not
    part : the scored split
    images : number of calibration images and of scored images, as for `by_clamp`
    rule : the voting rule
    """
    points = []
    for view in views:
        competition = view.spec.competition
        bounds = [("below", competition.w_min)] if np.isfinite(competition.w_min) else []
        bounds += [("above", competition.w_max)] if competition.w_max < 0 else []
        if competition.is_learned and bounds:
            splits, classes = clamp_splits(view.dataset, part, images), len(view.dataset.classes)
            threads = view.settings.threads
            accuracy = calibrated_accuracy(view.spec, view.network, splits, classes, threads=threads)[rule]
            points += [(side, bound, accuracy) for side, bound in bounds]
    return points


FIGURES = (
    RunFigure(
        "channels-kept",
        "accuracy of votes by the number of channels that take part (pruning curve)",
        ("state", "responses"),
        _channels_kept,
    ),
    RunFigure(
        "synapses-deleted",
        "accuracy of votes by the share of feedforward synapses deleted, simulated anew",
        ("spiking network", "state", "responses", "images"),
        _synapses_deleted,
    ),
    RunFigure(
        "clamping",
        "accuracy with the learned competition clamped at evaluation; runs of --beside: clamped in training",
        ("spiking network", "state", "learned competition", "images"),
        _clamping,
        lacks_pairs,
    ),
)
