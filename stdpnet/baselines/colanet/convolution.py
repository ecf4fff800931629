"""Kernels that are learned locally and without labels, and the spiking layer that they make.

From each image a kernel learns at most once, at the position where no other kernel matches the image better. After a
weak match its bright pixels grow, after a strong one only the brightest that suffice for a match of 1; its other pixels
pay, so that the changes of its resources sum to 0. After the learning an integrate-and-fire neuron with soft reset at
each position gives floor(drive/threshold) spikes, and the counts of each pool x pool neurons are summed
(docs/colanet.md, Kernels).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined
from stdpnet.arrays import Counts, Float64s
from stdpnet.baselines.colanet.resource import weight_of


class Constants(NamedTuple):
    """Numbers of the kernels, as compiled code takes them."""

    stride: int
    brightness: float
    w_min: float
    w_max: float
    learning_rate: float
    threshold: float
    pool: int
    steps: int


@inlined
def _match(image: Float64s, weights: Float64s, row: int, column: int) -> float:
    """Return the sum of a kernel's weights (k, k) times the pixels of the tile with this corner."""
    total = 0.0
    for i in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            total += weights[i, j] * image[row + i, column + j]
    return total


@compiled
def matches(image: Float64s, weights: Float64s, stride: int, found: Float64s) -> None:
    """Write the match of each kernel (C, k, k) at each position of an image (n, n) into found (C, positions)."""
    side = (image.shape[0] - weights.shape[1]) // stride + 1
    for channel in range(weights.shape[0]):
        for position in range(side * side):
            row, column = position // side * stride, position % side * stride
            found[channel, position] = _match(image, weights[channel], row, column)


@inlined
def _grow(tile: Float64s, resources: Float64s, level: float, learning_rate: float) -> None:
    """Let the pixels of a tile (k, k) whose brightness is at least `level` grow, and its other pixels pay."""
    grown = 0
    for i in range(tile.shape[0]):
        for j in range(tile.shape[1]):
            grown += tile[i, j] >= level
    if grown in (0, tile.size):  # no pixel would grow, or none would pay
        return
    paid = learning_rate * grown / (tile.size - grown)
    for i in range(tile.shape[0]):
        for j in range(tile.shape[1]):
            resources[i, j] += learning_rate if tile[i, j] >= level else -paid


@inlined
def _needed(tile: Float64s, weights: Float64s) -> float:
    """Return the largest brightness such that the pixels of a tile that are at least as bright make a match of 1."""
    level, total = np.inf, 0.0
    while total < 1:
        following = -np.inf
        for i in range(tile.shape[0]):
            for j in range(tile.shape[1]):
                if following < tile[i, j] < level:
                    following = tile[i, j]
        if following == -np.inf:
            break
        level = following
        for i in range(tile.shape[0]):
            for j in range(tile.shape[1]):
                if tile[i, j] == level:
                    total += level * weights[i, j]
    return level


@inlined
def _learn_kernel(tile: Float64s, weights: Float64s, resources: Float64s, constants: Constants, match: float) -> None:
    """Change the resources and weights (k, k) of one kernel by the tile where it won."""
    level = np.nextafter(constants.brightness, np.inf) if match < 1 else _needed(tile, weights)
    _grow(tile, resources, level, constants.learning_rate)
    for i in range(tile.shape[0]):
        for j in range(tile.shape[1]):
            weights[i, j] = weight_of(resources[i, j], constants.w_min, constants.w_max)


@compiled
def learn(
    image: Float64s,
    resources: Float64s,
    weights: Float64s,
    constants: Constants,
    found: Float64s,
    learned: NDArray[np.bool_],
) -> int:
    """Learn from one image, and return how many kernels learned.

    Parameters
    ----------
    image : (n, n) brightness in [0, 1]
    resources, weights : (C, k, k), changed in place
    constants : of the kernels
    found : (C, positions) scratch: matches; minus infinity where a kernel has taken the position
    learned : (C,) scratch: which kernels have learned
    """
    matches(image, weights, constants.stride, found)
    learned[:] = False
    number, size = 0, weights.shape[1]
    side = (image.shape[0] - size) // constants.stride + 1
    while number < weights.shape[0]:
        channel = position = 0
        for other in range(found.shape[0]):
            for place in range(found.shape[1]):
                if found[other, place] > found[channel, position]:
                    channel, position = other, place
        match = found[channel, position]
        if not match > 0:
            break
        if not learned[channel]:
            row, column = position // side * constants.stride, position % side * constants.stride
            tile = image[row : row + size, column : column + size]
            _learn_kernel(tile, weights[channel], resources[channel], constants, match)
            learned[channel] = True
            number += 1
        found[:, position] = -np.inf
    return number


@compiled
def pooled(image: Float64s, weights: Float64s, constants: Constants, counts: Counts) -> None:
    """Write the sums of the spike counts of pool x pool neighbours of each kernel into counts (C, side, side).

    A neuron whose drive is the match times `steps` fires floor(drive/threshold) spikes, at most one each step.

    Parameters
    ----------
    image : (n, n) spikes of each pixel divided by the steps
    weights : (C, k, k)
    constants : of the kernels
    counts : (C, side, side) uint16; positions that fill no whole pool are left out
    """
    for channel in range(weights.shape[0]):
        for a in range(counts.shape[1]):
            for b in range(counts.shape[2]):
                total = 0
                for p in range(a * constants.pool, (a + 1) * constants.pool):
                    for q in range(b * constants.pool, (b + 1) * constants.pool):
                        drive = constants.steps * _match(
                            image, weights[channel], p * constants.stride, q * constants.stride
                        )
                        total += int(min(max(drive, 0.0) // constants.threshold, float(constants.steps)))
                counts[channel, a, b] = total
