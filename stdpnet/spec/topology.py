"""The architecture table of a configuration, and the geometry that follows from it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from stdpnet.errors import ConfigError
from stdpnet.geometry import Geometry
from stdpnet.spec.base import Spec

Architecture = Literal["locally_connected", "convolutional", "fully_connected"]
ABBREVIATIONS: dict[str, str] = {"locally_connected": "LCSNN", "convolutional": "CSNN", "fully_connected": "FCSNN"}


class TopologySpec(Spec):
    """The connections between pixels and neurons."""

    architecture: Architecture = "locally_connected"
    """locally_connected (LCSNN), convolutional (CSNN) or fully_connected (FCSNN)."""
    channels: int = Field(25, ge=1, le=65536)
    """Neurons C at each position (feature maps)."""
    kernel: int | None = Field(None, ge=1, le=4096)
    """Side k of the receptive field, pixels; fully_connected: leave it out, it is the whole image."""
    stride: int = Field(4, ge=1, le=4096)
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
                f"topology.kernel: fully_connected neurons see the whole image of {side}, got {kernel}; leave it out "
                "(--set topology.kernel=none)"
            )
        if (side - kernel) % self.stride:
            raise ConfigError(
                f"topology.stride: (dataset.crop - kernel)/stride = ({side} - {kernel})/{self.stride} is not whole; "
                f"choose a stride that divides {side - kernel}"
            )
        return Geometry(
            side=side,
            kernel=kernel,
            stride=self.stride,
            channels=self.channels,
            shared=self.architecture == "convolutional",
        )
