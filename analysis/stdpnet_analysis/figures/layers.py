"""Draw networks that learn from labels: both layers during one image, weights before and after, gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from stdpnet.baselines.surrogate_gradient.network import LayerRecording, SurrogateNetwork
from stdpnet.baselines.surrogate_gradient.spec import SurrogateGradientExperiment
from stdpnet.model import open_model
from stdpnet_analysis.evaluation import STREAMS
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.activity import plot_image
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.view import RunView

WEIGHTS = {"hidden_weights": "pixels to hidden units", "output_weights": "hidden to output units"}
"""Arrays of weights of networks that learn from labels -> title of their panel."""
TRACES = 3
"""Neurons of each layer whose potential is drawn."""


def plot_layer(axes: Axes, spikes: NDArray[np.floating]) -> PathCollection:
    """Draw the spikes (T, n) of a layer, a row for each neuron; return the points (ms, neuron)."""
    when, neuron = np.nonzero(spikes)
    size = float(np.clip(3000 / max(len(when), 1), 0.5, 6))
    points = axes.scatter(when + 1, neuron, s=size, color=style.colour(0), linewidths=0, rasterized=len(when) > 5000)
    axes.set(xlim=(0, len(spikes) + 1), ylim=(spikes.shape[1] - 0.5, -0.5), xlabel="time, ms")
    return points


def plot_potentials(
    axes: Axes, potentials: NDArray[np.floating], neurons: Mapping[int, str], threshold: float
) -> dict[int, Line2D]:
    """Draw the potentials (T, n) of some neurons, before the reset, and the threshold.

    Parameters
    ----------
    axes : where to draw
    potentials : (T, n)
    neurons : the neurons to draw, number -> name
    threshold : at which a neuron spikes

    Returns
    -------
    The line of each neuron, by its number.
    """
    drawn, time = {}, np.arange(len(potentials)) + 1
    for place, (neuron, name) in enumerate(neurons.items()):
        look: Any = {"color": style.colour(place), "linestyle": style.LINES[place], "linewidth": 0.9}
        (drawn[neuron],) = axes.plot(time, potentials[:, neuron], label=name, **look)
    axes.axhline(threshold, color=style.GREY, linewidth=0.7)
    axes.set(xlim=(0, len(potentials) + 1), xlabel="time, ms", ylabel="membrane potential")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(neurons), columnspacing=1.0)
    return drawn


def plot_recording(figure: Figure, recording: LayerRecording, classes: Sequence[str], threshold: float) -> None:
    """Draw an image, the spikes of both layers, and the potentials of the neurons of each layer that spike most."""
    panels = figure.subplot_mosaic(
        [["image", "hidden", "output"], ["input", "hidden v", "output v"]], width_ratios=(0.7, 1, 1)
    )
    plot_image(panels["image"], recording.image, f"class {classes[recording.label]}")
    plot_layer(panels["input"], recording.input).set_color(style.colour(6))
    panels["input"].set_ylabel("pixel")
    for name, layer in (("hidden", recording.hidden), ("output", recording.output)):
        axes, counts = panels[name], layer.s.sum(axis=0)
        plot_layer(axes, layer.s)
        axes.set(ylabel=f"{name} neuron", title=f"{counts.sum():.0f} spikes")
        titles = classes if name == "output" else [str(number) for number in range(len(counts))]
        if name == "output":
            axes.set_yticks(range(len(classes)), classes)
        most = np.argsort(-counts, kind="stable")[:TRACES]
        plot_potentials(panels[f"{name} v"], layer.v, {int(neuron): titles[neuron] for neuron in most}, threshold)


def plot_weights(axes: Axes, before: NDArray[np.floating], after: NDArray[np.floating]) -> tuple[StepPatch, StepPatch]:
    """Draw the histograms of weights before and after training, over the same 60 intervals; return their steps."""
    edges = np.histogram_bin_edges(np.concatenate([before.ravel(), after.ravel()]), 60)
    first, second = (
        axes.stairs(np.histogram(values, edges)[0], edges, label=label, color=style.colour(number), linewidth=1.1)
        for number, (values, label) in enumerate(((before, "before training"), (after, "after training")))
    )
    axes.set(xlabel="weight", ylabel="synapses", yscale="log")
    axes.set_ylim(bottom=0.7)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.legend()
    return first, second


def plot_gradients(figure: Figure, rows: Sequence[Mapping[str, Any]]) -> dict[str, Line2D]:
    """Draw loss, training accuracy and L2 norm of the gradient in rows of progress; return the lines by key."""
    panels, images, drawn = figure.subplots(1, 3), np.array([row["images"] for row in rows]) / 1000, {}
    for axes, (key, label, factor) in zip(
        panels,
        (
            ("loss", "loss", 1),
            ("training_accuracy", "training accuracy, %", 100),
            ("gradient_norm", "L2 norm of the gradient", 1),
        ),
        strict=True,
    ):
        values = np.array([row[key] for row in rows], np.float64) * factor
        (drawn[key],) = axes.plot(images, values, "o-", color=style.colour(0), markersize=2)
        axes.set(xlabel="training images, thousands", ylabel=label)
        axes.set_xlim(left=0)
    panels[2].set_yscale("log")
    style.log_ticks(panels[2].yaxis)
    return drawn


def _layers(view: RunView) -> Figure:
    spec, split = view.experiment, view.dataset.split(view.shown_split)
    if not isinstance(spec, SurrogateGradientExperiment):
        raise TypeError(spec)  # only that model has this figure
    network = SurrogateNetwork(spec, view.settings.threads)
    recording = network.record(view.state.arrays, split.at(np.array([view.shown_image])), STREAMS[view.shown_split])
    figure = style.new_figure(style.DOUBLE, 105)
    plot_recording(figure, recording, view.classes, spec.neuron.threshold)
    figure.suptitle(f"{view.label}; {view.shown_split} image {view.shown_image}")
    return figure


def _weights(view: RunView) -> Figure:
    before = open_model(view.experiment).initial(view.experiment).arrays
    figure = style.new_figure(style.DOUBLE, 65)
    for axes, (name, title) in zip(figure.subplots(1, len(WEIGHTS)), WEIGHTS.items(), strict=True):
        plot_weights(axes, before[name], view.state.arrays[name])
        axes.set_title(title)
    figure.suptitle(view.label)
    return figure


def _gradient_rows(view: RunView) -> list[dict[str, Any]]:
    return [row for row in view.progress if row.get("gradient_norm") is not None]


def _gradients(view: RunView) -> Figure:
    figure = style.new_figure(style.DOUBLE, 55)
    plot_gradients(figure, _gradient_rows(view))
    figure.suptitle(f"Training of {view.facts.label}")
    return figure


def _lacks_gradients(view: RunView) -> str | None:
    return None if _gradient_rows(view) else "its rows of progress have no gradient"


SUPERVISED = ("rate_conversion", "surrogate_gradient")
FIGURES = (
    RunFigure(
        "layers",
        "spikes and potentials of hidden and output neurons during one image",
        ("state", "images"),
        _layers,
        models=("surrogate_gradient",),
    ),
    RunFigure(
        "weight-histograms",
        "weights of both layers before and after training",
        ("state",),
        _weights,
        models=SUPERVISED,
    ),
    RunFigure(
        "gradients",
        "loss, accuracy and gradient norm during training",
        ("progress",),
        _gradients,
        _lacks_gradients,
        models=SUPERVISED,
    ),
)
