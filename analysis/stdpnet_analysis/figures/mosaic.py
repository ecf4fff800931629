"""Arrange many small images in one array, which is drawn quickly and sharply even with a thousand channels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Float64s


def grid_shape(count: int) -> tuple[int, int]:
    """Return rows and columns of the most square grid that holds `count` tiles, no taller than wide."""
    columns = math.ceil(math.sqrt(count))
    return math.ceil(count / columns), columns


def tile(images: NDArray[np.floating], gap: int = 1, shape: tuple[int, int] | None = None) -> Float64s:
    """Return images (N, h, w), row by row, as one array, with gaps of nan between them.

    Parameters
    ----------
    images : (N, h, w)
    gap : pixels between two images
    shape : rows and columns; default the most square grid
    """
    rows, columns = shape or grid_shape(len(images))
    height, width = images.shape[1] + gap, images.shape[2] + gap
    sheet = np.full((rows * columns, height, width), np.nan)
    sheet[: len(images), : height - gap, : width - gap] = images
    whole = sheet.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    return whole[: whole.shape[0] - gap, : whole.shape[1] - gap]


def receptive_field_mosaic(weights: NDArray[np.floating], order: NDArray[np.intp] | None = None) -> Float64s:
    """Return the XY mosaic: the positions of the image as panels, the channels' weights inside each.

    Parameters
    ----------
    weights : (S, k*k, C) feedforward weights of S positions, or 1 shared kernel set
    order : (S, C) the channel at each place; default in the order of their numbers

    Returns
    -------
    mosaic : (rows, columns) float, nan in the gaps
    """
    sets, fan_in, channels = weights.shape
    side = math.isqrt(fan_in)
    fields = weights.transpose(0, 2, 1)
    if order is not None:
        fields = np.take_along_axis(fields, order[:, :, np.newaxis], axis=1)
    panels = np.stack([tile(images) for images in fields.reshape(sets, channels, side, side)])
    return tile(panels, panel_gap(channels, side), (math.isqrt(sets),) * 2)


def panel_gap(channels: int, side: int) -> int:
    """Return the pixels between two panels; there are clearly more than the one pixel between two fields."""
    return max(3, grid_shape(channels)[1] * (side + 1) // 25)


def place(channels: int, side: int, sets: int, position: int, slot: int) -> tuple[int, int]:
    """Return row and column of the upper left pixel of a field in `receptive_field_mosaic`."""
    rows, columns = grid_shape(channels)
    gap, across = panel_gap(channels, side), math.isqrt(sets)
    height, width = rows * (side + 1) - 1 + gap, columns * (side + 1) - 1 + gap
    (down, right), (row, column) = divmod(position, across), divmod(slot, columns)
    return down * height + row * (side + 1), right * width + column * (side + 1)
