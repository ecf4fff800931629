"""The geometry of a network: positions, receptive fields, numbers of synapses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Geometry:
    """Sizes of a network; neuron index = position * channels + channel (docs/model.md, Topology)."""

    side: int
    """Image side n, pixels."""
    kernel: int
    """Side k of a receptive field, pixels."""
    stride: int
    """Distance s of neighbouring receptive fields, pixels."""
    channels: int
    """Neurons C per position."""
    shared: bool
    """True where all positions of a channel share one kernel (convolutional)."""
    chosen: tuple[int, ...] | None = None
    """The positions of the network that belong to this part of it; None: all of them."""

    @property
    def positions_per_side(self) -> int:
        """Positions per side, p = (n - k)/s + 1."""
        return (self.side - self.kernel) // self.stride + 1

    @property
    def positions(self) -> int:
        """Positions P = p*p, or the number of those in this part of a network."""
        return self.positions_per_side**2 if self.chosen is None else len(self.chosen)

    @property
    def pixels(self) -> int:
        """Input neurons, n*n."""
        return self.side**2

    @property
    def fan_in(self) -> int:
        """Feedforward synapses per neuron, k*k."""
        return self.kernel**2

    @property
    def neurons(self) -> int:
        """Neurons, P*C."""
        return self.positions * self.channels

    @property
    def weight_sets(self) -> int:
        """Independent sets of feedforward weights: P, or 1 where they are shared."""
        return 1 if self.shared else self.positions

    @property
    def feedforward_synapses(self) -> int:
        """Feedforward weights; an entry of a shared kernel counts once."""
        return self.weight_sets * self.fan_in * self.channels

    @property
    def competition_synapses(self) -> int:
        """Ordered pairs of different neurons of one position, P*C*(C-1)."""
        return self.positions * self.channels * (self.channels - 1)

    @property
    def synapses(self) -> int:
        """All trainable synapses."""
        return self.feedforward_synapses + self.competition_synapses

    def origin(self, position: int) -> tuple[int, int]:
        """Return the row and column of the upper left pixel of a position's receptive field."""
        place = position if self.chosen is None else self.chosen[position]
        row, column = divmod(place, self.positions_per_side)
        return row * self.stride, column * self.stride

    def receptive_field_rows(self) -> NDArray[np.int32]:
        """Return (P, n*n) the row of the weights at which a position's receptive field has each pixel, -1 outside."""
        rows = np.full((self.positions, self.side, self.side), -1, np.int32)
        field = np.arange(self.fan_in, dtype=np.int32).reshape(self.kernel, self.kernel)
        for position in range(self.positions):
            top, left = self.origin(position)
            rows[position, top : top + self.kernel, left : left + self.kernel] = field
        return rows.reshape(self.positions, -1)
