"""Report the comparison of kinds of competition: Markdown table, figure and numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stdpnet.runs.files import write_text
from stdpnet.spec.load import load_config
from stdpnet_analysis.figures import save, style
from stdpnet_analysis.paper.competition_search import KINDS, Result
from stdpnet_analysis.statistics import PairedTest, holm, paired_test, summarise
from stdpnet_analysis.tables import markdown_lines
from stdpnet_analysis.text import MISSING, percent, plain, points, with_minus

PairedTests = dict[str, dict[str, PairedTest | None]]
"""Kind of competition -> read-out -> its paired test against fixed competition."""


def compared(results: Sequence[Result]) -> PairedTests:
    """Return kind -> read-out -> paired test against the first kind."""
    first, *others = results
    return {
        result.kind: {name: paired_test(result.accuracy[name], first.accuracy[name]) for name in ("vote", "linear")}
        for result in others
    }


def table(network: str, results: Sequence[Result]) -> str:
    """Return the Markdown table of a network."""
    label = load_config(network).topology.label
    tests = compared(results)
    corrected = {}
    for name in ("vote", "linear"):
        p_values = [paired.t_test if (paired := by_readout[name]) else None for by_readout in tests.values()]
        corrected[name] = dict(zip(tests, holm(p_values), strict=True))
    headings = ["competition", "validation", "vote", "− fixed [95 %]", "p", "linear", "− fixed [95 %]", "p"]
    rows = []
    for result in results:
        cells = [result.kind, f"{100 * result.validation:.2f}"]
        for name in ("vote", "linear"):
            cells.append(percent(summarise(list(result.accuracy[name].values())), 2))
            paired = tests.get(result.kind, {}).get(name)
            cells += _difference(paired, corrected[name].get(result.kind)) if paired else [MISSING, MISSING]
        rows.append(cells)
    title = f"### {label}, {len(results[0].accuracy['vote'])} seeds, {results[0].trials} trials each"
    lines = [title, "", *markdown_lines(headings, rows), "", "Parameters of the best trials:", ""]
    for result in results:
        values = ", ".join(f"{key} {plain(value, 3)}" for key, value in result.parameters.items())
        lines.append(f"- {result.kind}: {values}{_distribution(result.weights)}")
    return "\n".join(lines) + "\n"


def _difference(paired: PairedTest, p: float | None) -> list[str]:
    return [points(paired), MISSING if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"]


def _distribution(weights: NDArray[np.float64] | None) -> str:
    if weights is None:
        return ""
    low, median, high = np.quantile(weights, (0.05, 0.5, 0.95))
    return (
        f"; learned weights: median {median:.3g} mV, 5 % to 95 % from {low:.3g} to {high:.3g}, "
        f"{np.mean(weights == 0):.0%} at 0"
    )


def _plot_differences(axes: Axes, tests: PairedTests, rows: int) -> None:
    """Draw the paired differences to fixed competition, a row for each kind; that of "none" is written as a number."""
    near = [
        bound
        for kind, by_readout in tests.items()
        if kind != "none"
        for test in by_readout.values()
        if test
        for bound in test.interval
    ]
    left = 100 * min(near) - 1
    for row, (kind, by_readout) in enumerate(tests.items()):
        far = [with_minus(f"{100 * test.difference:.0f}") for test in by_readout.values() if test and kind == "none"]
        axes.text(left, -row, ("← " if far else "") + ", ".join(far), fontsize=6, va="center")
        for number, (name, test) in enumerate(by_readout.items()):
            if test is None or kind == "none":
                continue
            middle, (low, high) = 100 * test.difference, test.interval
            axes.errorbar(
                middle,
                -row + 0.12 - 0.24 * number,
                xerr=[[middle - 100 * low], [100 * high - middle]],
                fmt="os"[number],
                color=style.colour(number),
                capsize=2,
                label=name if row == len(tests) - 1 else None,
            )
    axes.axvline(0, color=style.GREY, linewidth=0.6)
    axes.set(xlabel="difference, points", xlim=(left, max(100 * max(near), 0) + 0.5))
    axes.set_yticks([-row for row in range(len(tests))], list(tests))
    axes.set_ylim(0.5 - rows, 0.5)


def _plot_strengths(axes: Axes, result: Result) -> None:
    """Draw the cumulative distribution of the learned weights: a colour for each rule, dashed if they began at c_w."""
    strengths = -np.asarray(result.weights, np.float64)
    edges = np.geomspace(1.0, max(10.0, strengths.max()), 60)
    kind = result.kind.removesuffix(" from c_w")
    look: Any = {"color": style.colour(list(KINDS).index(kind)), "linestyle": "-" if kind == result.kind else "--"}
    weaker = [100 * np.mean(strengths <= edge) for edge in edges]
    axes.plot(edges, weaker, label=result.kind, **look)


def plot(figure: Figure, networks: dict[str, Sequence[Result]]) -> None:
    """Draw the paired differences with their intervals, and below them the distributions of the learned weights."""
    rows = max(len(results) for results in networks.values()) - 1
    panels = figure.subplots(2, len(networks), squeeze=False, gridspec_kw={"height_ratios": (1.4, 1)})
    for (network, results), (above, below) in zip(networks.items(), panels.T, strict=True):
        _plot_differences(above, compared(results), rows)
        if above is not panels[0, 0]:
            above.set_yticklabels([])
        above.set_title(load_config(network).topology.label)
        for result in results:
            if result.weights is not None:
                _plot_strengths(below, result)
        below.set(xscale="log", xlabel="strength, mV", ylim=(0, 103))
    panels[0, 0].set_ylabel("competition, less fixed")
    panels[1, 0].set_ylabel("learned weights\nthat are weaker, %")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    figure.legend(*panels[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)


def write(networks: dict[str, Sequence[Result]], folder: Path) -> None:
    """Write the tables, the figure and the numbers of the finished networks."""
    write_text(folder / "competition.md", "\n".join(table(*item) for item in networks.items()))
    numbers = {
        network: [{**result._asdict(), "weights": None} for result in results] for network, results in networks.items()
    }
    write_text(folder / "competition.json", json.dumps(numbers, indent=2) + "\n")
    with style.context():
        figure = style.new_figure(style.DOUBLE, 120)
        plot(figure, networks)
        save(figure, folder / "competition.png", dpi=300)
