"""The whole description of an experiment with CoLaNET: what a configuration file holds."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from stdpnet.spec.base import Schedule, Spec
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.training import TrainingSpec

MOST = 65_535
"""Largest spike count."""


class ColaNETTrainingSpec(TrainingSpec):
    """How long to train, and on images of how many classes."""

    images: Annotated[int, Schedule()] = Field(50_000, ge=0)
    """Training images to show, in seeded order; beyond the size of the split: further epochs, each in its own order."""
    classes: int = Field(10, ge=2, le=65_536)
    """Classes of the images, and so columns: 10 of digits, mnist and fashion-mnist."""


class BoundsSpec(Spec):
    """Bounds of weights that follow from resources."""

    w_min: float = Field(-0.253, lt=0)
    """Smallest weight, of a resource of 0 or less."""
    w_max: float = Field(0.0924, gt=0)
    """Weight that an unlimited resource would have."""
    noise: float = Field(1e-3, ge=0)
    """Standard deviation of the initial resources around that of weight 0."""


class ColumnsSpec(BoundsSpec):
    """The classifier: a column of microcolumns for each class."""

    plasticity: Literal["digital", "spiking"] = "digital"
    """digital: one update after each image, by the columns' errors; spiking: neurons learn in time steps, by their own
    spikes and by the reward that the label brings (table spiking)."""
    microcolumns: int = Field(15, ge=1, le=65_535)
    """Microcolumns of each column; each has one neuron that learns."""
    threshold: float = Field(28.0, gt=0)
    """Digital: input (weights times spike counts) above which the winner of a column fires; spiking: membrane potential
    at which a neuron fires."""
    reward: float = Field(0.18, gt=0)
    """Gain of the resource of an active input in the right column; digital: also its loss in a wrong one."""
    excess: float = Field(0.0, ge=0)
    """Share of the sum of a neuron's positive weights by which its input is lowered; spiking: its threshold raised."""
    silent: int = Field(27, ge=0)
    """Silent synapses of each neuron, which pay as the others do; only if conserve."""
    conserve: bool = True
    """Whether all synapses of a neuron pay for what its active inputs receive."""


class SpikingSpec(Spec):
    """Neurons and rules of columns.plasticity = "spiking"; a step is 1 ms, potentials have the unit of weights."""

    decay: float = Field(2 / 3, ge=0, lt=1)
    """Factor of a membrane potential in each step."""
    noise: float = Field(2.212, ge=0)
    """Upper bound of the random number, from 0 on, that is added to each membrane potential in each step."""
    forcing: float = Field(10.0, gt=0)
    """Added by the label to the potentials of the right column if that column has been silent."""
    anti_hebbian: float = Field(0.177, ge=0)
    """Loss of the resource of each input that contributed to a spike, once in a tight sequence of spikes."""
    stability: float = Field(0.05, ge=0)
    """Change of a neuron's stability by a reward, relative to the reward; changes are smaller by 2**-stability."""
    presynaptic_window: int = Field(10, ge=0, le=1000)
    """Steps before a spike in which an input must have spiked to contribute."""
    reward_window: int = Field(10, ge=1, le=1000)
    """Steps after a spike in which a reward counts; a column that fired before is forced like a silent one."""
    longest_interval: int = Field(10, ge=1, le=1000)
    """Spikes less than so many steps apart belong to one tight sequence."""


class KernelsSpec(BoundsSpec):
    """Kernels that are learned from images without labels, and the spiking convolution in front of the columns."""

    channels: int = Field(0, ge=0, le=65_535)
    """Kernels; 0: none, the columns see the pixels."""
    kernel: int = Field(9, ge=1)
    """Side of a kernel, pixels."""
    stride: int = Field(2, ge=1)
    """Distance between positions, pixels."""
    pool: int = Field(2, ge=1)
    """Side of the squares of positions whose spikes are summed."""
    images: int = Field(3000, ge=0)
    """Number of the first training images, from which the kernels learn; the columns learn from the later ones."""
    w_min: float = Field(-0.1, lt=0)
    """Smallest weight, of a resource of 0 or less."""
    w_max: float = Field(0.1, gt=0)
    """Weight that an unlimited resource would have."""
    brightness: float = Field(0.5, ge=0, lt=1)
    """Brightness (0 to 1) above which pixels of a weak match grow."""
    learning_rate: float = Field(0.002, gt=0)
    """Growth of the resource of a pixel at each update."""
    threshold: float = Field(1.0, gt=0)
    """Weights times spike counts behind each spike of a neuron of the convolution."""


class InputSpec(Spec):
    """How pixels become spikes."""

    steps: int = Field(10, ge=1, le=1000)
    """Spikes of a white pixel; one of brightness b (0 to 255) has floor(steps*b/255). Spiking: also time steps."""


class ColaNETExperiment(Experiment):
    """Images, columns and protocol of one training job of CoLaNET (docs/colanet.md)."""

    answering: ClassVar[tuple[str, ...]] = ("input", "kernels", "columns", "spiking")

    model: Literal["colanet"] = "colanet"
    """Which model is trained: colanet, columns that learn from labels by a local rule."""
    training: ColaNETTrainingSpec = ColaNETTrainingSpec()
    """How long to train, and on images of how many classes."""
    input: InputSpec = InputSpec()
    """How pixels become spikes."""
    kernels: KernelsSpec = KernelsSpec()
    """The convolution in front of the columns."""
    columns: ColumnsSpec = ColumnsSpec()
    """The classifier."""
    spiking: SpikingSpec = SpikingSpec()
    """Its neurons and rules, of columns.plasticity = "spiking"."""

    @model_validator(mode="after")
    def _columns_can_be_forced(self) -> Self:
        """Refuse a threshold that no untrained neuron reaches: nothing would ever be learned."""
        spiking, threshold = self.spiking, self.columns.threshold
        most = spiking.forcing + spiking.noise / (1 - spiking.decay)
        if self.columns.plasticity == "spiking" and most < threshold:
            raise ValueError(
                f"columns.threshold: {threshold:g} is above {most:g}, all that forcing and noise of untrained neurons "
                "reach; lower it (8.571 in the source), or raise spiking.forcing"
            )
        return self

    @model_validator(mode="after")
    def _kernels_fit(self) -> Self:
        kernels, crop = self.kernels, self.dataset.crop
        if not kernels.channels:
            return self
        if kernels.kernel > crop:
            raise ValueError(f"kernels.kernel: {kernels.kernel} is larger than the image, {crop}; lower it")
        if not self.side:
            raise ValueError(
                f"kernels.pool: {kernels.pool} is larger than the {self.positions} positions in a row; lower it"
            )
        if self.input.steps * kernels.pool**2 > MOST:
            raise ValueError(f"kernels.pool: sums of up to {self.input.steps * kernels.pool**2} spikes; lower it")
        return self

    @property
    def positions(self) -> int:
        """Positions of a kernel in a row."""
        return (self.dataset.crop - self.kernels.kernel) // self.kernels.stride + 1

    @property
    def side(self) -> int:
        """Pools in a row."""
        return self.positions // self.kernels.pool

    @property
    def inputs(self) -> int:
        """Inputs of the columns."""
        return self.kernels.channels * self.side**2 if self.kernels.channels else self.dataset.crop**2

    @property
    def label(self) -> str:
        """A short name: microcolumns, and kernels if there are any, as in spiking CoLaNET 15 or CoLaNET 15 on 28/9."""
        kind = "spiking " if self.columns.plasticity == "spiking" else ""
        kernels = f" on {self.kernels.channels}/{self.kernels.kernel}" if self.kernels.channels else ""
        return f"{kind}CoLaNET {self.columns.microcolumns}{kernels}"
