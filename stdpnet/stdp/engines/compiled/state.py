"""Records for the kernels: the padded arrays of a network, the numbers of a presentation, and the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.blocks import Block, registers_per_block
from stdpnet.stdp.engines.constants import CompetitionConstants, Constants, NeuronConstants, STDPConstants
from stdpnet.stdp.engines.protocol import Recording, Switches

if TYPE_CHECKING:  # kernels load no spec
    from stdpnet.stdp.network import Network

CACHE_LINE = 64
"""Bytes; rows of weights are an odd number of lines apart, so that a column does not crowd into few cache sets."""


class State(NamedTuple):
    """The network's arrays with K >= C channels: the padding consists of neurons of infinite threshold."""

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
    registers: int
    """Registers of a block of channels."""


class Group(NamedTuple):
    """The state of G positions that share one set of weights: one, or in a convolutional network all of them."""

    weights: Floats
    """(k*k, >= K) feedforward weights, mV."""
    theta: Floats
    """(G, K) adaptive threshold, mV."""
    competition: Floats
    """(G, C, >= K) learned competition, mV; (0, 0, 0) where it is fixed."""
    c_w: float
    """The one weight of fixed competition, mV."""
    fields: NDArray[np.int32]
    """(G, 4) receptive fields."""
    channels: int
    """Channels C without the padding."""
    shared: bool
    """Whether the positions share the weights; else there is one position, G = 1."""
    registers: int
    """Registers of a block of channels."""
    first: int
    """Number, in the network, of the group's first position."""


class Output(NamedTuple):
    """Where kernels write results."""

    counts: NDArray[np.int32]
    """(N, P, C) spikes."""
    first_spikes: NDArray[np.int32]
    """(N, P, C) step of each neuron's first spike, counted from 1; (0, 0, 0) where it is not asked for."""
    recording: Recording
    """The values of every step; arrays of 0 presentations where they are not asked for."""


class Rules(NamedTuple):
    """The numbers of one presentation, in which everything that the presentation may not change is switched off."""

    neuron: NeuronConstants
    xy: STDPConstants
    yy: CompetitionConstants
    learn_xy: bool
    learn_yy: bool
    depresses: bool
    """Whether input spikes change feedforward weights: they are learned, and A_minus is not 0."""
    norm: float
    """Sum of a neuron's feedforward weights after normalisation, mV."""
    normalise_all: bool
    """Whether neurons that did not spike in the presentation are normalised after it, too."""
    relaxation: float
    """Subtracted from each theta, down to 0, after the presentation, mV."""

    @classmethod
    def of(cls, constants: Constants, switches: Switches) -> Rules:
        """Return the rules of presentations.

        A frozen theta is multiplied by 1 and raised by 0, which changes no number and needs no branch in the kernels.
        """
        neuron, one, zero = constants.neuron, type(constants.norm)(1), type(constants.norm)(0)
        if not switches.adapt_theta:
            neuron = neuron._replace(decay_theta=one, theta_plus=zero)
        return cls(
            neuron=neuron,
            xy=constants.xy,
            yy=constants.yy,
            learn_xy=switches.learn_xy,
            learn_yy=switches.learn_yy,
            depresses=bool(switches.learn_xy and constants.xy.A_minus != 0),
            norm=constants.norm,
            normalise_all=constants.normalise_all,
            relaxation=constants.relaxation if switches.adapt_theta else zero,
        )


def lay_out(network: Network, fields: NDArray[np.int32], block: Block) -> State:
    """Return a network's arrays, copied, padded to whole blocks and aligned.

    Parameters
    ----------
    network : the network
    fields : (P, 4) receptive fields
    block : a block of one register
    """
    channels, dtype = network.geometry.channels, network.dtype
    length, learned = padded_length(channels, block), network.competition.ndim == 3
    competition = padded(network.competition, spaced(length, dtype)) if learned else np.empty((0, 0, 0), dtype)
    return State(
        weights=padded(network.weights, spaced(length, dtype)),
        theta=padded(network.theta, length, np.inf),
        competition=competition,
        c_w=dtype.type(0 if learned else network.competition[()]),
        fields=fields,
        channels=channels,
        shared=network.geometry.shared,
        registers=registers_per_block(channels, block),
    )


def padded_length(channels: int, block: Block) -> int:
    """Return how many channels the blocks have that hold a number of channels; `block` has one register."""
    length = registers_per_block(channels, block) * block.length
    return -(-channels // length) * length


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Floats:
    """Return an array of zeros that begins at a cache line: vectors that cross lines take twice the time."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.zeros(size + CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % CACHE_LINE
    result: Floats = memory[first : first + size].view(dtype).reshape(shape)
    return result


def padded(array: Floats, length: int, value: float = 0) -> Floats:
    """Return an aligned copy whose last axis is filled up to a length with a value."""
    result = aligned((*array.shape[:-1], length), array.dtype)
    result[...] = value
    result[..., : array.shape[-1]] = array
    return result


def spaced(length: int, dtype: np.dtype[Any]) -> int:
    """Return the least length of at least `length` numbers that is an odd number of cache lines."""
    line = CACHE_LINE // dtype.itemsize
    lines = -(-length // line)
    return (lines + 1 - lines % 2) * line
