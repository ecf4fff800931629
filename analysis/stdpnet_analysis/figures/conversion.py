"""Draw rate-conversion networks: their answers step by step, and their accuracy against the time step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from stdpnet.baselines.rate_conversion.spec import RateConversionExperiment
from stdpnet.errors import RunError
from stdpnet_analysis.conversion import CONVERSION, step_by_step
from stdpnet_analysis.evaluation import STREAMS
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.view import RunView

EXAMPLES = 3
"""Images in the figure of answers."""
SHOWN_CLASSES = 12
"""The figure has a legend if there are at most so many classes."""


def plot_spikes_per_step(axes: Axes, spikes: NDArray[np.floating]) -> NDArray[np.int64]:
    """Draw the frequencies of 0, 1, 2, ... spikes per unit and step, from spikes (T, H); return them."""
    frequencies = np.bincount(spikes.astype(int).ravel())
    axes.bar(np.arange(len(frequencies)), frequencies, color=style.colour(0))
    axes.set(xlabel="spikes per unit per step", ylabel="frequency", yscale="log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return frequencies


def plot_probabilities(
    axes: Axes,
    seconds: NDArray[np.floating],
    so_far: NDArray[np.floating],
    alone: NDArray[np.floating],
    names: Sequence[str],
    label: int,
) -> list[Line2D]:
    """Draw probabilities of the classes over time; that of the right class is bold.

    Parameters
    ----------
    axes : where to draw
    seconds : (T,) the end of each step
    so_far : (T, K) of the mean output so far, drawn as lines
    alone : (T, K) of each step alone, drawn as dots
    names, label : names of the classes, and the number of the right class
    """
    lines = []
    for number, name in enumerate(names):
        look: Any = {"color": style.colour(number)}
        width, line = (2.2 if number == label else 0.9), style.LINES[number // len(style.OKABE_ITO) % 4]
        lines += axes.plot(seconds, so_far[:, number], label=name, linewidth=width, linestyle=line, **look)
        axes.plot(seconds, alone[:, number], linestyle="none", marker=".", markersize=2.5, **look)
    axes.set(xlabel="time, s", ylabel="probability", ylim=(-0.03, 1.03))
    return lines


def plot_accuracy_against_dt(axes: Axes, results: Mapping[str, Any]) -> dict[str, Line2D]:
    """Draw the accuracies of `stdpnet conversion` with their intervals; dashed: units without spikes."""
    drawn = {}
    dts = [result["dt"] for result in results["spiking"]]
    for number, name in enumerate(results["rate"]):
        scores = [result["images"][name] for result in results["spiking"]]
        look: Any = {"color": style.colour(number)}
        low, high = (np.array([100 * score["interval"][end] for score in scores]) for end in (0, 1))
        mean = np.array([100 * score["accuracy"] for score in scores])
        (drawn[name],) = axes.plot(dts, mean, "os^v"[number % 4] + "-", label=f"{name} images, spiking", **look)
        axes.fill_between(dts, low, high, alpha=0.2, linewidth=0, **look)
        rate = 100 * results["rate"][name]["accuracy"]
        axes.axhline(rate, linestyle="--", linewidth=0.8, label=f"{name} images, no spikes", **look)
    axes.set(xscale="log", xlabel="time step dt, s", ylabel="accuracy, %", ylim=(0, 100))
    axes.grid()
    axes.legend(loc="lower right")
    return drawn


def _spec(view: RunView) -> RateConversionExperiment:
    if not isinstance(view.experiment, RateConversionExperiment):
        raise RunError(f"{view.run.path}: this needs a rate-conversion network, and it is '{view.experiment.model}'")
    return view.experiment


def _answers_step_by_step(view: RunView) -> Figure:
    spec, split = _spec(view), view.dataset.split(view.shown_split)
    numbers = [(view.shown_image + number) % len(split) for number in range(min(EXAMPLES, len(split)))]
    shown = split.at(np.array(numbers))
    found = step_by_step(spec, view.state, shown, STREAMS[view.shown_split])
    seconds = spec.spiking.dt * (np.arange(spec.spiking.steps) + 1)
    figure = style.new_figure(style.DOUBLE, 50 * len(numbers) + 12)
    rows = figure.subplots(len(numbers), 3, squeeze=False, width_ratios=(1, 1.5, 2))
    names = [
        view.classes[number] if number < len(view.classes) else str(number) for number in range(spec.training.classes)
    ]
    lines: list[Line2D] = []
    for place, (image, histogram, over_time) in enumerate(rows):
        label = int(shown.labels[place])
        image.imshow(shown.images[place], cmap="gray", vmin=0, vmax=255)
        image.set_title(f"{view.shown_split} image {numbers[place]}: {view.classes[label]}")
        style.bare(image)
        plot_spikes_per_step(histogram, found.spikes[:, place])
        lines = plot_probabilities(over_time, seconds, found.so_far[:, place], found.alone[:, place], names, label)
    if len(names) <= SHOWN_CLASSES:
        meaning = "thick: the image's class; points: by one step alone"
        look: Any = {"ncols": min(len(names), 6), "title": meaning, "title_fontsize": 6.5}
        figure.legend(lines, names, loc="outside lower center", **look)
    figure.suptitle(f"{view.label}; dt = {spec.spiking.dt:g} s")
    return figure


def _accuracy_against_dt(view: RunView) -> Figure:
    split, results = CONVERSION.of(view)
    figure = style.new_figure(110, 75)
    plot_accuracy_against_dt(figure.subplots(), results)
    figure.suptitle(f"{view.label}; {results['protocol'].get('images', '?')} {split} images")
    return figure


FIGURES = (
    RunFigure(
        "conversion-answers",
        "three images, spikes of hidden units per step, and the probability of each class so far, and by a step alone",
        ("state", "images"),
        _answers_step_by_step,
        models=("rate_conversion",),
    ),
    RunFigure(
        "conversion",
        "accuracy with spikes against the time step, and without",
        ("state",),
        _accuracy_against_dt,
        CONVERSION.lacks,
        models=("rate_conversion",),
    ),
)
