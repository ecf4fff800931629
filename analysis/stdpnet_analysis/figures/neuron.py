"""Draw one neuron on a page: weights, votes, images with most spikes, membrane potential on one image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.activity import Trace, plot_membrane
from stdpnet_analysis.figures.mosaic import tile
from stdpnet_analysis.figures.receptive_fields import fields_in_place, top_weight
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.preferred import PREFERRED, preferred_images
from stdpnet_analysis.view import RunView

LONGEST = 7
"""Most letters of a class's name above an image; longer names are cut."""


class Drawn(NamedTuple):
    """The artists of the page of a neuron."""

    field: AxesImage
    votes: BarContainer
    preferred: AxesImage
    trace: Trace


def plot_field(axes: Axes, view: RunView, neuron: int) -> AxesImage:
    """Draw a neuron's weights at their place in the image."""
    cmap = style.colour_map(style.WEIGHTS, bad="0.93")
    weights = view.network.weights
    field = fields_in_place(weights, view.network.geometry, np.array([neuron]))[0]
    image = axes.imshow(field, cmap=cmap, vmin=0, vmax=max(float(np.nanmax(field)), top_weight(weights) / 2))
    style.bare(axes)
    return image


def plot_neuron(figure: Figure, view: RunView, neuron: int) -> Drawn:
    """Draw weights, votes, preferred images and the trace on the image to show.

    Parameters
    ----------
    figure : where to draw
    view : the run
    neuron : position * channels + channel
    """
    geometry = view.network.geometry
    position, channel = divmod(neuron, geometry.channels)
    grid = figure.add_gridspec(2, 3, width_ratios=(1, 1.0, 2.2), height_ratios=(1, 0.8))
    field, votes, images = (figure.add_subplot(grid[0, column]) for column in range(3))
    trace = figure.add_subplot(grid[1, :])
    weights = plot_field(field, view, neuron)
    field.set_title(f"position {position}, channel {channel}")
    figure.colorbar(weights, ax=field, location="bottom", label="weight, mV", aspect=25, pad=0.03)

    bars = votes.barh(np.arange(len(view.classes)), view.votes[:, neuron], color=style.colour(0))
    style.class_ticks(votes, view.classes, "y", most=12)
    votes.invert_yaxis()
    votes.set(xlabel="spikes per image", title="votes")

    best = preferred_images(view.scored.counts, neuron)
    side, gap = geometry.side, 7
    tiles = np.zeros((PREFERRED, side, side))
    tiles[: len(best)] = view.dataset.split(view.split).images[best]
    paper = style.colour_map("gray_r")
    sheet = images.imshow(tile(tiles, gap, (2, PREFERRED // 2)), cmap=paper, vmin=0, vmax=255)
    for slot, image in enumerate(best):
        row, column = divmod(slot, PREFERRED // 2)
        name = view.classes[view.scored.labels[image]]
        name = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        label = f"{name} ({view.scored.counts[image, neuron]})"
        images.text(column * (side + gap) + side / 2, row * (side + gap), label, size=5.5, ha="center", va="bottom")
    style.bare(images)
    images.set_title(f"{view.split} images with most spikes: class (spikes)", pad=9)

    lines = plot_membrane(trace, view.recording, neuron, view.spec.neuron)
    trace.set(xlabel="time, ms", ylabel="potential, mV")
    trace.set_title(f"on {view.image_title}: {int(view.recording.counts.flat[neuron])} spikes")
    figure.legend(handles=list(lines), loc="outside lower center", ncols=3)
    return Drawn(field=weights, votes=bars, preferred=sheet, trace=lines)


def _neuron(view: RunView) -> Figure:
    figure = style.new_figure(style.DOUBLE, 108)
    plot_neuron(figure, view, view.shown_neuron)
    figure.suptitle(f"A neuron of {view.label}")
    return figure


FIGURES = (
    RunFigure(
        "neuron",
        "one neuron: weights, votes, the images it answers most, its potential on an image (--neuron, --image)",
        ("spiking network", "state", "images", "responses"),
        _neuron,
    ),
)
