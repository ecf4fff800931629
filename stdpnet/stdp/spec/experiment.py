"""The whole description of an experiment: what a configuration file holds and a run directory records."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from stdpnet.geometry import Geometry
from stdpnet.spec.base import Spec
from stdpnet.spec.dataset import DatasetSpec
from stdpnet.spec.encoder import EncoderSpec
from stdpnet.spec.monitoring import CheckpointSpec, CurveSpec, HealthSpec, ProgressSpec
from stdpnet.spec.topology import TopologySpec
from stdpnet.spec.training import TrainingSpec
from stdpnet.stdp.spec.neuron import NeuronSpec
from stdpnet.stdp.spec.plasticity import LEARNING, CompetitionSpec, PlasticitySpec
from stdpnet.stdp.spec.simulation import SimulationSpec


class ExperimentSpec(Spec):
    """Dataset, network, learning and protocol of one training job."""

    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of everything random: initial weights, order of the images, input spikes."""
    dataset: DatasetSpec = DatasetSpec()
    """Which images, cut how, and how they are split."""
    topology: TopologySpec = TopologySpec(kernel=12)
    """The connections between pixels and neurons."""
    neuron: NeuronSpec = NeuronSpec()
    """The adaptive leaky integrate-and-fire neuron."""
    encoder: EncoderSpec = EncoderSpec()
    """How an image becomes spikes."""
    plasticity: PlasticitySpec = PlasticitySpec()
    """STDP and normalisation of the feedforward synapses."""
    competition: CompetitionSpec = CompetitionSpec()
    """The inhibition between neurons of one position."""
    training: TrainingSpec = TrainingSpec()
    """How long to train, and when an image is shown again."""
    simulation: SimulationSpec = SimulationSpec()
    """Time step, duration, engine and arithmetic."""
    checkpoint: CheckpointSpec = CheckpointSpec()
    """When the complete state is written."""
    progress: ProgressSpec = ProgressSpec()
    """How often a row of progress is written."""
    curve: CurveSpec = CurveSpec()
    """Evaluations during the training."""
    health: HealthSpec = HealthSpec()
    """What counts as unhealthy."""

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        self.topology.geometry(self.dataset.crop)  # raises where the kernel does not fit
        if self.training.two_step and not self.competition.is_learned:
            raise ValueError(f"training.two_step: needs competition.rule = {', '.join(LEARNING)}; or set it to 0")
        if self.curve.every and self.dataset.validation < self.curve.validation:
            raise ValueError(
                f"curve.validation: {self.curve.validation} images need dataset.validation >= {self.curve.validation}, "
                f"got {self.dataset.validation}"
            )
        return self

    @property
    def geometry(self) -> Geometry:
        """Sizes of the network on this dataset's cropped images."""
        return self.topology.geometry(self.dataset.crop)
