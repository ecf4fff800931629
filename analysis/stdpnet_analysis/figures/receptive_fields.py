"""Draw feedforward weights as images: all receptive fields, sorted by class, and examples of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from numpy.typing import NDArray

from stdpnet.arrays import Float64s
from stdpnet.geometry import Geometry
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.mosaic import place, receptive_field_mosaic, tile
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.view import RunView

EXAMPLES = 12
"""Neurons shown of each class."""
BESIDE_CHANNELS = 100
"""Most channels of a position beside the untrained ones; if there are more, the first ones are shown."""
MOST_CLASSES = 16
"""Most classes with examples; if there are more, the first ones are shown."""


def plot_receptive_fields(
    axes: Axes,
    weights: NDArray[np.floating],
    *,
    order: NDArray[np.intp] | None = None,
    v_max: float | None = None,
) -> AxesImage:
    """Draw the XY mosaic: positions as panels, channels inside; one image, whatever the number of channels.

    Parameters
    ----------
    axes : where to draw
    weights : (S, k*k, C) feedforward weights, mV; S positions, or 1 for shared kernels
    order : (S, C) the channel at each place; default in the order of their numbers
    v_max : weight of the brightest colour, mV; default the 99.9 % quantile

    Returns
    -------
    The image.
    """
    image = axes.imshow(
        receptive_field_mosaic(weights, order),
        cmap=style.colour_map(style.WEIGHTS),
        vmin=min(0.0, float(weights.min())),
        vmax=top_weight(weights) if v_max is None else v_max,
        interpolation="antialiased",
    )
    style.bare(axes)
    return image


def top_weight(weights: NDArray[np.floating]) -> float:
    """Return the weight of the brightest colour, mV: the 99.9 % quantile, or 1 where it is not above 0."""
    high = float(np.quantile(weights, 0.999))
    return high if high > 0 else 1.0


def votes_by_set(votes: Float64s, geometry: Geometry) -> Float64s:
    """Return the votes of each kernel, (n_classes, S, C); for a shared kernel the sum over its positions."""
    by_position = votes.reshape(len(votes), geometry.positions, geometry.channels)
    return by_position.sum(axis=1, keepdims=True) if geometry.shared else by_position


def preferred_class(votes: Float64s) -> NDArray[np.intp]:
    """Return the class of the largest vote, the lowest among equals; n_classes for neurons that never spiked.

    Parameters
    ----------
    votes : (n_classes, ...)
    """
    best: NDArray[np.intp] = np.where(votes.max(axis=0) > 0, votes.argmax(axis=0), len(votes))
    return best


def order_by_class(votes: Float64s) -> NDArray[np.intp]:
    """Return (S, C) the channels by preferred class, within a class by decreasing vote; silent ones last.

    Parameters
    ----------
    votes : (n_classes, S, C)
    """
    order: NDArray[np.intp] = np.lexsort((-votes.max(axis=0), preferred_class(votes)), axis=-1)
    return order


def label_classes(axes: Axes, weights: NDArray[np.floating], votes: Float64s, names: Sequence[str]) -> list[Text]:
    """Write into a mosaic sorted by class the name of each class at its first field; return the texts.

    Parameters
    ----------
    axes : those of the mosaic
    weights : (S, k*k, C)
    votes : (n_classes, S, C)
    names : of the classes
    """
    sets, fan_in, channels = weights.shape
    side, order, preferred = round(fan_in**0.5), order_by_class(votes), preferred_class(votes)
    halo = [withStroke(linewidth=1.6, foreground="black")]
    texts = []
    for position in range(sets):
        shown = preferred[position, order[position]]
        for slot in np.flatnonzero(np.diff(shown, prepend=-1)):
            row, column = place(channels, side, sets, position, int(slot))
            name = [*names, "silent"][shown[slot]]
            texts.append(
                axes.text(
                    column, row, name, color="white", size=5.5, va="top", ha="left", path_effects=halo, clip_on=False
                )
            )
    return texts


def fields_in_place(weights: NDArray[np.floating], geometry: Geometry, neurons: NDArray[np.intp]) -> Float64s:
    """Return (N, n, n) the weights of neurons at their place in the image, nan outside their receptive fields.

    Parameters
    ----------
    weights : (S, k*k, C)
    geometry : sizes
    neurons : (N,) position * channels + channel
    """
    placed = np.full((len(neurons), geometry.side, geometry.side), np.nan)
    for image, neuron in zip(placed, neurons, strict=True):
        position, channel = divmod(int(neuron), geometry.channels)
        top, left = geometry.origin(position)
        field = weights[0 if geometry.shared else position, :, channel].reshape(geometry.kernel, geometry.kernel)
        image[top : top + geometry.kernel, left : left + geometry.kernel] = field
    return placed


def most_selective(votes: Float64s, label: int, count: int) -> NDArray[np.intp]:
    """Return the neurons that prefer a class, those with the largest share of votes for it first; at most `count`.

    Parameters
    ----------
    votes : (n_classes, P*C)
    """
    total = votes.sum(axis=0)
    share = np.divide(votes[label], total, out=np.zeros_like(total), where=total > 0)
    spiking = total[total > 0]
    # a neuron with two spikes is selective by chance
    active = total >= (np.median(spiking) / 4 if spiking.size else np.inf)
    candidates = np.flatnonzero((preferred_class(votes) == label) & active)
    found: NDArray[np.intp] = candidates[np.argsort(-share[candidates], kind="stable")][:count]
    return found


def plot_class_examples(
    axes: Axes, weights: NDArray[np.floating], geometry: Geometry, votes: Float64s, names: Sequence[str]
) -> AxesImage:
    """Draw, a row per class, the receptive fields of its most selective neurons at their place in the image.

    Parameters
    ----------
    axes : where to draw
    weights : (S, k*k, C), mV
    geometry : sizes
    votes : (n_classes, P*C)
    names : of the classes

    Returns
    -------
    The image.
    """
    rows = np.full((len(names), EXAMPLES, geometry.side, geometry.side), np.nan)
    for label, row in enumerate(rows):
        found = most_selective(votes, label, EXAMPLES)
        row[: len(found)] = fields_in_place(weights, geometry, found)
    cmap = style.colour_map(style.WEIGHTS, bad="0.93")
    sheet = tile(rows.reshape(-1, geometry.side, geometry.side), 2, (len(names), EXAMPLES))
    image = axes.imshow(sheet, cmap=cmap, vmin=0, vmax=top_weight(weights))
    pitch = geometry.side + 2
    for number in range(1, EXAMPLES):
        axes.axvline(number * pitch - 1.5, color="white", linewidth=1)
    for number in range(1, len(names)):
        axes.axhline(number * pitch - 1.5, color="white", linewidth=1)
    style.bare(axes)
    axes.set_yticks([number * pitch + geometry.side / 2 for number in range(len(names))], names)
    axes.tick_params(left=False)
    return image


def _scale(figure: Figure, image: AxesImage, axes: Any) -> None:
    style.bar_below(figure, image, axes, "feedforward weight, mV", extend="max")


def _page(view: RunView) -> tuple[Figure, Axes]:
    """Return a figure for the whole mosaic: two columns wide, or so wide that each weight has two pixels in a png."""
    rows, columns = receptive_field_mosaic(view.network.weights).shape
    width = max(style.DOUBLE, 2 * columns / style.DPI * 25.4 + 6)
    figure = style.new_figure(width, width * rows / columns + 0.07 * width + 8)
    return figure, figure.subplots()


def _receptive_fields(view: RunView) -> Figure:
    figure, axes = _page(view)
    image = plot_receptive_fields(axes, view.network.weights)
    axes.set_title(f"Receptive fields of {view.label}")
    _scale(figure, image, axes)
    return figure


def _untrained_beside_trained(view: RunView) -> Figure:
    rows, columns = receptive_field_mosaic(view.network.weights[:, :, :BESIDE_CHANNELS]).shape
    figure = style.new_figure(style.DOUBLE, style.DOUBLE / 2 * rows / columns + 20)
    panels = figure.subplots(1, 2)
    high, shown = top_weight(view.network.weights), slice(0, BESIDE_CHANNELS)
    names = f"{view.spec.topology.label}, untrained", f"after {view.state.images} training images"
    if view.spec.topology.channels > BESIDE_CHANNELS:
        names = f"{names[0]}, channels 0 to {BESIDE_CHANNELS - 1}", names[1]
    for axes, weights, name in zip(panels, (view.untrained.weights, view.network.weights), names, strict=True):
        image = plot_receptive_fields(axes, weights[:, :, shown], v_max=high)
        axes.set_title(name)
    _scale(figure, image, panels)
    return figure


def _by_class(view: RunView) -> Figure:
    weights, votes = view.network.weights, votes_by_set(view.votes, view.network.geometry)
    figure, axes = _page(view)
    image = plot_receptive_fields(axes, weights, order=order_by_class(votes))
    label_classes(axes, weights, votes, view.classes)
    axes.set_title(f"Receptive fields sorted by preferred class: {view.label}")
    _scale(figure, image, axes)
    return figure


def _class_examples(view: RunView) -> Figure:
    names = view.classes[:MOST_CLASSES]
    figure, axes = style.new_axes(style.DOUBLE, 22 + 14.3 * len(names))
    image = plot_class_examples(axes, view.network.weights, view.network.geometry, view.votes, names)
    axes.set(title=f"Most selective neurons of each class: {view.label}", ylabel="preferred class")
    _scale(figure, image, axes)
    return figure


FIGURES = (
    RunFigure(
        "receptive-fields",
        "feedforward weights of all neurons, positions as panels",
        ("spiking network", "state"),
        _receptive_fields,
    ),
    RunFigure(
        "receptive-fields-untrained",
        "the same before training, beside those after it",
        ("spiking network", "state"),
        _untrained_beside_trained,
    ),
    RunFigure(
        "receptive-fields-by-class",
        "feedforward weights, at each position sorted by the class that the neuron prefers",
        ("spiking network", "state", "responses"),
        _by_class,
    ),
    RunFigure(
        "receptive-fields-examples",
        "the most selective neurons of each class, their weights at their place in the image",
        ("spiking network", "state", "responses"),
        _class_examples,
    ),
)
