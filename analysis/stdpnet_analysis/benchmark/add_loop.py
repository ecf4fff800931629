"""Add the weights of the input spikes and do nothing else: the loop with which other times are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled
from stdpnet.arrays import Floats


@compiled
def add_loop(
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
    windows: NDArray[np.int32],
    weights: Floats,
    current: Floats,
) -> None:
    """Add the weights for each presentation, position, step and input spike.

    Parameters
    ----------
    pixels, offsets : input spikes (see SpikeTrains)
    windows : (P, n*n) row of each pixel in each receptive field, -1 outside
    weights : (P, k*k, C), or (1, k*k, C) where positions share kernels; mV
    current : (C,) gets the sum of all weights, mV
    """
    for i in range(offsets.shape[0]):
        for position in range(windows.shape[0]):
            matrix, window = weights[position % weights.shape[0]], windows[position]
            for k in range(offsets.shape[1] - 1):
                for spike in range(offsets[i, k], offsets[i, k + 1]):
                    row = window[pixels[spike]]
                    if row >= 0:
                        incoming = matrix[row]
                        for j in range(current.shape[0]):
                            current[j] += incoming[j]
