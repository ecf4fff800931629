"""Draw a comparison of experiments: accuracy against the number of synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import Bbox

from stdpnet_analysis.compare import Comparison, Group
from stdpnet_analysis.figures import style
from stdpnet_analysis.readouts import title_of
from stdpnet_analysis.statistics import Summary

SIDES: tuple[dict[str, Any], ...] = (
    {"position": (0, 4), "ha": "center", "va": "bottom"},
    {"position": (-5, 0), "ha": "right", "va": "center"},
    {"position": (5, 0), "ha": "left", "va": "center"},
    {"position": (0, -4), "ha": "center", "va": "top"},
)
"""Where a number may stand beside its point; positions in typographic points."""
LARGE_KERNEL = 12
"""Side of a kernel, pixels; networks with smaller kernels have hollow markers and dashed lines."""


class Family(NamedTuple):
    """Networks that differ only in their size: one line of the figure."""

    architecture: str
    kernel: int
    learned: bool = False
    """Whether the competition is learned."""

    @property
    def name(self) -> str:
        """Name in the legend."""
        kernel = f", kernel {self.kernel}" if self.kernel and self.architecture != "FCSNN" else ""
        return f"{self.architecture}{kernel}{', learned competition' if self.learned else ''}"

    @property
    def is_small(self) -> bool:
        """Whether its receptive fields are smaller than those of other networks."""
        return 0 < self.kernel < LARGE_KERNEL


class SizedAccuracy(NamedTuple):
    """One network in the figure."""

    label: str
    """Its number of channels, or of units in a model without channels; written beside its point."""
    synapses: int
    accuracy: Summary
    """Fraction."""
    untrained: float | None = None
    """Fraction."""

    @property
    def bar(self) -> tuple[float, float]:
        """Ends of its error bar, %."""
        half = self.accuracy.sd or 0.0
        return 100 * (self.accuracy.mean - half), 100 * (self.accuracy.mean + half)


def plot_accuracy_vs_synapses(
    axes: Axes,
    families: Mapping[Family, Sequence[SizedAccuracy]],
    pixels: float | None = None,
    below: Axes | None = None,
    looks: Mapping[str, tuple[str, str]] | None = None,
) -> dict[Family, ErrorbarContainer]:
    """Draw accuracy against the number of synapses, a line for each family, ± one standard deviation over seeds.

    Parameters
    ----------
    axes : where to draw
    families : family -> networks of several sizes
    pixels : accuracy of a linear read-out of the pixels, a fraction
    below : where to draw the untrained networks; default `axes`
    looks : colour and marker of each architecture or model; default: those of the families drawn here

    Returns
    -------
    The points of each family.
    """
    looks = looks or style.family_looks([family.architecture for family in families])
    drawn, everything = {}, [network for networks in families.values() for network in networks]
    for family, networks in families.items():
        colour, marker = looks[family.architecture]
        ordered = sorted(networks, key=lambda network: network.synapses)
        x = np.array([network.synapses for network in ordered], np.float64)
        y = np.array([100 * network.accuracy.mean for network in ordered])
        sd = np.array([100 * (network.accuracy.sd or 0.0) for network in ordered])
        drawn[family] = axes.errorbar(x, y, sd, label=family.name, color=colour, **_look(family, colour, marker))
        for network, at, height in zip(ordered, x, y, strict=True):
            low, high = _joint_bar(network, everything)
            place: Any = {"xy": (at, high), "xytext": (0, 4), "va": "bottom", "ha": "center"}
            if family.learned:
                place = {"xy": (at, low), "xytext": (0, -4), "va": "top", "ha": "center"}
            elif family.is_small:
                place = {"xy": (at, height), "xytext": (-5, 0), "va": "center", "ha": "right"}
            axes.annotate(network.label, textcoords="offset points", fontsize=5.5, color=style.darker(colour), **place)
        bare = [(network.synapses, 100 * network.untrained) for network in ordered if network.untrained is not None]
        if bare:
            (below or axes).plot(
                *zip(*bare, strict=True), linestyle="none", marker="x", markersize=3, color=colour, alpha=0.7
            )
    if pixels is not None:
        axes.axhline(100 * pixels, color=style.GREY, linewidth=0.8, linestyle=":")
        axes.text(1.01, 100 * pixels, "pixels", transform=axes.get_yaxis_transform(), va="center", fontsize=6)
    axes.set(xscale="log", xlabel="synapses (feedforward + competition)", ylabel="accuracy, %")
    axes.margins(x=0.1, y=0.08)
    low, high = axes.get_xlim()
    wide = LogLocator(subs=(1,) if high > 200 * low else (1, 2, 5))
    axes.xaxis.set_major_locator(wide if high > 10 * low else MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(EngFormatter(sep="\u2009"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y")
    return drawn


def _joint_bar(network: SizedAccuracy, everything: Sequence[SizedAccuracy]) -> tuple[float, float]:
    """Return the ends, %, of a network's error bar together with the overlapping bars of networks of about its size."""
    low, high = network.bar
    near = [other.bar for other in everything if abs(np.log(other.synapses / network.synapses)) < 0.05]
    meeting = [bar for bar in near if bar[0] <= high and bar[1] >= low]
    return min(bar[0] for bar in meeting), max(bar[1] for bar in meeting)


def _look(family: Family, colour: str, marker: str) -> dict[str, Any]:
    """Return marker and line of a family."""
    shape = {"marker": "*", "markersize": 6.5} if family.learned else {"marker": marker, "markersize": 4.2}
    line = {"linestyle": "--" if family.is_small else "-", "linewidth": 0.8, "capsize": 2}
    return shape | line | {"markerfacecolor": "white" if family.is_small else colour}


def families(groups: Sequence[Group], readout: str) -> dict[Family, list[SizedAccuracy]]:
    """Return the networks of each family."""
    found: dict[Family, list[SizedAccuracy]] = {}
    for group in groups:
        accuracy, details = group.accuracy(readout), group.model.details
        if accuracy is None:
            continue
        learned = details.get("competition", "none") not in ("none", "fixed")
        family = Family(group.model.family, details.get("kernel", 0), learned)
        untrained = group.untrained(readout)
        point = SizedAccuracy(
            label=str(details.get("channels", group.model.units)),
            synapses=group.model.total_synapses,
            accuracy=accuracy,
            untrained=None if untrained is None else untrained.mean,
        )
        found.setdefault(family, []).append(point)
    return found


def accuracy_vs_synapses(comparison: Comparison) -> Figure:
    """Return the figure of a comparison: a panel for each read-out, and below it the untrained networks if any."""
    drawn = {readout: families(comparison.groups, readout) for readout in comparison.columns}
    networks = [network for found in drawn.values() for sizes in found.values() for network in sizes]
    bare = any(network.untrained is not None for network in networks)
    figure = style.new_figure(style.DOUBLE, 115 if bare else 85)
    ratios = (3, 1) if bare else (1,)
    panels, *rest = figure.subplots(
        len(ratios), len(drawn), sharex=True, sharey="row", height_ratios=ratios, squeeze=False
    )
    lower = rest[0] if bare else [None] * len(drawn)
    looks = style.family_looks([group.model.family for group in comparison.groups])
    baselines = [summary.mean for group in comparison.groups if (summary := group.mean(lambda entry: entry.pixels))]
    for axes, below, (readout, found) in zip(panels, lower, drawn.items(), strict=True):
        pixels = float(np.mean(baselines)) if baselines and readout in ("linear", "linear_cv") else None
        plot_accuracy_vs_synapses(axes, found, pixels, below, looks)
        axes.set(title=title_of(readout))
        if below is not None:
            below.set(ylabel="untrained, %")
            below.grid(axis="y")
        axes.set(xlabel="")
        (below or axes).set(xlabel="synapses")
    for row in (panels, *rest):
        for axes in row[1:]:
            axes.set_ylabel("")
    legend: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            legend.setdefault(label, handle)
    if bare:
        legend["untrained"] = Line2D([], [], linestyle="none", marker="x", markersize=3, color="0.3")
    figure.legend(
        legend.values(),
        legend,
        loc="outside lower center",
        ncols=4,
        title="number at a point: channels, or units; synapses: feedforward and competition",
        title_fontsize=6.5,
    )
    figure.draw_without_rendering()  # panels get their final sizes
    for axes in panels:
        separate_numbers(axes)
    return figure


def separate_numbers(axes: Axes) -> None:
    """Move each number that covers another number or point to a free side of its own point, if there is one."""
    points = np.concatenate(
        [axes.transData.transform(line.get_xydata()) for line in axes.lines if line.get_marker() != "None"]
    )
    taken = [Bbox.from_extents(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    for number in [text for text in axes.texts if isinstance(text, Annotation)]:
        usual = {
            "position": number.get_position(),
            "ha": number.get_horizontalalignment(),
            "va": number.get_verticalalignment(),
        }
        for side in (usual, *SIDES, usual):
            number.set(**side)
            box = number.get_window_extent()
            if not box.count_overlaps(taken):
                break
        taken.append(box)
