"""Draw a network as a scheme: receptive fields, neurons, shared weights and the competition among neurons."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, Rectangle
from numpy.typing import NDArray

from stdpnet.geometry import Geometry
from stdpnet_analysis.figures import style

DRAWN_CHANNELS = 4
"""Most neurons drawn at a position."""
RADIUS = 0.55
"""Radius of a neuron, pixels of the image."""


class Scheme(NamedTuple):
    """The artists of a scheme."""

    windows: list[Rectangle]
    """The receptive field of each position that is shown."""
    neurons: list[list[Circle]]
    """The neurons of these positions."""
    competition: list[LineCollection]
    """The lines between the neurons of each position."""


def plot_architecture(axes: Axes, geometry: Geometry, image: NDArray[np.uint8] | None = None) -> Scheme:
    """Draw receptive fields on an image, their neurons, and the competition among the neurons of a position.

    The colour is that of the architecture, with a shade for each set of weights. If there are many positions, only the
    corners and the middle are drawn; if there are many channels, only four.

    Parameters
    ----------
    axes : where to draw
    geometry : the network's sizes
    image : (n, n) shown behind the windows
    """
    n = geometry.side
    canvas = np.zeros((n, n), np.uint8) if image is None else image
    axes.imshow(canvas, cmap="gray_r", vmin=0, vmax=500, extent=(0, n, n, 0))
    scheme = Scheme([], [], [])
    shown = _shown_positions(geometry)
    heights = np.linspace(0, n, 2 * len(shown) + 1)[1::2]
    shades = _shades(geometry, len(shown))
    for number, (position, middle) in enumerate(zip(shown, heights, strict=True)):
        colour = shades[number]
        row, column = geometry.origin(position)
        inset = 0.25 * (number % 3)  # so that windows with a common edge can be distinguished
        side = geometry.kernel - 2 * inset
        window = Rectangle((column + inset, row + inset), side, side, fill=False, edgecolor=colour, linewidth=1.1)
        axes.add_patch(window)
        scheme.windows.append(window)
        x = n + 9 + 2.6 * np.arange(min(geometry.channels, DRAWN_CHANNELS))
        for edge in (row + inset, row + inset + side):
            axes.plot([column + inset + side, x[0] - 1], [edge, middle], color=colour, linewidth=0.5, alpha=0.7)
        look: Any = {"facecolor": "white", "edgecolor": colour, "linewidth": 1.1, "zorder": 3}
        neurons = [Circle((place, middle), RADIUS, **look) for place in x]
        for neuron in neurons:
            axes.add_patch(neuron)
        scheme.neurons.append(neurons)
        arcs = _competition(x, float(middle))
        axes.add_collection(arcs)
        scheme.competition.append(arcs)
        if geometry.channels > len(x):
            axes.text(x[-1] + 1.4, middle, f"… {geometry.channels}", va="center", fontsize=6)
    axes.set(xlim=(-0.5, n + 24), ylim=(n + 0.5, -1.5), aspect="equal")
    style.bare(axes)
    return scheme


def _shown_positions(geometry: Geometry) -> list[int]:
    """Return all positions if there are at most five, else the corners and the middle."""
    p = geometry.positions_per_side
    if geometry.positions <= 5:
        return list(range(geometry.positions))
    return [0, p - 1, geometry.positions // 2, geometry.positions - p, geometry.positions - 1]


def _shades(geometry: Geometry, count: int) -> list[Any]:
    """Return a colour for each position: one where they share weights, else shades from dark to light."""
    if geometry.shared or geometry.positions == 1:
        return [style.ARCHITECTURES["CSNN" if geometry.shared else "FCSNN"]] * count
    base = np.array(to_rgb(style.ARCHITECTURES["LCSNN"]))
    parts = np.linspace(-0.55, 0.55, count)  # towards black, towards white
    return [tuple(base * (1 + part) if part < 0 else base + (1 - base) * part) for part in parts]


def _competition(x: NDArray[np.floating], middle: float) -> LineCollection:
    """Return arcs above a row of neurons, one for each pair."""
    angle = np.linspace(0, np.pi, 20)
    arcs = []
    for first in range(len(x)):
        for second in range(first + 1, len(x)):
            half = (x[second] - x[first]) / 2
            bow = RADIUS + 0.45 * (second - first)
            arcs.append(
                np.column_stack([x[first] + half * (1 - np.cos(angle)), middle - RADIUS * 0.9 - bow * np.sin(angle)])
            )
    return LineCollection(arcs, colors="0.35", linewidths=0.6)
