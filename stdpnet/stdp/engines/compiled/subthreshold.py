"""Subthreshold steps: decay, integrate, test the threshold, collect input (docs/model.md, steps 1, 2, 4).

`advance` has two forms that give the same numbers. A position whose neurons fill one block stays in registers from step
to step; several positions or blocks do each step one after the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.blocks import Block
from stdpnet.stdp.engines.compiled.events import FieldEvents, PresentationEvents, arrivals, field_events
from stdpnet.stdp.engines.compiled.memory import Memory
from stdpnet.stdp.engines.compiled.plasticity import depress_block, fits_registers
from stdpnet.stdp.engines.compiled.state import Group, Rules
from stdpnet.stdp.engines.compiled.vectors import (
    add,
    any_ge,
    by_registers,
    collect,
    integrate,
    length,
    load,
    mul,
    store,
)
from stdpnet.stdp.engines.constants import NeuronConstants, STDPConstants


class Neurons(NamedTuple):
    """The arrays of a group that subthreshold steps read and write."""

    weights: Floats
    """(k*k, >= K) feedforward weights, mV."""
    theta: Floats
    """(G, K) adaptive threshold, mV."""
    v: Floats
    """(G, K) membrane potential, mV."""
    current: Floats
    """(G, K) input, mV."""
    y: Floats
    """(G, K) traces of the neurons' spikes."""
    crossed: NDArray[np.bool_]
    """(G,) whether a neuron of the position reached its threshold in the last step done."""


@inlined
def advance(
    k: int,
    stop: int,
    depresses: bool,
    events: PresentationEvents,
    group: Group,
    memory: Memory,
    rules: Rules,
    block: Block,
) -> int:
    """Do steps 1, 2 and the input of 4 from time step k on, until a neuron reaches its threshold; return the last one.

    Parameters
    ----------
    k, stop : first time step, time step before which to stop
    depresses : whether input spikes change weights (step 6): in registers `advance` changes them, but for the step in
        which a neuron reaches its threshold; else it stops after one step, for `learn` to do so
    events : input spikes of the presentation
    group, memory, rules : state, scratch memory, numbers
    block : a block of one register
    """
    cells, traces = memory.cells, memory.traces
    neurons = Neurons(
        weights=group.weights,
        theta=group.theta,
        v=cells.v,
        current=cells.current,
        y=traces.y,
        crossed=cells.crossed,
    )
    if not fits_registers(group, block):
        many = (k, k + 1 if depresses else stop, events, group.fields, neurons, rules.neuron)
        last: int = by_registers(_advance_by_blocks, many, group.registers, block)
        return last
    one = (k, stop, depresses, field_events(group.fields[0], events), neurons, rules.neuron, rules.xy)
    last = by_registers(_advance_in_registers, one, group.registers, block)
    if depresses:
        traces.y_decayed_to[0] = last + 1
    return last


@internal
def _advance_in_registers(
    k: int,
    stop: int,
    depresses: bool,
    field: FieldEvents,
    neurons: Neurons,
    neuron: NeuronConstants,
    xy: STDPConstants,
    block: Block,
) -> int:
    """`advance` for one position whose channels fill one block; its state stays in registers from step to step.

    Where input spikes change weights, it lies in memory between two steps: there are not enough registers for both.
    """
    weights, y = neurons.weights, neurons.y
    crossed = False
    step = k - 1
    while not crossed and step + 1 < stop:
        v, current, theta = (
            load(neurons.v, 0, 0, block),
            load(neurons.current, 0, 0, block),
            load(neurons.theta, 0, 0, block),
        )
        end = step + 2 if depresses else stop
        while not crossed and step + 1 < end:
            step += 1
            theta = mul(theta, neuron.decay_theta)
            v = integrate(v, current, neuron.v_rest, neuron.decay_v)
            crossed = any_ge(v, add(theta, neuron.v_thresh))
            spikes = arrivals(step, field)
            current = collect(weights, spikes.rows, spikes.first, spikes.end, spikes.top, 0, block)
        store(neurons.v, 0, 0, v)
        store(neurons.current, 0, 0, current)
        store(neurons.theta, 0, 0, theta)
        if depresses:
            trace = mul(load(y, 0, 0, block), xy.decay_post)
            store(y, 0, 0, trace)
            if not crossed:
                depress_block(weights, arrivals(step, field), 0, trace, xy, block)
    neurons.crossed[0] = crossed
    return step


@internal
def _advance_by_blocks(
    k: int,
    stop: int,
    events: PresentationEvents,
    fields: NDArray[np.int32],
    neurons: Neurons,
    neuron: NeuronConstants,
    block: Block,
) -> int:
    """`advance` for any number of positions and blocks: all of them do a step before any does the next.

    The blocks of a position come one after the other, so that after the first one the processor can predict how many
    input spikes the step has.
    """
    adapts = neuron.decay_theta != 1
    weights, v, current, theta = neurons.weights, neurons.v, neurons.current, neurons.theta
    for step in range(k, stop):
        any_crossed = False
        for g in range(v.shape[0]):
            spikes = arrivals(step, field_events(fields[g], events))
            crossed = False
            for start in range(0, v.shape[1], length(block)):
                own_theta = load(theta, g, start, block)
                if adapts:
                    own_theta = mul(own_theta, neuron.decay_theta)
                    store(theta, g, start, own_theta)
                own_v = integrate(
                    load(v, g, start, block), load(current, g, start, block), neuron.v_rest, neuron.decay_v
                )
                store(v, g, start, own_v)
                crossed |= any_ge(own_v, add(own_theta, neuron.v_thresh))
                arrived = collect(weights, spikes.rows, spikes.first, spikes.end, spikes.top, start, block)
                store(current, g, start, arrived)
            neurons.crossed[g] = crossed
            any_crossed |= crossed
        if any_crossed:
            return step
    return stop - 1
