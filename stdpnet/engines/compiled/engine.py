"""The compiled engine: float64 equal to Brian2 to the last bit, float32 for speed; threads over independent parts."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stdpnet.encoding import SpikeTrains
from stdpnet.engines.base import Outcome, Recording, Switches, constants, window_rows
from stdpnet.engines.compiled.kernels import Arrays, present_group
from stdpnet.network import Network
from stdpnet.spec.experiment import ExperimentSpec


class NumbaEngine:
    """Simulates groups of positions that share weights, each with its weights in cache, in parallel over threads.

    While something is learned a group's presentations follow one another, and threads share the groups (a convolutional
    network is one group); a frozen network's presentations are independent, and threads share them too.

    Parameters
    ----------
    spec : the experiment
    network : its state; its arrays are updated in place
    threads : how many threads may compute; default all cores; results do not depend on it
    """

    def __init__(self, spec: ExperimentSpec, network: Network, threads: int | None = None) -> None:
        self.network = network
        self._threads = threads or len(os.sched_getaffinity(0))
        self._constants = constants(spec, network.dtype)
        self._windows = window_rows(network)
        positions = np.arange(network.geometry.positions)
        self._groups = [positions] if network.geometry.shared else np.split(positions, len(positions))

    def present(
        self,
        trains: SpikeTrains,
        switches: Switches,
        recording: Recording | None = None,
        rates: NDArray[np.float64] | None = None,
    ) -> Outcome:
        """Show presentations one after the other (see Engine.present)."""
        network = self.network
        learned = network.competition.ndim == 3
        switches = Switches(switches.learn_xy, switches.learn_yy and learned, switches.adapt_theta)
        arrays = Arrays(
            network.weights,
            network.theta,
            network.competition if learned else np.empty((0, 0, 0), network.dtype),
            network.dtype.type(0 if learned else network.competition[()]),
            self._windows,
        )
        n_presentations = len(trains.offsets)
        factors = np.ones(n_presentations) if rates is None else rates
        factors = factors.astype(network.dtype)
        counts = np.zeros((n_presentations, *network.theta.shape), np.int32)
        parts = 1 if any(switches) else self._threads
        bounds = np.linspace(0, n_presentations, parts + 1).astype(int)
        tasks = [(group, slice(*ends)) for group in self._groups for ends in pairwise(bounds)]

        def run(task: tuple[np.ndarray, slice]) -> int:
            group, part = task
            view = recording and Recording(recording.v[part], recording.current[part], recording.spikes[part])
            part_trains = SpikeTrains(trains.pixels, trains.offsets[part])
            return present_group(
                part_trains, group, arrays, self._constants, switches, counts[part], view, factors[part]
            )

        if self._threads == 1 or len(tasks) == 1:
            return Outcome(counts, sum(map(run, tasks)))
        with ThreadPoolExecutor(self._threads) as pool:
            return Outcome(counts, sum(pool.map(run, tasks)))
