"""Scratch memory of the kernels: potentials, spikes and traces of a group of positions in one presentation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.stages import stage_times
from stdpnet.stdp.engines.compiled.state import State, aligned
from stdpnet.stdp.engines.constants import STDPConstants


class Cells(NamedTuple):
    """Membrane potential and input of a group's neurons: all that a subthreshold step changes beside theta."""

    v: Floats
    """(G, K) membrane potential, mV; -infinity while a neuron is refractory."""
    current: Floats
    """(G, K) input I that counts in the next step, mV."""
    crossed: NDArray[np.bool_]
    """(G,) whether a neuron of the position reached its threshold in the last step done."""


class Activity(NamedTuple):
    """Which neurons of each position have spiked: lists of channels, of which the first n_... entries are valid."""

    fired: NDArray[np.int32]
    """(G, C) channels that spike in this step, ascending."""
    n_fired: NDArray[np.int32]
    """(G,) their number."""
    refractory: NDArray[np.int32]
    """(G, C) channels that are refractory."""
    n_refractory: NDArray[np.int32]
    """(G,) their number."""
    has_spiked: NDArray[np.int32]
    """(G, C) channels that have spiked in this presentation; the traces of all others are 0."""
    n_has_spiked: NDArray[np.int32]
    """(G,) their number."""
    refractory_until: NDArray[np.int32]
    """(G, C) first step in which a channel integrates again; 0: it has not spiked in this presentation."""


class Traces(NamedTuple):
    """The traces of each position, each decayed up to the step in which it was last needed."""

    x: Floats
    """(G, k*k) traces of input spikes, for the potentiation of XY."""
    x_decayed_to: NDArray[np.int32]
    """(G,) number of steps whose decay and spikes x contains."""
    last_spike: NDArray[np.int32]
    """(G, k*k) step of a pixel's last spike, -(T + 1) before the first; used by nearest traces."""
    powers: Floats
    """(2*T + 2,) value of a nearest trace x by the number of steps since its spike; 0 if there was no spike."""
    y: Floats
    """(G, K) traces of the neurons' spikes, for the depression of XY."""
    y_decayed_to: NDArray[np.int32]
    """(G,) number of steps whose decay y contains."""
    a: Floats
    """(G, C) traces of the neurons' spikes, as presynaptic neurons of YY."""
    b: Floats
    """(G, C) traces of the neurons' spikes, as postsynaptic neurons of YY."""
    yy_decayed_to: NDArray[np.int32]
    """(G,) number of steps whose decay a and b contain."""


class SharedChanges(NamedTuple):
    """The changes of one step to weights that all positions share (see shared.py)."""

    members: NDArray[np.int32]
    """(k*k, G) positions whose input spikes depress a row of weights in this step."""
    n_members: NDArray[np.int32]
    """(k*k,) their number; 0 between steps."""
    rows: NDArray[np.int32]
    """(k*k,) rows with at least one member."""
    columns: NDArray[np.int32]
    """(C,) channels that fired in this step at any position."""
    before: Floats
    """(C, k*k) the weights of these channels before the step; (0, 0) where weights are not shared."""


class Normalisation(NamedTuple):
    """The memory that normalises weights (see normalisation.py)."""

    wanted: Floats
    """(1, K) sum that each neuron's weights are to have, mV; 0: they stay as they are."""
    sums: Floats
    """(1, K) sums of the weights of neurons that are normalised, mV."""


class Memory(NamedTuple):
    """Scratch memory of one thread."""

    cells: Cells
    activity: Activity
    traces: Traces
    shared: SharedChanges
    change: Floats
    """(C or k*k, the larger one,) changes of weights, or spike counts."""
    normalisation: Normalisation
    stages: NDArray[np.int64]
    """Times of stages, see stages.py; empty where they are not timed."""


def allocate(state: State, steps: int, xy: STDPConstants, members: int) -> Memory:
    """Return scratch memory for presentations of `steps` steps to groups of `members` positions."""
    dtype, channels, padded = state.weights.dtype, state.channels, state.theta.shape[1]
    fan_in = state.weights.shape[1]

    def integers(*shape: int) -> NDArray[np.int32]:
        return np.zeros(shape, np.int32)

    def floats(*shape: int) -> Floats:
        return np.zeros(shape, dtype)

    cells = Cells(
        v=aligned((members, padded), dtype),
        current=aligned((members, padded), dtype),
        crossed=np.zeros(members, np.bool_),
    )
    activity = Activity(
        fired=integers(members, channels),
        n_fired=integers(members),
        refractory=integers(members, channels),
        n_refractory=integers(members),
        has_spiked=integers(members, channels),
        n_has_spiked=integers(members),
        refractory_until=integers(members, channels),
    )
    traces = Traces(
        x=floats(members, fan_in),
        x_decayed_to=integers(members),
        last_spike=integers(members, fan_in),
        powers=_powers(xy.decay_pre, steps, floats(2 * steps + 2)),
        y=aligned((members, padded), dtype),
        y_decayed_to=integers(members),
        a=floats(members, channels),
        b=floats(members, channels),
        yy_decayed_to=integers(members),
    )
    shared = SharedChanges(
        members=integers(fan_in, members),
        n_members=integers(fan_in),
        rows=integers(fan_in),
        columns=integers(channels),
        before=floats(*((channels, fan_in) if state.shared else (0, 0))),
    )
    return Memory(
        cells=cells,
        activity=activity,
        traces=traces,
        shared=shared,
        change=floats(max(channels, fan_in)),
        normalisation=Normalisation(wanted=aligned((1, padded), dtype), sums=aligned((1, padded), dtype)),
        stages=stage_times(timed=False),
    )


def _powers(decay: float, steps: int, powers: Floats) -> Floats:
    """Write the values of a decaying trace: 1, decay, decay*decay, ..., each computed from the one before."""
    powers[0] = 1
    for n in range(1, steps + 1):
        powers[n] = powers[n - 1] * decay
    return powers
