"""The model "stdp": spiking networks that learn by STDP, as jobs, runs and evaluation see them (stdpnet.model)."""

from __future__ import annotations

from stdpnet.model import Facts, State
from stdpnet.spec.topology import ABBREVIATIONS
from stdpnet.stdp.health import examine
from stdpnet.stdp.learner import STDPLearner
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.respond import respond
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet.stdp.statistics import Interval

__all__ = ["facts", "findings", "initial", "learner", "respond"]

learner, findings = STDPLearner, examine


def facts(spec: STDPExperiment) -> Facts:
    """Return what a table says about a network: architecture, neurons, synapses by kind; it uses no labels."""
    geometry, learned = spec.geometry, spec.competition.is_learned
    return Facts(
        label=f"{spec.topology.label} {spec.competition.rule}" if learned else spec.topology.label,
        family=ABBREVIATIONS[spec.topology.architecture],
        positions=geometry.positions,
        units=geometry.neurons,
        synapses={"feedforward": geometry.feedforward_synapses, "competition": geometry.competition_synapses},
        details={"channels": geometry.channels, "kernel": geometry.kernel, "competition": spec.competition.rule},
    )


def initial(spec: STDPExperiment) -> State:
    """Return the untrained network: weights uniform and normalised, theta 0 (docs/model.md, Initial values)."""
    network = initial_network(spec)
    return State(arrays=network.arrays(), interval=vars(Interval.begin(network)))
