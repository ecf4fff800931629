"""The compiled engine: float64 equal to Brian2 to the last bit, float32 for speed; threads over independent parts."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stdpnet.encoding import SpikeTrains
from stdpnet.engines.base import Outcome, Recording, Switches, constants, window_rows
from stdpnet.engines.compiled.kernels import Group, Output, allocate, present_group, rules_of
from stdpnet.engines.compiled.vectors import Lanes, fitting_lanes
from stdpnet.network import Floats, Network
from stdpnet.spec.experiment import ExperimentSpec

CACHE_LINE = 64
"""Bytes; rows of weights are an odd number of lines apart, so that a column does not crowd into few cache sets."""


class NumbaEngine:
    """Simulates groups of positions that share weights, each with its weights in cache, in parallel over threads.

    While something is learned a group's presentations follow one another, and threads share the groups (a convolutional
    network is one group); a frozen network's presentations are independent, and threads share them too.

    Parameters
    ----------
    spec : the experiment
    network : its state; its arrays become views of padded ones, which are updated in place
    threads : how many threads may compute; default all cores; results do not depend on it
    lanes : neurons per vector; default as fits the machine; 0: plain loops; results do not depend on it
    """

    def __init__(
        self, spec: ExperimentSpec, network: Network, threads: int | None = None, lanes: int | None = None
    ) -> None:
        self.network = network
        self._threads = threads or available_cores()
        self._constants = constants(spec, network.dtype)
        channels = network.geometry.channels
        count = fitting_lanes(channels, network.dtype.itemsize) if lanes is None else lanes
        self._lanes = Lanes(count) if count else None
        padded = -(-channels // count) * count if count else channels
        learned = network.competition.ndim == 3
        self._learned = learned
        weights, theta = _padded(network.weights, padded, apart=True), _padded(network.theta, padded)
        competition = _padded(network.competition, padded, apart=True) if learned else None
        c_w, windows = network.dtype.type(0 if learned else network.competition[()]), window_rows(network)
        positions, size = network.geometry.positions, network.geometry.positions // len(weights)
        self._groups = {
            first: Group(
                weights[first // size],
                theta[first : first + size],
                np.empty((0, 0, 0), network.dtype) if competition is None else competition[first : first + size],
                c_w,
                windows[first : first + size],
                channels,
                network.geometry.shared,
            )
            for first in range(0, positions, size)
        }
        network.weights, network.theta = weights[..., :channels], theta[..., :channels]
        if competition is not None:
            network.competition = competition[..., :channels]

    def present(
        self,
        trains: SpikeTrains,
        switches: Switches,
        recording: Recording | None = None,
        rates: NDArray[np.float64] | None = None,
    ) -> Outcome:
        """Show presentations one after the other (see Engine.present)."""
        count = len(trains.offsets)
        switches = Switches(switches.learn_xy, switches.learn_yy and self._learned, switches.adapt_theta)
        rules = rules_of(self._constants, switches)
        factors = np.ones(count, self.network.dtype) if rates is None else rates.astype(self.network.dtype)
        counts = np.zeros((count, *self.network.theta.shape), np.int32)
        parts = 1 if any(switches) else self._threads
        bounds = np.linspace(0, count, parts + 1).astype(int)
        tasks = [(first, slice(*ends)) for first in self._groups for ends in pairwise(bounds)]

        def run(task: tuple[int, slice]) -> int:
            first, part = task
            view = recording and Recording(*(values[part] for values in recording))
            own_trains, group = SpikeTrains(trains.pixels, trains.offsets[part]), self._groups[first]
            memory, output = allocate(own_trains, group, rules.xy), Output(counts[part], view, first)
            return present_group(own_trains, factors[part], group, memory, rules, output, self._lanes)

        if self._threads == 1 or len(tasks) == 1:
            return Outcome(counts, sum(map(run, tasks)))
        with ThreadPoolExecutor(self._threads) as pool:
            return Outcome(counts, sum(pool.map(run, tasks)))


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _padded(array: Floats, length: int, apart: bool = False) -> Floats:
    """Return a copy whose last axis is filled up with zeros to a length, and to an odd number of cache lines."""
    if apart:
        line = CACHE_LINE // array.itemsize
        lines = -(-length // line)
        length = (lines + 1 - lines % 2) * line
    result = np.zeros((*array.shape[:-1], length), array.dtype)
    result[..., : array.shape[-1]] = array
    return result
