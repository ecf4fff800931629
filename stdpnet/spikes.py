"""Input spikes of presentations, as encoders make them and engines take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class SpikeTrains(NamedTuple):
    """Input spikes of N presentations: those of presentation i, step k are pixels[offsets[i, k]:offsets[i, k + 1]]."""

    pixels: NDArray[np.int32]
    """(S,) pixel of each spike, by presentation, then step, then pixel."""
    offsets: NDArray[np.int64]
    """(N, T + 1) where the spikes of each step begin."""

    @property
    def steps(self) -> int:
        """Steps T of a presentation."""
        return int(self.offsets.shape[1]) - 1
