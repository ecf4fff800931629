"""Simulate what an event camera records while it looks at an image and moves in three saccades.

As N-MNIST was recorded (Orchard et al. 2015, doi 10.3389/fnins.2015.00437), the image stands still, and the camera
moves along the three sides of a triangle in 100 ms each. What is simulated is simpler than a camera: a pixel has an
event whenever its brightness crosses one of a few levels, and there is no noise.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stdpnet.data.dataset import Source
from stdpnet.data.digits import digits
from stdpnet.events import Events
from stdpnet.spec.dataset import DatasetSpec

CORNERS = ((-1, -1), (1, 0), (-1, 1), (-1, -1))
"""Rows and columns, pixels, by which the image is displaced at the corners of the triangle, the first one again at the
end."""
SACCADE, PARTS = 100_000, 2
"""Duration of a saccade, microseconds, and in how many parts of it brightness changes linearly."""
PART, DURATION = SACCADE // PARTS, 3 * SACCADE
LEVELS = (32, 96, 160, 224)
"""Brightness, of 255, at whose crossing a pixel has an event."""


def saccades(images: NDArray[np.uint8]) -> Events:
    """Return what a simulated event camera records of images in 300 ms; the same images give the same events.

    The displacement of the image goes along a triangle, one side in 100 ms. Each side has two parts. Displaced by
    halves of a pixel, an image is the mean of two. Within a part the brightness of each pixel changes linearly from one
    displaced image to the next, and the pixel has an event when it passes a level: on upwards, off downwards.

    Parameters
    ----------
    images : (N, n, n) uint8, white ink on black

    Returns
    -------
    N recordings of n x n pixels.
    """
    found = []
    before = _displaced(images, *_displacements()[0])
    for number, (down, right) in enumerate(_displacements()[1:]):
        after = _displaced(images, down, right)
        change = after - before
        for level in LEVELS:
            above = 2 * level
            place = np.flatnonzero((before < above) != (after < above))
            time = (above - before.ravel()[place]) * PART // change.ravel()[place]
            found.append((place, number * PART + np.minimum(time, PART - 1), change.ravel()[place] > 0))
        before = after
    return _in_order(found, len(images), images.shape[1])


def _displacements() -> list[tuple[int, int]]:
    """Return the displacement, rows and columns in halves of a pixel, at each end of a part of a saccade."""
    ends = [
        (2 * row + 2 * (down - row) * part // PARTS, 2 * column + 2 * (right - column) * part // PARTS)
        for (row, column), (down, right) in pairwise(CORNERS)
        for part in range(PARTS)
    ]
    return [*ends, ends[0]]


def _displaced(images: NDArray[np.uint8], down: int, right: int) -> NDArray[np.int32]:
    """Return twice the brightness of images displaced by `down` and `right` halves of a pixel, on black."""
    margin, side = 1 + max(abs(part) for corner in CORNERS for part in corner), images.shape[1]
    padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin))).astype(np.int32)
    total = np.zeros(images.shape, np.int32)
    for rows, columns in ((down // 2, right // 2), (-(-down // 2), -(-right // 2))):
        top, left = margin - rows, margin - columns
        total += padded[:, top : top + side, left : left + side]
    return total


def _in_order(
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]], count: int, side: int
) -> Events:
    """Return events, each at a place in (N, n, n), as recordings: by image, then time, then pixel."""
    places, times, on = (np.concatenate(column) for column in zip(*found, strict=True))
    numbers, pixels = np.divmod(places, side * side)
    order = np.argsort((numbers * DURATION + times) * side * side + pixels, kind="stable")
    ends = np.concatenate([[0], np.bincount(numbers, minlength=count).cumsum()])
    return Events.cut(pixels[order], times[order], on[order], ends, side)


def digits_events(spec: DatasetSpec) -> Source:
    """Return the digits of scikit-learn, 28 x 28, as `saccades` records them."""
    return _recorded()


@cache
def _recorded() -> Source:
    source = digits(DatasetSpec(name="digits"))
    return Source(saccades(np.asarray(source.images)), source.labels, source.classes)
