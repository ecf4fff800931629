"""Subthreshold steps: decay, integrate, test the threshold, collect input (docs/model.md, steps 1, 2, 4).

`advance` has three forms that give the same numbers. A position whose neurons fill one block stays in registers from
step to step; several positions or blocks do each step one after the other; plain loops serve where there is no block,
and the tests compare the other two forms with them.
"""

from __future__ import annotations

from stdpnet._numba.jit import inlined, internal
from stdpnet.stdp.engines.compiled.blocks import Block
from stdpnet.stdp.engines.compiled.events import FieldEvents, PresentationEvents, arrivals, field_events
from stdpnet.stdp.engines.compiled.memory import Cells, Memory
from stdpnet.stdp.engines.compiled.plasticity import depress_block, fits_registers
from stdpnet.stdp.engines.compiled.state import Group, Rules
from stdpnet.stdp.engines.compiled.vectors import add, any_ge, collect, length, load, mul, splat, store, sub
from stdpnet.stdp.engines.constants import NeuronConstants, STDPConstants


@inlined
def advance(
    k: int,
    stop: int,
    depresses: bool,
    events: PresentationEvents,
    group: Group,
    memory: Memory,
    rules: Rules,
    block: Block | None,
) -> int:
    """Do steps 1, 2 and the input of 4 from time step k on, until a neuron reaches its threshold; return the last one.

    Parameters
    ----------
    k, stop : first time step, time step before which to stop
    depresses : whether input spikes change weights (step 6): in registers `advance` changes them, but for the step in
        which a neuron reaches its threshold; else it stops after one step, for `learn` to do so
    events : input spikes of the presentation
    group, memory, rules : state, scratch memory, numbers
    block : neurons to work on together, or None
    """
    if block is None:
        return _advance_plainly(k, k + 1 if depresses else stop, events, group, memory.cells, rules.neuron)
    if not fits_registers(group.theta, block):
        return _advance_by_blocks(k, k + 1 if depresses else stop, events, group, memory.cells, rules.neuron, block)
    field = field_events(group.fields[0], events)
    if depresses:
        return _advance_in_registers(k, stop, field, group, memory, rules.neuron, rules.xy, block)
    return _advance_in_registers(k, stop, field, group, memory, rules.neuron, None, block)


@inlined
def _advance_in_registers(
    k: int,
    stop: int,
    field: FieldEvents,
    group: Group,
    memory: Memory,
    neuron: NeuronConstants,
    xy: STDPConstants | None,
    block: Block,
) -> int:
    """`advance` for one position whose channels fill one register block; its state stays in registers.

    Given `xy`, input spikes depress the weights in the steps in which no neuron reaches its threshold.
    """
    cells, traces = memory.cells, memory.traces
    rest, threshold = splat(neuron.v_rest, block), splat(neuron.v_thresh, block)
    decay, decay_theta = splat(neuron.decay_v, block), splat(neuron.decay_theta, block)
    v, current = load(cells.v, 0, 0, block), load(cells.current, 0, 0, block)
    theta = load(group.theta, 0, 0, block)
    crossed = False
    step = k - 1
    while not crossed and step + 1 < stop:
        step += 1
        theta = mul(theta, decay_theta)
        v = add(add(rest, mul(sub(v, rest), decay)), current)
        crossed = any_ge(v, add(threshold, theta))
        spikes = arrivals(step, field)
        current = collect(group.weights, spikes.rows, spikes.first, spikes.end, spikes.top, 0, block)
        if xy is not None:
            y = mul(load(traces.y, 0, 0, block), splat(xy.decay_post, block))
            store(traces.y, 0, 0, y)
            if not crossed:
                depress_block(group.weights, spikes, 0, y, xy, block)
    if xy is not None:
        traces.y_decayed_to[0] = step + 1
    store(cells.v, 0, 0, v)
    store(cells.current, 0, 0, current)
    store(group.theta, 0, 0, theta)
    cells.crossed[0] = crossed
    return step


@internal
def _advance_by_blocks(
    k: int,
    stop: int,
    events: PresentationEvents,
    group: Group,
    cells: Cells,
    neuron: NeuronConstants,
    block: Block,
) -> int:
    """`advance` for any number of positions and blocks: all of them do a step before any does the next."""
    rest, threshold = splat(neuron.v_rest, block), splat(neuron.v_thresh, block)
    decay, decay_theta = splat(neuron.decay_v, block), splat(neuron.decay_theta, block)
    adapts = neuron.decay_theta != 1
    for step in range(k, stop):
        any_crossed = False
        for g in range(cells.v.shape[0]):
            spikes = arrivals(step, field_events(group.fields[g], events))
            crossed = False
            for start in range(0, cells.v.shape[1], length(block)):
                theta = load(group.theta, g, start, block)
                if adapts:
                    theta = mul(theta, decay_theta)
                    store(group.theta, g, start, theta)
                v = add(rest, mul(sub(load(cells.v, g, start, block), rest), decay))
                v = add(v, load(cells.current, g, start, block))
                store(cells.v, g, start, v)
                crossed |= any_ge(v, add(threshold, theta))
                current = collect(group.weights, spikes.rows, spikes.first, spikes.end, spikes.top, start, block)
                store(cells.current, g, start, current)
            cells.crossed[g] = crossed
            any_crossed |= crossed
        if any_crossed:
            return step
    return stop - 1


@internal
def _advance_plainly(
    k: int, stop: int, events: PresentationEvents, group: Group, cells: Cells, neuron: NeuronConstants
) -> int:
    """`advance` in plain loops."""
    for step in range(k, stop):
        any_crossed = False
        for g in range(cells.v.shape[0]):
            v, current, theta = cells.v[g], cells.current[g], group.theta[g]
            spikes = arrivals(step, field_events(group.fields[g], events))
            crossed = False
            for j in range(v.shape[0]):
                theta[j] *= neuron.decay_theta
                v[j] = neuron.v_rest + (v[j] - neuron.v_rest) * neuron.decay_v + current[j]
                crossed |= v[j] >= neuron.v_thresh + theta[j]
                current[j] = 0
            for spike in range(spikes.first, spikes.end):
                incoming = group.weights[spikes.rows[spike] - spikes.top]
                for j in range(v.shape[0]):
                    current[j] += incoming[j]
            cells.crossed[g] = crossed
            any_crossed |= crossed
        if any_crossed:
            return step
    return stop - 1
