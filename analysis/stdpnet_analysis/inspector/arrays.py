"""Compute what the inspector shows of arrays: sheets of receptive fields, competitors, evidence, placed drawings."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stdpnet.arrays import Float64s
from stdpnet_analysis.readouts.rules import RULES

MOST_VALUES = 500_000
"""Most values that enter a histogram; from larger arrays they are taken in even steps."""
INK = 32
"""Smallest brightness, 0 to 255, that counts as ink when a drawing is placed."""


class Placement(NamedTuple):
    """Where the ink of training images is."""

    size: float
    """Median of the longer side of the box around the ink, pixels."""
    row: float
    """Median of the centre of mass, rows from the top."""
    column: float
    """Median of the centre of mass, columns from the left."""


def histogram(values: NDArray[np.floating], bins: int = 40) -> tuple[Float64s, NDArray[np.int64]]:
    """Return the edges (bins + 1,) and the numbers (bins,) of a histogram of at most about MOST_VALUES values."""
    flat = values.ravel()
    sample = flat[:: max(1, math.ceil(flat.size / MOST_VALUES))].astype(np.float64)
    numbers, edges = np.histogram(sample[np.isfinite(sample)], bins)
    return edges, numbers


def sheet(fields: NDArray[np.floating], top: float) -> NDArray[np.uint8]:
    """Return fields (C, k, k) row by row as one grey image with dark lines between them, 255 at `top` and above.

    The grid has ceil(sqrt(C)) columns, and each cell is k + 1 pixels wide and high.
    """
    count, side, _ = fields.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cells = np.zeros((rows * columns, side + 1, side + 1), np.uint8)
    cells[:count, :side, :side] = np.clip(24 + fields * (231 / top if top > 0 else 0), 24, 255)
    whole = cells.reshape(rows, columns, side + 1, side + 1).swapaxes(1, 2)
    return whole.reshape(rows * (side + 1), columns * (side + 1))


def strongest_competitors(competition: NDArray[np.floating], channel: int, most: int = 8) -> list[tuple[int, float]]:
    """Return the channels that inhibit a channel most, and their weights, mV; equal weights by ascending channel.

    Parameters
    ----------
    competition : (C, C) weights of one position from row to column, mV, <= 0
    channel : the channel that is inhibited
    most : how many channels at most
    """
    weights = competition[:, channel]
    order = [int(other) for other in np.argsort(weights, kind="stable") if other != channel]
    return [(other, float(weights[other])) for other in order[:most]]


def evidence(rule: str, counts: Float64s, sums: Float64s, images: Float64s) -> Float64s:
    """Return what each position contributes to the score of each class, (P, K); the sum over positions is the score.

    Parameters
    ----------
    rule : a name of stdpnet_analysis.readouts.rules.RULES
    counts : (P, C) spikes in response to one image
    sums, images : (K, P*C) and (K,) from the calibration (stdpnet_analysis.readouts.votes.class_sums)
    """
    positions, channels = counts.shape
    weights = RULES[rule].weigh(sums, images).reshape(len(images), positions, channels)
    parts = [RULES[rule].combine(counts[np.newaxis, [p]], weights[:, [p]])[0] for p in range(positions)]
    return np.stack(parts)


def placement(images: NDArray[np.uint8]) -> Placement:
    """Return where the ink of images (N, n, n) is; the whole square if there is no image with ink."""
    found = [_ink(image.astype(np.float64)) for image in images]
    kept = [ink for ink in found if ink is not None]
    side = images.shape[-1]
    if not kept:
        return Placement(side, (side - 1) / 2, (side - 1) / 2)
    size, row, column = np.median([[max(box[1] - box[0], box[3] - box[2]), *mass] for box, mass in kept], axis=0)
    return Placement(float(size), float(row), float(column))


def centred(drawing: NDArray[np.uint8], side: int, place: Placement) -> NDArray[np.uint8]:
    """Return a drawing (h, w), white on black, as an image (side, side) with ink where the training images have it.

    The box around the ink is scaled, with its proportions kept, until its longer side is `place.size`; then its centre
    of mass is moved to that of the training images. A drawing without ink is a black image.
    """
    image = np.zeros((side, side), np.uint8)
    if (ink := _ink(drawing.astype(np.float64))) is None:
        return image
    (top, bottom, left, right), _ = ink
    scale = min(place.size, side) / max(bottom - top, right - left)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    small = np.asarray(Image.fromarray(drawing[top:bottom, left:right]).resize(size, Image.Resampling.BOX))
    total = float(small.sum())
    rows, columns = np.indices(small.shape)
    mass = ((small * rows).sum() / total, (small * columns).sum() / total) if total else (size[1] / 2, size[0] / 2)
    first = [round(want - have) for want, have in zip((place.row, place.column), mass, strict=True)]
    row, column = (int(np.clip(at, 0, side - n)) for at, n in zip(first, small.shape, strict=True))
    image[row : row + small.shape[0], column : column + small.shape[1]] = small
    return image


def _ink(image: Float64s) -> tuple[tuple[int, int, int, int], tuple[float, float]] | None:
    """Return the box around the ink (top, bottom, left, right; the ends excluded) and its centre of mass, if any."""
    inked = image >= INK
    if not inked.any():
        return None
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    row, column = np.indices(image.shape)
    total = image.sum()
    mass = float((image * row).sum() / total), float((image * column).sum() / total)
    return (int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1), mass
