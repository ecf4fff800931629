"""Experiments side by side: accuracy against size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stdpnet.spec.topology import ABBREVIATIONS
from stdpnet_analysis.compare import READOUTS, Comparison, Group
from stdpnet_analysis.figures import style
from stdpnet_analysis.statistics import Summary

LOOKS = {"LCSNN": (0, "o"), "CSNN": (1, "s"), "FCSNN": (2, "D")}
TITLES = {"vote": "best vote", "linear": "linear read-out"}


class SizedAccuracy(NamedTuple):
    """One network in the figure."""

    label: str
    """Channels/kernel, written beside its point."""
    synapses: int
    accuracy: Summary
    """Fraction."""
    untrained: float | None = None
    """Fraction."""


def plot_accuracy_vs_synapses(
    axes: Axes, families: Mapping[str, Sequence[SizedAccuracy]], pixels: float | None = None
) -> dict[str, ErrorbarContainer]:
    """Draw accuracy against the number of synapses, a line for each family, ± one standard deviation over seeds.

    Parameters
    ----------
    axes : where to draw
    families : architecture and kernel, as in "LCSNN, kernel 12" -> networks of several sizes
    pixels : accuracy of a linear read-out of the pixels, a fraction

    Returns
    -------
    The points of each family, by name.
    """
    drawn = {}
    kernels: dict[str, list[str]] = {}
    for name, networks in families.items():
        architecture = name.partition(",")[0]
        seen = kernels.setdefault(architecture, [])
        seen.append(name)
        number, marker = LOOKS.get(architecture, (len(LOOKS) + len(kernels), "^"))
        colour, filled = style.colour(number), len(seen) % 2 == 1
        ordered = sorted(networks, key=lambda network: network.synapses)
        x = np.array([network.synapses for network in ordered], np.float64)
        y = np.array([100 * network.accuracy.mean for network in ordered])
        sd = np.array([100 * (network.accuracy.sd or 0.0) for network in ordered])
        look: Any = {"marker": marker, "markersize": 4.5, "color": colour, "linestyle": "-" if filled else "--"}
        look |= {"markerfacecolor": colour if filled else "white", "linewidth": 0.8, "capsize": 2, "label": name}
        drawn[name] = axes.errorbar(x, y, sd, **look)
        for network, at, height in zip(ordered, x, y, strict=True):
            axes.annotate(network.label, (at, height), (0, 5), textcoords="offset points", ha="center", fontsize=5.5)
        bare = [(network.synapses, 100 * network.untrained) for network in ordered if network.untrained is not None]
        if bare:
            axes.plot(*zip(*bare, strict=True), linestyle="none", marker="x", markersize=3, color=colour, alpha=0.7)
    if pixels is not None:
        axes.axhline(100 * pixels, color=style.GREY, linewidth=0.8, linestyle=":")
        axes.annotate("pixels", (1, 100 * pixels), (-2, 2), xycoords=("axes fraction", "data"),
                      textcoords="offset points", ha="right", fontsize=6, color="0.35")  # fmt: skip
    axes.set(xscale="log", xlabel="synapses (feedforward + competition)", ylabel="accuracy, %")
    axes.margins(x=0.12, y=0.1)
    axes.grid(axis="y")
    return drawn


def families(groups: Sequence[Group], readout: str) -> dict[str, list[SizedAccuracy]]:
    """Return the networks of each architecture and kernel (and learned competition)."""
    found: dict[str, list[SizedAccuracy]] = {}
    for group in groups:
        topology, geometry = group.spec.topology, group.spec.geometry
        learned = ", learned" if group.spec.competition.learned else ""
        name = f"{ABBREVIATIONS[topology.architecture]}, kernel {geometry.kernel}{learned}"
        untrained = group.untrained(readout)
        point = SizedAccuracy(
            f"{geometry.channels}/{geometry.kernel}",
            geometry.synapses,
            group.accuracy(readout),
            None if untrained is None else untrained.mean,
        )
        found.setdefault(name, []).append(point)
    return found


def accuracy_vs_synapses(comparison: Comparison) -> Figure:
    """Return the figure of a comparison, votes beside the linear read-out."""
    figure = style.new_figure(style.DOUBLE, 92)
    panels = figure.subplots(1, len(READOUTS), sharey=True)
    baselines = [summary.mean for group in comparison.groups if (summary := group.mean(lambda each: each.pixels))]
    for axes, readout in zip(panels, READOUTS, strict=True):
        pixels = float(np.mean(baselines)) if baselines and readout == "linear" else None
        plot_accuracy_vs_synapses(axes, families(comparison.groups, readout), pixels)
        axes.set_title(TITLES[readout])
    panels[1].set_ylabel("")
    handles, labels = panels[0].get_legend_handles_labels()
    cross = Line2D([], [], linestyle="none", marker="x", markersize=3, color="0.3", label="untrained")
    figure.legend([*handles, cross], [*labels, "untrained"], loc="outside lower center", ncols=4)
    return figure
