"""The whole description of an experiment with a rate-conversion network: what a configuration file holds."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from stdpnet.baselines.supervised.spec import OptimiserSpec, SupervisedTrainingSpec
from stdpnet.spec.base import Spec
from stdpnet.spec.experiment import Experiment


class NetworkSpec(Spec):
    """The layers: pixels, one hidden layer of rectified linear units, and an output unit for each class."""

    hidden: int = Field(128, ge=1, le=65_536)
    """Hidden units."""


class SpikingSpec(Spec):
    """How hidden units answer: a unit of activity a (Hz) spikes a times per second on average."""

    activation: Literal["spiking", "rate"] = "spiking"
    """spiking: v += a*dt, floor(v) spikes, v -= floor(v) in each step, v random in [0, 1) at first; rate: a itself."""
    dt: float = Field(0.1, gt=0, le=1e6)
    """Length of a step, seconds (not ms: a unit whose activity is 1 spikes once per second)."""
    steps: int = Field(10, ge=1, le=100_000)
    """Steps for which an image is shown."""
    lowpass: float = Field(0.0, ge=0, le=1e6)
    """Time constant of a low-pass filter behind each hidden unit, seconds: its last value goes to the output units, and
    it is learned, for each unit, from this value on; 0: no filter, the mean over the steps."""


class ConversionTrainingSpec(SupervisedTrainingSpec):
    """The training protocol, and how spikes enter the loss."""

    spike_aware: bool = False
    """Whether the loss is that of the spiking network, at `spiking.dt`, with gradients as if units did not spike."""
    rate_penalty: float = Field(0.0, ge=0)
    """Weight of a further term of the loss: the sum over hidden units of (rate - target_rate)**2, in Hz**2."""
    target_rate: float = Field(20.0, ge=0)
    """The rate to which that term draws hidden units, Hz."""


class RateConversionExperiment(Experiment):
    """Images, network and protocol of one training job of a rate-conversion network (docs/rate-conversion.md)."""

    answering: ClassVar[tuple[str, ...]] = ("spiking",)
    operating: ClassVar[tuple[str, ...]] = ("spiking", *Experiment.operating)

    model: Literal["rate_conversion"] = "rate_conversion"
    """Which model is trained: rate_conversion, a ReLU network whose hidden units answer with spikes."""
    network: NetworkSpec = NetworkSpec()
    """Sizes of the layers."""
    spiking: SpikingSpec = SpikingSpec()
    """How hidden units spike."""
    training: ConversionTrainingSpec = ConversionTrainingSpec()
    """How long to train, on what loss."""
    optimiser: OptimiserSpec = OptimiserSpec()
    """How weights follow the gradient."""

    @property
    def pixels(self) -> int:
        """Input units."""
        return self.dataset.crop**2

    @property
    def label(self) -> str:
        """A short name: the sizes of the layers."""
        kind = "SNN" if self.spiking.activation == "spiking" else "ANN"
        return f"rate {kind} {self.pixels}-{self.network.hidden}-{self.training.classes}"
