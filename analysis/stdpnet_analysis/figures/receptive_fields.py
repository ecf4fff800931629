"""What the neurons look at: feedforward weights as images."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.mosaic import receptive_field_mosaic
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.figures.view import RunView


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
    order : (S, C) which channel stands at each place; default their number
    v_max : weight of the brightest colour, mV; default the 99.9 % quantile

    Returns
    -------
    The image.
    """
    high = float(np.quantile(weights, 0.999)) if v_max is None else v_max
    image = axes.imshow(
        receptive_field_mosaic(weights, order),
        cmap=style.colour_map(style.WEIGHTS),
        vmin=min(0.0, float(weights.min())),
        vmax=high or 1.0,
    )
    style.bare(axes)
    return image


def _receptive_fields(view: RunView) -> Figure:
    weights = view.network.weights
    figure = style.new_figure(style.DOUBLE, style.DOUBLE * 0.94)
    axes = figure.subplots()
    image = plot_receptive_fields(axes, weights)
    axes.set_title(f"Receptive fields: {view.label}")
    figure.colorbar(image, ax=axes, label="weight, mV", shrink=0.6, extend="max")
    return figure


FIGURES = (
    RunFigure(
        "receptive-fields", "feedforward weights of all neurons, positions as panels", ("state",), _receptive_fields
    ),
)
