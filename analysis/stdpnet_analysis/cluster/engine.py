"""Train one network on many processes: its positions share nothing but the input (docs/model.md, Topology)."""

from __future__ import annotations

from functools import partial

import numpy as np
from distributed import Client
from numpy.typing import NDArray

from stdpnet.errors import ConfigError, EngineError
from stdpnet.model import LearnerMaker
from stdpnet.spec.experiment import Experiment
from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import Engine, Outcome, Recording, Switches
from stdpnet.stdp.learner import STDPLearner
from stdpnet.stdp.network import Network
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.cluster.pool import gathered, slots

CLUSTER_CHUNK = 256
"""Images shown between two exchanges of state; results do not depend on it."""


class PositionParallelEngine:
    """An engine whose workers each simulate some positions, as a network of their own, for the images of one call.

    A task is a pure function of its arguments, so that the task of a lost worker is computed again by another one.

    Parameters
    ----------
    spec : the experiment
    network : its state, updated in place
    client : the cluster
    """

    def __init__(self, spec: STDPExperiment, network: Network, client: Client) -> None:
        self.network = network
        self._spec, self._client = spec, client

    def present(
        self,
        trains: SpikeTrains,
        switches: Switches,
        recording: Recording | None = None,
        learning_rates: NDArray[np.float64] | None = None,
        first_spikes: NDArray[np.int32] | None = None,
    ) -> Outcome:
        """Show presentations one after the other (see Engine.present)."""
        if recording is not None or first_spikes is not None:
            raise EngineError("a position-parallel engine records no steps; leave --scheduler out")
        positions = np.arange(self.network.geometry.positions)
        parts = np.array_split(positions, min(len(positions), slots(self._client)))
        futures = [
            self._client.submit(
                _present, self._spec, self.network.part(part), trains, switches, learning_rates, pure=False
            )
            for part in map(np.ndarray.tolist, parts)
        ]
        counts = np.empty((len(trains.offsets), *self.network.theta.shape), np.int32)
        unnormalised = 0
        for part, (network, outcome) in zip(parts, gathered(self._client, futures), strict=True):
            self.network.put(network)
            counts[:, part] = outcome.counts
            unnormalised += outcome.unnormalised
        return Outcome(counts, unnormalised)


def _present(
    spec: STDPExperiment,
    network: Network,
    trains: SpikeTrains,
    switches: Switches,
    learning_rates: NDArray[np.float64] | None,
) -> tuple[Network, Outcome]:
    """Show presentations to a part of a network; return its new state and its answers."""
    engine = make_engine(spec, network, 1)
    outcome = engine.present(trains, switches, learning_rates=learning_rates)
    return engine.network.copy(), outcome


def check_positions(spec: Experiment) -> None:
    """Raise ConfigError unless the model is a network with several positions that are independent."""
    if not isinstance(spec, STDPExperiment):
        raise ConfigError(f"model: '{spec.model}' has no positions that could be trained apart; leave --scheduler out")
    geometry, architecture = spec.geometry, spec.topology.architecture
    if geometry.shared:
        raise ConfigError(
            f"topology.architecture: a {architecture} network's positions share their kernels and cannot be trained "
            "apart; leave --scheduler out"
        )
    if geometry.positions == 1:
        raise ConfigError(
            f"topology.architecture: this {architecture} network has one position, nothing to spread; leave "
            "--scheduler out"
        )
    if spec.training.min_spikes:
        raise ConfigError(
            f"training.min_spikes: {spec.training.min_spikes} counts the spikes of the whole network after each image, "
            "so its positions cannot be trained apart; set it to 0, or leave --scheduler out"
        )


def position_parallel(client: Client, chunk: int = CLUSTER_CHUNK) -> LearnerMaker:
    """Return a maker of learners whose network's positions are spread over a cluster (see check_positions).

    Parameters
    ----------
    client : the cluster
    chunk : images shown between two exchanges of state; results do not depend on it
    """

    def make(spec: STDPExperiment, network: Network, threads: int | None) -> Engine:
        check_positions(spec)
        return PositionParallelEngine(spec, network, client)

    return partial(STDPLearner, make=make, chunk=chunk)
