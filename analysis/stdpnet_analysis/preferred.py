"""The images to which a neuron spikes most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PREFERRED = 10
"""Number of preferred images that are shown of a neuron."""


def preferred_images(counts: NDArray[Any], neuron: int, count: int = PREFERRED) -> NDArray[np.intp]:
    """Return the images to which a neuron spikes most, the first of equal ones; only those to which it spikes.

    Parameters
    ----------
    counts : (N, P*C) spikes
    neuron : position * channels + channel
    count : largest number of images
    """
    best = np.argsort(-counts[:, neuron].astype(np.int64), kind="stable")[:count]
    found: NDArray[np.intp] = best[counts[best, neuron] > 0]
    return found
