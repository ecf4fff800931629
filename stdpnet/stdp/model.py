"""The model "stdp": spiking networks that learn by STDP, as jobs, runs and evaluation see them (stdpnet.model)."""

from __future__ import annotations

import numpy as np

from stdpnet.machine import check_memory
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
COPIES = 4
"""Copies of the network in memory: in the state, in the last row of progress, in the engine, in a checkpoint."""


def facts(spec: STDPExperiment) -> Facts:
    """Return the facts about a network: architecture, neurons, synapses by kind; it uses no labels."""
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
    geometry, size = spec.geometry, np.dtype(spec.simulation.effective_dtype).itemsize
    synapses = geometry.feedforward_synapses + (geometry.competition_synapses if spec.competition.is_learned else 0)
    check_memory("topology.channels", certain=synapses * size, likely=COPIES * synapses * size)
    network = initial_network(spec)
    return State(arrays=network.arrays(), interval=vars(Interval.begin(network)))
