"""What an experiment is: frozen, validated descriptions without arrays."""

from stdpnet.spec.base import Spec
from stdpnet.spec.dataset import DatasetSpec
from stdpnet.spec.encoder import EncoderSpec
from stdpnet.spec.experiment import ExperimentSpec
from stdpnet.spec.monitoring import CheckpointSpec, CurveSpec, HealthSpec, ProgressSpec
from stdpnet.spec.neuron import NeuronSpec
from stdpnet.spec.plasticity import CompetitionSpec, PlasticitySpec, STDPSpec
from stdpnet.spec.topology import Geometry, TopologySpec
from stdpnet.spec.training import SimulationSpec, TrainingSpec

__all__ = [
    "CheckpointSpec",
    "CompetitionSpec",
    "CurveSpec",
    "DatasetSpec",
    "EncoderSpec",
    "ExperimentSpec",
    "Geometry",
    "HealthSpec",
    "NeuronSpec",
    "PlasticitySpec",
    "ProgressSpec",
    "STDPSpec",
    "SimulationSpec",
    "Spec",
    "TopologySpec",
    "TrainingSpec",
]
