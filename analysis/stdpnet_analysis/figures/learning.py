"""Draw learning curves, and plasticity windows measured from the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stdpnet.arrays import Float64s
from stdpnet.stdp.spec.plasticity import PairRule
from stdpnet_analysis.figures import progress, style
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.grouping import Member, deciding_keys, grouped
from stdpnet_analysis.plasticity_windows import Window, measure_window
from stdpnet_analysis.readouts import names_of, title_of
from stdpnet_analysis.readouts.scores import best_of
from stdpnet_analysis.text import literal
from stdpnet_analysis.view import RunView

Curve = tuple[Float64s, Float64s]
"""Training images (K,), value (K,)."""
READOUTS = ("vote", "log_evidence", "linear")
"""The read-outs whose learning curves are drawn, where they were scored."""
SHOWN_SPAN = 80.0
"""Largest interval between two spikes in a plasticity window, ms."""
MARKED = 25
"""Evaluations have markers if there are at most so many; more would cover the line and its style."""


class Band(NamedTuple):
    """A curve with its deviation over seeds."""

    images: Float64s
    """(K,) training images at which every seed was evaluated."""
    mean: Float64s
    """(K,)"""
    sd: Float64s
    """(K,) sample standard deviation; 0 for a single seed."""
    seeds: int


def band(curves: Sequence[Curve]) -> Band:
    """Return mean and sample standard deviation of curves at the numbers of images that all of them have."""
    common = curves[0][0]
    for images, _ in curves[1:]:
        common = np.intersect1d(common, images)
    values = np.array([value[np.isin(images, common)] for images, value in curves])
    sd = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(len(common))
    return Band(images=common, mean=values.mean(axis=0), sd=sd, seeds=len(values))


def plot_learning_curves(
    axes: Axes,
    groups: Mapping[str, Sequence[Curve]],
    ylabel: str,
    architectures: Sequence[str] = (),
    looks: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Line2D]:
    """Draw curves against training images; a band of ± one standard deviation where there are several seeds.

    Parameters
    ----------
    axes : where to draw
    groups : name -> the curves of its seeds
    ylabel : quantity and unit
    architectures : LCSNN, CSNN or FCSNN of each group, for its colour; default the name of the group
    looks : colour and line style of each group, instead of those of its architecture

    Returns
    -------
    The mean lines, by name.
    """
    drawn = {}
    chosen = looks or style.group_looks(list(architectures or groups))
    for look, (name, curves) in zip(chosen, groups.items(), strict=True):
        mean = band(curves)
        label = literal(name if mean.seeds == 1 else f"{name}, {mean.seeds} seeds")
        marker = "o" if len(mean.images) <= MARKED else ""
        (drawn[name],) = axes.plot(mean.images, mean.mean, marker=marker, markersize=2.5, label=label, **look)
        if mean.seeds > 1:
            low, high = mean.mean - mean.sd, mean.mean + mean.sd
            axes.fill_between(mean.images, low, high, color=look["color"], alpha=0.2, linewidth=0)
    axes.set(xlabel="training images", ylabel=ylabel)
    axes.set_xlim(left=0)
    axes.grid(axis="y")
    return drawn


def group_by_seed(views: Sequence[RunView]) -> dict[str, list[RunView]]:
    """Group runs that repeat one experiment with other seeds; a group's name has the network and its differing keys."""
    members = [
        Member(
            label=view.facts.label,
            facts=deciding_keys(view.experiment),
            name=view.run.path.name,
            seed=view.experiment.seed,
        )
        for view in views
    ]
    return {name: [views[number] for number in numbers] for name, numbers in grouped(members).items()}


def curve_of(view: RunView, column: str) -> Curve | None:
    """Return the learning curve of a read-out, accuracy in %; of `vote`, that of the rule with the best mean.

    Rows without it are left out; None where no row has it.
    """
    rows = [row for row in view.curve if any(name in row["accuracy"] for name in names_of(column))]
    name = best_of(column, *(row["accuracy"] for row in rows))
    if name is None:
        return None
    images = np.array([row["images"] for row in rows], np.float64)
    return images, np.array([100 * row["accuracy"][name] for row in rows])


class DrawnWindow(NamedTuple):
    """The artists of a plasticity window."""

    measured: Line2D
    formula: tuple[Line2D, Line2D]
    deviation: float
    """Largest difference of the measured changes from A exp(-|interval|/tau), mV."""


def exponential_window(rule: PairRule, intervals: Float64s) -> Float64s:
    """Return A_plus exp(-t/tau_plus) for t >= 0 and -A_minus exp(t/tau_minus) for t <= 0, both at 0; mV.

    With a rate target, a presynaptic spike also changes the weight by a constant, whatever the interval.

    Parameters
    ----------
    rule : amplitudes and time constants
    intervals : (K,) t = t_post - t_pre, ms
    """
    A_plus, A_minus = rule.amplitudes
    late = np.where(intervals >= 0, A_plus * np.exp(-np.abs(intervals) / rule.tau_plus), 0.0)
    early = np.where(intervals <= 0, -A_minus * np.exp(-np.abs(intervals) / rule.tau_minus), 0.0)
    expected: Float64s = late + early + A_minus * rule.resting_trace
    return expected


def plot_window(axes: Axes, window: Window, rule: PairRule) -> DrawnWindow:
    """Draw measured weight changes against the interval between the spikes, over the rule's exponentials.

    Parameters
    ----------
    axes : where to draw
    window : the changes that the engine made
    rule : the rule that it was given
    """
    curves = []
    for first, last in ((float(window.intervals[0]), -1e-9), (1e-9, float(window.intervals[-1]))):
        fine = np.linspace(first, last, 200)
        curves += axes.plot(fine, exponential_window(rule, fine), color=style.colour(1), linewidth=0.9)
    look: Any = {"markersize": 3, "markerfacecolor": "white", "markeredgewidth": 0.5, "color": style.colour(0)}
    (points,) = axes.plot(window.intervals, window.changes, "o", label="measured", zorder=1, **look)
    curves[0].set_label("A exp(−|Δt|/τ) + η α" if rule.resting_trace else "A exp(−|Δt|/τ)")
    axes.axhline(0, color=style.GREY, linewidth=0.5)
    axes.axvline(0, color=style.GREY, linewidth=0.5)
    axes.set(xlabel="Δt = t_post − t_pre, ms", ylabel="weight change, mV")
    axes.legend()
    deviation = float(np.abs(window.changes - exponential_window(rule, window.intervals)).max())
    return DrawnWindow(points, (curves[0], curves[1]), deviation)


def _curves(view: RunView) -> Figure:
    figure = style.new_figure(style.DOUBLE, 75)
    groups = group_by_seed(
        [member for member in (view, *view.others) if member.curve and not _lacks_evaluations(member)]
    )
    kinds = {label: members[0].facts.family for label, members in groups.items()}
    drawn = {}
    for column in READOUTS:
        curves = {
            label: found
            for label, members in groups.items()
            if (found := [curve for member in members if (curve := curve_of(member, column)) is not None])
        }
        if curves:
            drawn[column] = curves
    panels = figure.subplots(1, len(drawn), sharey=True, squeeze=False)[0]
    for axes, (column, curves) in zip(panels, drawn.items(), strict=True):
        plot_learning_curves(axes, curves, "validation accuracy, %", [kinds[label] for label in curves])
        axes.set_title(title_of(column))
        if axes is panels[0] or list(curves) != list(drawn[next(iter(drawn))]):
            axes.legend(loc="lower right")
    for axes in panels[1:]:
        axes.set_ylabel("")
    return figure


def _lacks_evaluations(view: RunView) -> str | None:
    """Return why the learning curve cannot be drawn, or None if it can."""
    if any(curve_of(view, column) is not None for column in READOUTS):
        return None
    return f"its learning curve has none of {', '.join(READOUTS)}"


def _windows(view: RunView) -> Figure:
    spec = view.spec
    rules: dict[Any, PairRule] = {"XY": spec.plasticity}
    # anti_hebbian does not learn from pairs of spikes
    if spec.competition.is_learned and spec.competition.rule != "anti_hebbian":
        rules["YY"] = spec.competition
    names = {"XY": "feedforward STDP (XY)", "YY": f"competition, {spec.competition.rule} (YY)"}
    figure = style.new_figure(style.SINGLE * len(rules), 65)
    panels = np.atleast_1d(figure.subplots(1, len(rules)))
    for axes, (name, rule) in zip(panels, rules.items(), strict=True):
        drawn = plot_window(axes, measure_window(spec, name, SHOWN_SPAN), rule)
        engine = f"{spec.simulation.engine} engine, {spec.simulation.effective_dtype}"
        axes.set_title(f"{names[name]}\n{engine}: deviation ≤ {drawn.deviation:.1g} mV")
    return figure


FIGURES = (
    RunFigure(
        "learning-curve",
        "validation accuracy during training; runs of --beside in the same figure, seeds as a band",
        ("curve",),
        _curves,
        _lacks_evaluations,
    ),
    *progress.FIGURES,
    RunFigure(
        "plasticity-window",
        "weight change by pairs of spikes, measured from the run's engine",
        ("spiking network",),
        _windows,
    ),
)
