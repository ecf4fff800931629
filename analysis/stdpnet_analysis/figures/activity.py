"""Draw the activity of a network: spikes and potentials on one image, firing rates over many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, StepPatch
from numpy.typing import NDArray

from stdpnet.arrays import Float64s
from stdpnet.stdp.spec.neuron import NeuronSpec
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.mosaic import grid_shape, tile
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.recording import ImageRecording, winner_and_loser
from stdpnet_analysis.view import RunView

VECTOR_SPIKES = 5000
"""Up to so many spikes are drawn as vector graphics; more are drawn as one image inside a vector file."""
DEAD = style.OKABE_ITO[1]


def plot_raster(axes: Axes, spikes: NDArray[np.bool_], dt: float) -> PathCollection:
    """Draw the spikes of all neurons during an image, position above position.

    Parameters
    ----------
    axes : where to draw
    spikes : (T, P, C)
    dt : length of a step, ms

    Returns
    -------
    The points (ms, neuron).
    """
    steps, positions, channels = spikes.shape
    when, neuron = np.nonzero(spikes.reshape(steps, -1))
    points = _points(axes, when * dt, neuron, neuron // channels % 2)
    for position in range(1, positions):
        axes.axhline(position * channels - 0.5, color="0.8", linewidth=0.5, zorder=0)
    axes.set(xlim=(0, steps * dt), ylim=(positions * channels - 0.5, -0.5), xlabel="time, ms", ylabel="neuron")
    if positions > 1:
        centres = (np.arange(positions) + 0.5) * channels - 0.5
        axes.set_yticks(centres, [str(position) for position in range(positions)])
        axes.tick_params(left=False)
        axes.set_ylabel(f"position ({channels} neurons each)")
    return points


def _points(axes: Axes, x: NDArray[np.floating], y: NDArray[np.integer], shade: NDArray[np.integer]) -> PathCollection:
    """Draw spikes as dots in two colours; the more spikes there are, the smaller the dots."""
    size = float(np.clip(6000 / max(len(x), 1), 0.6, 8))
    colours = np.array([style.colour(0), style.colour(6)])[shade]
    return axes.scatter(x, y, s=size, c=colours, linewidths=0, rasterized=len(x) > VECTOR_SPIKES)


def plot_input(axes: Axes, recording: ImageRecording) -> PathCollection:
    """Draw the input spikes of an image, pixel by pixel in row-major order; return the points (ms, pixel)."""
    pixels = recording.image.size
    shade = np.zeros(len(recording.input_pixels), np.intp)
    points = _points(axes, recording.input_steps * recording.dt, recording.input_pixels, shade)
    side = recording.image.shape[1]
    axes.set(xlim=(0, len(recording.v) * recording.dt), ylim=(pixels - 0.5, -0.5), xlabel="time, ms")
    axes.set_yticks(np.arange(0, pixels, 4 * side), [str(row) for row in range(0, side, 4)])
    axes.set_ylabel("pixel row")
    return points


def plot_image(axes: Axes, image: NDArray[np.uint8], title: str) -> AxesImage:
    """Draw an input image, ink in black."""
    drawn = axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[], title=title)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color("0.7")
    return drawn


class Trace(NamedTuple):
    """The artists of one neuron."""

    v: Line2D
    threshold: Line2D
    spikes: Line2D


def plot_membrane(axes: Axes, recording: ImageRecording, neuron: int, constants: NeuronSpec) -> Trace:
    """Draw potential and adaptive threshold of a neuron during an image, its spikes above.

    Parameters
    ----------
    axes : where to draw
    recording : the recorded image
    neuron : position * channels + channel
    constants : v_rest and v_thresh, mV
    """
    position, channel = divmod(neuron, recording.v.shape[2])
    v, theta = recording.v[:, position, channel], recording.theta[:, position, channel]
    time = (np.arange(len(v)) + 1) * recording.dt
    (potential,) = axes.plot(time, v, color=style.colour(0), linewidth=0.9, label="membrane potential")
    threshold = constants.v_thresh + theta
    (limit,) = axes.plot(time, threshold, color=style.colour(1), linewidth=1, label="adaptive threshold")
    spikes = np.flatnonzero(recording.spikes[:, position, channel])
    level = threshold[spikes] + 0.06 * (threshold[spikes] - constants.v_rest)
    (marks,) = axes.plot(time[spikes], level, "|", color="black", markersize=4, label="spike")
    axes.set(xlim=(0, time[-1]))
    return Trace(potential, limit, marks)


def plot_winner_and_loser(
    figure: Figure, recording: ImageRecording, constants: NeuronSpec, winner: int, loser: int
) -> dict[int, Trace]:
    """Draw two neurons side by side; where inhibition takes them far below rest, the whole range stands below.

    Returns
    -------
    The traces near the threshold, by neuron.
    """
    theta = recording.theta.reshape(len(recording.theta), -1)[:, [winner, loser]]
    threshold = theta.max() + constants.v_thresh
    floor = constants.v_rest - 0.5 * (threshold - constants.v_rest)
    shown = recording.v.reshape(len(recording.v), -1)[:, [winner, loser]]
    deep = shown.min() < floor  # the whole range would hide what happens near the threshold
    panels = figure.subplots(1 + deep, 2, sharex=True, sharey="row", squeeze=False, height_ratios=(3, 1)[: 1 + deep])
    traces = {}
    for column, (neuron, role) in enumerate(((winner, "winner"), (loser, "loser"))):
        position, channel = divmod(neuron, recording.v.shape[2])
        traces[neuron] = plot_membrane(panels[0, column], recording, neuron, constants)
        panels[0, column].set_title(
            f"{role}: position {position}, channel {channel}, {recording.counts[position, channel]} spikes"
        )
        if deep:
            plot_membrane(panels[1, column], recording, neuron, constants)
        panels[-1, column].set_xlabel("time, ms")
    low, high = (floor if deep else shown.min()), threshold + 0.15 * (threshold - constants.v_rest)
    panels[0, 0].set_ylim(low - 0.03 * (high - low), high)
    panels[0, 0].set_ylabel("potential, mV")
    if deep:
        panels[1, 0].set(ylabel="all, mV", ylim=(shown.min() * 1.05, high))
    figure.legend(handles=list(traces[winner]), loc="outside lower center", ncols=3)
    return traces


def plot_rates(axes: Axes, rates: Mapping[str, Float64s]) -> dict[str, StepPatch]:
    """Draw histograms of the neurons' mean firing rates.

    Parameters
    ----------
    axes : where to draw
    rates : name -> (P*C,) mean rate of each neuron over the images, Hz

    Returns
    -------
    The steps of each histogram, by name; neurons that never spike are counted in the legend only.
    """
    active = np.concatenate([values[values > 0] for values in rates.values()])
    edges = np.geomspace(active.min(initial=1.0), max(active.max(initial=0.0), 1.0) * 1.001, 41)
    drawn = {}
    for number, (name, values) in enumerate(rates.items()):
        label = f"{name}: mean {values.mean():.2f} Hz, {np.mean(values == 0):.1%} never spike"
        steps = axes.stairs(np.histogram(values, edges)[0], edges, label=label, color=style.colour(number))
        steps.set(linestyle=style.LINES[number % 2], linewidth=1.2)
        drawn[name] = steps
    axes.set(xlabel="mean firing rate of a neuron, Hz", ylabel="neurons", xscale="log", xlim=(edges[0], edges[-1]))
    style.log_ticks(axes.xaxis, (1,) if edges[-1] > 100 * edges[0] else (1, 2, 5))
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return drawn


def activity_map(counts: Float64s, positions: int) -> Float64s:
    """Return spikes of each neuron as an image: positions as panels, the channels of each as pixels; nan in the gaps.

    Parameters
    ----------
    counts : (P*C,) spikes per image of each neuron
    positions : P
    """
    by_position = counts.reshape(positions, -1)
    rows, columns = grid_shape(by_position.shape[1])
    panels = np.full((positions, rows * columns), np.nan)
    panels[:, : by_position.shape[1]] = by_position
    gap = max(1, columns // 12)
    return tile(panels.reshape(positions, rows, columns), gap, (round(positions**0.5),) * 2)


def plot_activity_map(axes: Axes, counts: Float64s, positions: int) -> AxesImage:
    """Draw how often each neuron spikes, silent neurons in vermilion; return the image.

    Parameters
    ----------
    axes : where to draw
    counts : (P*C,) spikes per image of each neuron
    positions : P
    """
    values = activity_map(counts, positions)
    cmap = style.colour_map(style.COUNTS, under=DEAD)
    low = counts[counts > 0].min(initial=1.0)
    high = float(np.quantile(counts, 0.995)) or 1.0
    image = axes.imshow(values, cmap=cmap, vmin=min(low, high) / 2, vmax=high)
    style.bare(axes)
    return image


def _raster(view: RunView) -> Figure:
    figure = style.new_figure(style.DOUBLE, 100)
    left, right = figure.subplots(1, 2, width_ratios=(1, 4))
    plot_image(left, view.recording.image, view.image_title)
    plot_raster(right, view.recording.spikes, view.recording.dt)
    right.set_title(f"Spikes of {view.label}: {view.recording.spikes.sum()} on this image")
    return figure


def _membrane(view: RunView) -> Figure:
    figure = style.new_figure(style.DOUBLE, 90)
    plot_winner_and_loser(figure, view.recording, view.spec.neuron, *winner_and_loser(view.recording))
    figure.suptitle(f"{view.label}; {view.image_title}")
    return figure


def _input(view: RunView) -> Figure:
    figure = style.new_figure(style.DOUBLE, 75)
    left, right = figure.subplots(1, 2, width_ratios=(1, 2.2))
    plot_image(left, view.recording.image, view.image_title)
    plot_input(right, view.recording)
    encoder = view.spec.encoder
    spikes = len(view.recording.input_pixels)
    rate = "" if encoder.kind == "events" else f", white pixels {encoder.max_rate:g} Hz"
    right.set_title(f"{spikes} input spikes ({encoder.kind}{rate})")
    return figure


def _rates(view: RunView) -> Figure:
    figure, axes = style.new_axes(120, 65)
    seconds = view.spec.simulation.duration / 1000
    shown = {"trained": view.calibration, "untrained": view.responses("calibration", "untrained")}
    plot_rates(axes, {name: found.counts.mean(axis=0) / seconds for name, found in shown.items() if found})
    figure.suptitle(f"{view.label}; {len(view.calibration.labels)} calibration images")
    return figure


def _activity_map(view: RunView) -> Figure:
    figure, axes = style.new_axes(110, 115)
    counts = view.calibration.counts.mean(axis=0)
    image = plot_activity_map(axes, counts, view.network.geometry.positions)
    style.bar_below(figure, image, axes, "spikes per image", extend="both")
    dead = int(np.count_nonzero(counts == 0))
    axes.set_title(f"{view.label}: {dead} of {counts.size} neurons never spike")
    axes.legend(handles=[Patch(color=DEAD, label="never spikes")], loc="upper left", bbox_to_anchor=(0, 0))
    return figure


FIGURES = (
    RunFigure(
        "input",
        "an image beside the spike trains that the encoder makes of it",
        ("spiking network", "state", "images"),
        _input,
    ),
    RunFigure("raster", "spikes of all neurons during an image", ("spiking network", "state", "images"), _raster),
    RunFigure(
        "membrane",
        "potential and adaptive threshold of a winning and of a losing neuron during an image",
        ("spiking network", "state", "images"),
        _membrane,
    ),
    RunFigure(
        "firing-rates", "histogram of the neurons' mean firing rates", ("spiking network", "state", "responses"), _rates
    ),
    RunFigure(
        "activity-map",
        "how often each neuron spikes, on the map of positions and channels; silent ones marked",
        ("spiking network", "state", "responses"),
        _activity_map,
    ),
)
