"""What the kernels work on: the network's arrays, the numbers of a presentation, and scratch memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.stdp.engines.constants import CompetitionConstants, Constants, NeuronConstants, STDPConstants
from stdpnet.stdp.engines.protocol import Recording, Switches

FIRED, ASLEEP, ALIVE = 0, 1, 2  # rows of Spikes.tally
X_TRACES, Y_TRACES, YY_TRACES = 0, 1, 2  # rows of Spikes.aged
CACHE_LINE = 64
"""Bytes; rows of weights are an odd number of lines apart, so that a column does not crowd into few cache sets."""


class State(NamedTuple):
    """The network as the kernels want it: K >= C channels, filled up with neurons of infinite threshold."""

    weights: Floats
    """(S, k*k, >= K) feedforward weights, mV; S: P, or 1 where positions share them."""
    theta: Floats
    """(P, K) adaptive threshold, mV."""
    competition: Floats
    """(P, C, >= K) learned competition, mV; (0, 0, 0) where it is fixed."""
    c_w: float
    """The one weight of fixed competition, mV."""
    fields: NDArray[np.int32]
    """(P, 4) receptive fields, see stdpnet.stdp.engines.compiled.events.Layout."""
    channels: int
    """Channels C without the padding."""
    shared: bool
    """Whether all positions share the weights, so that all changes of a step are summed."""


class Group(NamedTuple):
    """The state of G positions that share one set of weights: one, or in a convolutional network all of them."""

    weights: Floats
    """(k*k, >= K)"""
    theta: Floats
    """(G, K)"""
    competition: Floats
    """(G, C, >= K), or (0, 0, 0) where it is fixed."""
    c_w: float
    fields: NDArray[np.int32]
    """(G, 4)"""
    channels: int
    shared: bool
    first: int
    """Position of the group's first member."""


class Output(NamedTuple):
    """Where kernels write what happened."""

    counts: NDArray[np.int32]
    """(N, P, C) spikes."""
    recording: Recording | None
    """Every step, if asked for."""


class Rules(NamedTuple):
    """The numbers of one presentation; what it may not change is switched off in them."""

    neuron: NeuronConstants
    xy: STDPConstants
    yy: CompetitionConstants
    learn_xy: bool
    learn_yy: bool
    norm: float
    relaxation: float

    @classmethod
    def of(cls, constants: Constants, switches: Switches) -> Rules:
        """Return the rules of presentations; frozen means times 1 and plus 0, which changes no number."""
        neuron, one, zero = constants.neuron, type(constants.norm)(1), type(constants.norm)(0)
        if not switches.adapt_theta:
            neuron = neuron._replace(decay_theta=one, theta_plus=zero)
        return cls(
            neuron,
            constants.xy,
            constants.yy,
            switches.learn_xy,
            switches.learn_yy,
            constants.norm,
            constants.relaxation if switches.adapt_theta else zero,
        )


class Cells(NamedTuple):
    """What a step without spikes changes or reads."""

    v: Floats
    """(G, K) membrane potential, mV."""
    current: Floats
    """(G, K) input that counts in the next step, mV."""
    crossed: NDArray[np.bool_]
    """(G,) whether a neuron may have crossed its threshold in the last step done."""


class Spikes(NamedTuple):
    """Who has spiked in this presentation, and the traces."""

    tally: NDArray[np.int32]
    """(3, G) how many neurons fired, are asleep, are alive."""
    fired: NDArray[np.int32]
    """(G, C) channels that spiked in this step, ascending."""
    asleep: NDArray[np.int32]
    """(G, C) channels that are refractory."""
    alive: NDArray[np.int32]
    """(G, C) channels that have spiked in this presentation: the others' traces are 0."""
    awake: NDArray[np.int32]
    """(G, C) first step that integrates; 0: has not spiked."""
    aged: NDArray[np.int32]
    """(3, G) how many steps the traces x, y, and a and b have behind them."""
    last: NDArray[np.int32]
    """(G, k*k) step of a pixel's last spike, -1 before the first; kept for nearest traces."""
    powers: Floats
    """(T + 1,) the presynaptic trace so many steps after its spike."""
    x: Floats
    """(G, k*k) presynaptic traces of XY."""
    y: Floats
    """(G, K) postsynaptic traces of XY."""
    a: Floats
    """(G, C) presynaptic traces of YY."""
    b: Floats
    """(G, C) postsynaptic traces of YY."""
    members: NDArray[np.int32]
    """(k*k, G) positions that depress a row of shared weights in this step."""
    sharing: NDArray[np.int32]
    """(k*k,) how many they are; 0 between steps."""
    touched: NDArray[np.int32]
    """(k*k,) rows that have some."""
    columns: NDArray[np.int32]
    """(C,) channels that fired in this step at any position that shares the weights."""
    kept: Floats
    """(C, k*k) their shared weights before the step."""
    change: Floats
    """(C or k*k, the larger one,) changes of a step."""
    sums: Floats
    """(1, K) sums, then factors, of the normalisation."""


class Memory(NamedTuple):
    """Scratch memory of one thread."""

    cells: Cells
    spikes: Spikes


def allocate(state: State, steps: int, xy: STDPConstants) -> Memory:
    """Return scratch memory for presentations of a number of steps."""
    kind, channels, padded = state.weights.dtype, state.channels, state.theta.shape[1]
    members, fan_in = len(state.theta) // len(state.weights), state.weights.shape[1]
    powers = np.ones(steps + 1, kind)
    for n in range(1, steps + 1):
        powers[n] = powers[n - 1] * xy.decay_pre
    neurons, pixels = (members, channels), (members, fan_in)

    def integers(*shape: int) -> NDArray[np.int32]:
        return np.zeros(shape, np.int32)

    def floats(*shape: int) -> Floats:
        return np.zeros(shape, kind)

    cells = Cells(aligned((members, padded), kind), aligned((members, padded), kind), np.zeros(members, np.bool_))
    spikes = Spikes(
        integers(3, members),
        integers(*neurons),
        integers(*neurons),
        integers(*neurons),
        integers(*neurons),
        integers(3, members),
        integers(*pixels),
        powers,
        floats(*pixels),
        aligned((members, padded), kind),
        floats(*neurons),
        floats(*neurons),
        integers(fan_in, members),
        integers(fan_in),
        integers(fan_in),
        integers(channels),
        floats(*((channels, fan_in) if state.shared else (0, 0))),
        floats(max(channels, fan_in)),
        aligned((1, padded), kind),
    )
    return Memory(cells, spikes)


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Floats:
    """Return an array of zeros that begins at a cache line: vectors that cross lines take twice the time."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.zeros(size + CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % CACHE_LINE
    result: Floats = memory[first : first + size].view(dtype).reshape(shape)
    return result


def padded(array: Floats, length: int, value: float = 0) -> Floats:
    """Return an aligned copy whose last axis is filled up with a value."""
    result = aligned((*array.shape[:-1], length), array.dtype)
    result[...] = value
    result[..., : array.shape[-1]] = array
    return result


def spaced(length: int, dtype: np.dtype[Any]) -> int:
    """Return the length of rows of at least so many numbers that are an odd number of cache lines apart."""
    line = CACHE_LINE // dtype.itemsize
    lines = -(-length // line)
    return (lines + 1 - lines % 2) * line
