"""Every seeded source of random numbers: generators, the order of the images, and the streams of input spikes."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """The purpose of a seeded NumPy generator; every purpose has its own sequence."""

    WEIGHTS = 0
    COMPETITION = 1
    IMAGE_ORDER = 2
    FEATURES = 3
    LABELS = 4
    DISTORTION = 5
    POTENTIALS = 6
    SHIFT = 7


class Stream(IntEnum):
    """Independent sources of input spikes; they never overlap."""

    TRAIN = 0
    CALIBRATE = 1
    VALIDATE = 2
    TEST = 3


def generator(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """Return the generator of (seed, purpose, numbers), independent of all others."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, int(purpose), *numbers))))


SHIFTS = 4096
"""Number of shifts that are drawn at a time; results depend on it."""


def _from_blocks(block: Callable[[int], NDArray[np.int64]], size: int, first: int, count: int) -> NDArray[np.int64]:
    """Return entries first .. first+count-1 of the sequence block(0), block(1), ..., each of `size` entries."""
    start = first // size
    blocks = range(start, max((first + count - 1) // size, start) + 1)
    begin = first - start * size
    return np.concatenate([block(number) for number in blocks])[begin : begin + count]


@lru_cache(maxsize=3)
def _epoch_order(seed: int, size: int, epoch: int) -> NDArray[np.int64]:
    return generator(seed, Purpose.IMAGE_ORDER, epoch).permutation(size)


def image_order(seed: int, size: int, first: int, count: int, pool: int = 0) -> NDArray[np.int64]:
    """Return which of `size` images are shown as number first .. first+count-1; every epoch has its own order.

    Parameters
    ----------
    seed : of the experiment
    size : number of images
    first, count : numbers of the images
    pool : how many different images are shown; 0: all of them
    """
    if 0 < pool < size:
        return _epoch_order(seed, size, 0)[:pool][image_order(seed, pool, first, count)]
    return _from_blocks(partial(_epoch_order, seed, size), size, first, count)


@lru_cache(maxsize=3)
def _shifts(seed: int, most: int, block: int) -> NDArray[np.int64]:
    return generator(seed, Purpose.SHIFT, block).integers(-most, most, (SHIFTS, 2), endpoint=True)


def image_shifts(seed: int, first: int, count: int, most: int) -> NDArray[np.int64]:
    """Return by how many rows (down) and columns (right) training images move when they are shown, (count, 2).

    Each is uniform from -most to most, and depends on the seed and the number of the image in the training alone.

    Parameters
    ----------
    seed : of the experiment
    first, count : numbers of the images in the training, first .. first+count-1
    most : pixels
    """
    return _from_blocks(partial(_shifts, seed, most), SHIFTS, first, count)
