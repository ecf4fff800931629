"""What an experiment is: frozen, validated descriptions without arrays."""

from stdpnet.spec.base import Spec
from stdpnet.spec.dataset import DatasetSpec
from stdpnet.spec.encoder import EncoderSpec
from stdpnet.spec.experiment import ExperimentSpec
from stdpnet.spec.neuron import NeuronSpec
from stdpnet.spec.plasticity import CompetitionSpec, PlasticitySpec, STDPSpec
from stdpnet.spec.topology import Geometry, TopologySpec
from stdpnet.spec.training import SimulationSpec, TrainingSpec

__all__ = [
    "CompetitionSpec",
    "DatasetSpec",
    "EncoderSpec",
    "ExperimentSpec",
    "Geometry",
    "NeuronSpec",
    "PlasticitySpec",
    "STDPSpec",
    "SimulationSpec",
    "Spec",
    "TopologySpec",
    "TrainingSpec",
]
