"""Architectures, and the geometry that follows from one: positions, receptive fields, synapse counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from stdpnet.errors import ConfigError
from stdpnet.spec.base import Spec

Architecture = Literal["locally_connected", "convolutional", "fully_connected"]
ABBREVIATIONS: dict[str, str] = {"locally_connected": "LCSNN", "convolutional": "CSNN", "fully_connected": "FCSNN"}


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
    """Which positions this is the geometry of, where it is a part of a network; None: of all."""

    @property
    def positions_per_side(self) -> int:
        """Positions per side, p = (n - k)/s + 1."""
        return (self.side - self.kernel) // self.stride + 1

    @property
    def positions(self) -> int:
        """Positions P = p*p, or those of the part."""
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


class TopologySpec(Spec):
    """The connections between pixels and neurons."""

    architecture: Architecture = "locally_connected"
    """locally_connected (LCSNN), convolutional (CSNN) or fully_connected (FCSNN)."""
    channels: int = Field(25, ge=1, le=65536)
    """Neurons C at each position (feature maps)."""
    kernel: int | None = Field(None, ge=1)
    """Side k of the receptive field, pixels; fully_connected: leave it out, it is the whole image."""
    stride: int = Field(4, ge=1)
    """Distance s of neighbouring receptive fields, pixels; not used by fully_connected."""

    @model_validator(mode="after")
    def _kernel_is_given(self) -> Self:
        if self.kernel is None and self.architecture != "fully_connected":
            raise ValueError(f"kernel: architecture = '{self.architecture}' needs a kernel, for example kernel = 12")
        return self

    @property
    def label(self) -> str:
        """The network's short name: architecture, channels and kernel, as in LCSNN 25/12."""
        kernel = "" if self.architecture == "fully_connected" else f"/{self.kernel}"
        return f"{ABBREVIATIONS[self.architecture]} {self.channels}{kernel}"

    def geometry(self, side: int) -> Geometry:
        """Return the geometry on images of `side` pixels a side.

        Raises
        ------
        ConfigError
            If the kernel does not fit the image, or (n - k)/s is not whole.
        """
        kernel = side if self.kernel is None else self.kernel
        if kernel > side:
            raise ConfigError(
                f"topology.kernel: {kernel} is larger than the image (dataset.crop = {side}); choose at most {side}"
            )
        if self.architecture == "fully_connected" and kernel != side:
            raise ConfigError(
                f"topology.kernel: fully_connected neurons see the whole image of {side}, got {kernel}; leave it out"
            )
        if (side - kernel) % self.stride:
            raise ConfigError(
                f"topology.stride: (dataset.crop - kernel)/stride = ({side} - {kernel})/{self.stride} is not whole; "
                f"choose a stride that divides {side - kernel}"
            )
        return Geometry(side, kernel, self.stride, self.channels, self.architecture == "convolutional")
