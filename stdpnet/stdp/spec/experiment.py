"""The whole description of an experiment with a spiking network: what a configuration file holds."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import model_validator

from stdpnet.geometry import Geometry
from stdpnet.spec.base import Monitoring
from stdpnet.spec.encoder import EncoderSpec
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.topology import TopologySpec
from stdpnet.stdp.spec.health import STDPHealthSpec
from stdpnet.stdp.spec.neuron import NeuronSpec
from stdpnet.stdp.spec.plasticity import LEARNING, CompetitionSpec, PlasticitySpec
from stdpnet.stdp.spec.simulation import SimulationSpec
from stdpnet.stdp.spec.training import STDPTrainingSpec


class STDPExperiment(Experiment):
    """Images, network, learning and protocol of one training job of a spiking network (docs/model.md).

    It is frozen; `updated` returns a changed copy, whose keys are checked.

    Examples
    --------
    >>> import stdpnet
    >>> spec = stdpnet.STDPExperiment(seed=1, topology={"channels": 10, "kernel": 8})
    >>> spec.geometry.positions
    16
    >>> spec.updated({"plasticity.A_plus": 0.01}).plasticity.A_plus
    0.01
    """

    answering: ClassVar[tuple[str, ...]] = ("neuron", "encoder", "simulation", "training")
    operating: ClassVar[tuple[str, ...]] = ("encoder", "simulation.duration", *Experiment.operating)
    scalable: ClassVar[tuple[str, ...]] = ("competition",)

    model: Literal["stdp"] = "stdp"
    """Which model is trained: stdp, a network of spiking neurons that learns by STDP."""
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
    training: STDPTrainingSpec = STDPTrainingSpec()
    """How long to train, and when an image is shown again."""
    simulation: SimulationSpec = SimulationSpec()
    """Time step, duration, engine and arithmetic."""
    health: Annotated[STDPHealthSpec, Monitoring()] = STDPHealthSpec()
    """What counts as unhealthy."""

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        self.topology.geometry(self.dataset.crop)  # raises where the kernel does not fit
        if self.training.two_step and not self.competition.is_learned:
            raise ValueError(f"training.two_step: needs competition.rule = {', '.join(LEARNING)}; or set it to 0")
        if self.encoder.kind == "events" and self.training.min_spikes:
            raise ValueError(
                f"training.min_spikes: {self.training.min_spikes} shows a weakly answered image again at a higher "
                "rate, and recorded events have no rate; set it to 0 with encoder.kind = events"
            )
        if self.training.second_step_from == "zero" and not self.training.two_step:
            raise ValueError("training.second_step_from: zero needs training.two_step > 0; or set it to initial")
        return self

    @property
    def computation(self) -> dict[str, Any]:
        """Engine and arithmetic."""
        return {"engine": self.simulation.engine, "dtype": self.simulation.effective_dtype}

    @property
    def geometry(self) -> Geometry:
        """Sizes of the network on this dataset's cropped images."""
        return self.topology.geometry(self.dataset.crop)
