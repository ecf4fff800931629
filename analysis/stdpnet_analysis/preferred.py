"""The images to which a neuron spikes most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PREFERRED = 10
"""Images that are shown of a neuron."""


def preferred_images(counts: NDArray[Any], neuron: int, count: int = PREFERRED) -> NDArray[np.intp]:
    """Return the images to which a neuron spikes most, of equals the first; none to which it does not spike.

    Parameters
    ----------
    counts : (N, P*C) spikes
    neuron : position * channels + channel
    count : how many at most
    """
    best = np.argsort(-counts[:, neuron].astype(np.int64), kind="stable")[:count]
    found: NDArray[np.intp] = best[counts[best, neuron] > 0]
    return found
