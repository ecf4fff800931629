"""The whole description of an experiment with surrogate gradients: what a configuration file holds."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from stdpnet.baselines.supervised.spec import OptimiserSpec, SupervisedTrainingSpec
from stdpnet.spec.base import Spec
from stdpnet.spec.encoder import EncoderSpec
from stdpnet.spec.experiment import Experiment

SurrogateFunction = Literal["sigmoid", "fast_sigmoid", "arctan", "triangular", "straight_through"]
Backward = Literal["through_time", "instantaneous"]


class NetworkSpec(Spec):
    """The layers: pixels, hidden neurons, and an output neuron for each class, fully connected, without bias."""

    hidden: int = Field(100, ge=1, le=65_536)
    """Hidden neurons."""
    deviation: float = Field(0.05, gt=0, le=1e6)
    """Standard deviation of the untrained weights, which are normal with mean 0."""


class NeuronSpec(Spec):
    """Leaky integrate-and-fire neurons: v <- decay*v + input, a spike where v > threshold; v has no unit."""

    decay: float = Field(0.95, ge=0, le=1)
    """Factor of the membrane potential in each step (alpha in docs/surrogate-gradient.md)."""
    threshold: float = Field(0.6, gt=0, le=1e6)
    """Membrane potential above which a neuron spikes."""
    reset: Literal["zero", "subtract"] = "zero"
    """What a spike does to the potential: zero sets it to 0 (hard), subtract lowers it by the threshold (soft)."""


class SurrogateSpec(Spec):
    """The surrogate for the derivative of a spike with respect to the potential, and the paths of the gradients."""

    function: SurrogateFunction = "sigmoid"
    """Of x = v - threshold, k = slope: sigmoid k*s*(1-s), s = 1/(1+exp(-k*x)); fast_sigmoid 1/(1+k*abs(x))**2; arctan
    (k/2)/(1+(pi*k*x/2)**2); triangular max(0, 1-k*abs(x)); straight_through 1."""
    slope: float = Field(5.0, gt=0, le=1e6)
    """How narrow the function is, per unit of potential; of sigmoid and arctan also its height."""
    centre: float | None = Field(None, ge=-1e6, le=1e6)
    """The potential at which the function is largest; default: the threshold."""
    backward: Backward = "through_time"
    """through_time: the exact backward pass; instantaneous: no path through time, and the derivative is taken where the
    input of a step alone would bring a neuron at rest."""
    through_reset: bool = False
    """Whether gradients also flow through the reset; False: it is taken as a constant. Only through_time."""


class CountTrainingSpec(SupervisedTrainingSpec):
    """The training protocol, and the loss."""

    batch: int = Field(128, ge=1, le=65_536)
    """Images of a mini-batch; those of a batch that is not full yet wait for the next images."""
    temperature: float = Field(1.0, gt=0, le=1e6)
    """The logits of the loss are the spike counts of the output neurons divided by it; larger values make the network
    answer with more spikes."""


class SimulationSpec(Spec):
    """How an image is shown."""

    steps: int = Field(100, ge=1, le=65_535)
    """Steps of 1 ms for which an image is shown."""


class SurrogateGradientExperiment(Experiment):
    """Images, network and protocol of one training job with surrogate gradients (docs/surrogate-gradient.md)."""

    answering: ClassVar[tuple[str, ...]] = ("neuron", "simulation", "encoder")
    operating: ClassVar[tuple[str, ...]] = ("simulation", "encoder", *Experiment.operating)

    model: Literal["surrogate_gradient"] = "surrogate_gradient"
    """Which model is trained: surrogate_gradient, spiking neurons trained by backpropagation through time."""
    network: NetworkSpec = NetworkSpec()
    """Sizes of the layers, and the untrained weights."""
    neuron: NeuronSpec = NeuronSpec()
    """The neurons of both layers."""
    surrogate: SurrogateSpec = SurrogateSpec()
    """The backward pass."""
    simulation: SimulationSpec = SimulationSpec()
    """How long an image is shown."""
    encoder: EncoderSpec = EncoderSpec(max_rate=1000)
    """How an image becomes spikes: 1000 Hz is a spike of a white pixel in each step."""
    training: CountTrainingSpec = CountTrainingSpec()
    """How long to train, and on how many images at a time."""
    optimiser: OptimiserSpec = OptimiserSpec()
    """How weights follow the gradient."""

    @model_validator(mode="after")
    def _input_is_drawn(self) -> Self:
        if self.encoder.kind == "events":
            raise ValueError(
                "encoder.kind: 'events' is for model = 'stdp': here images that wait for a full batch are kept as "
                "pictures; choose another kind, which takes recordings as pictures"
            )
        return self

    @property
    def pixels(self) -> int:
        """Input units."""
        return self.dataset.crop**2

    @property
    def label(self) -> str:
        """A short name: the sizes of the layers."""
        return f"BPTT {self.pixels}-{self.network.hidden}-{self.training.classes}"
