"""STDP of feedforward weights that are not shared, and its traces (docs/model.md, steps 1, 5 and 6).

Traces decay when they are needed, step by step as if they had been kept up to date, and plasticity skips synapses whose
trace is 0. Neither changes a number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stdpnet._numba.jit import inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.blocks import Block
from stdpnet.stdp.engines.compiled.events import Arrivals, PresentationEvents, arrivals, field_events
from stdpnet.stdp.engines.compiled.memory import Activity, Memory, Traces
from stdpnet.stdp.engines.compiled.state import Group, Rules
from stdpnet.stdp.engines.compiled.vectors import at, clip_vector, length, load, mul, store, sub
from stdpnet.stdp.engines.constants import STDPConstants


@internal
def with_learning_rate(rules: Rules, factor: float) -> Rules:
    """Return the rules with the feedforward A_plus and A_minus multiplied by a factor."""
    xy = rules.xy
    scaled = STDPConstants(
        A_plus=xy.A_plus * factor,
        A_minus=xy.A_minus * factor,
        decay_pre=xy.decay_pre,
        decay_post=xy.decay_post,
        w_min=xy.w_min,
        w_max=xy.w_max,
        accumulate=xy.accumulate,
    )
    return Rules(
        neuron=rules.neuron,
        xy=scaled,
        yy=rules.yy,
        learn_xy=rules.learn_xy,
        learn_yy=rules.learn_yy,
        depresses=rules.depresses and scaled.A_minus != 0,
        norm=rules.norm,
        normalise_all=rules.normalise_all,
        relaxation=rules.relaxation,
    )


@internal
def clip(w: float, bounds: STDPConstants) -> float:
    """Return a weight within the bounds of its plasticity."""
    w = w if w > bounds.w_min else bounds.w_min
    return w if w < bounds.w_max else bounds.w_max


@inlined
def decay_y(k: int, g: int, activity: Activity, traces: Traces, xy: STDPConstants) -> None:
    """Decay the traces y up to time step k, one multiplication for each step (step 1)."""
    for _ in range(traces.y_decayed_to[g], k + 1):
        for n in range(activity.n_has_spiked[g]):
            traces.y[g, activity.has_spiked[g, n]] *= xy.decay_post
    traces.y_decayed_to[g] = k + 1


@inlined
def raise_y(k: int, g: int, activity: Activity, traces: Traces, rules: Rules) -> None:
    """Raise the traces y of the neurons that fired in time step k (step 5), if anything is learned from them."""
    if rules.depresses:
        decay_y(k, g, activity, traces, rules.xy)
        for n in range(activity.n_fired[g]):
            j = activity.fired[g, n]
            traces.y[g, j] = traces.y[g, j] + 1 if rules.xy.accumulate else 1


@internal
def update_x(k: int, g: int, events: PresentationEvents, group: Group, traces: Traces, xy: STDPConstants) -> None:
    """Bring the traces x of a receptive field's pixels up to time step k (steps 1 and 5)."""
    x, last_spike = traces.x[g], traces.last_spike[g]
    field = field_events(group.fields[g], events)
    for step in range(traces.x_decayed_to[g], k + 1):
        if xy.accumulate:
            for row in range(x.shape[0]):
                x[row] *= xy.decay_pre
        spikes = arrivals(step, field)
        for spike in range(spikes.first, spikes.end):
            pixel = np.uintp(at(spikes.rows, spike) - spikes.top)
            if xy.accumulate:
                x[pixel] += 1
            last_spike[pixel] = step
    if not xy.accumulate:
        for row in range(np.uintp(x.shape[0])):
            x[row] = traces.powers[np.uintp(k - last_spike[row])]
    traces.x_decayed_to[g] = k + 1


@internal
def learn(
    k: int,
    fired: bool,
    events: PresentationEvents,
    group: Group,
    memory: Memory,
    rules: Rules,
    block: Block,
) -> None:
    """Change a position's feedforward weights in time step k (step 6), as far as `advance` has not done so.

    Parameters
    ----------
    k : time step
    fired : whether a neuron of the position spikes in it
    events, group, memory, rules, block : see stdpnet.stdp.engines.compiled.subthreshold.advance
    """
    activity, traces = memory.activity, memory.traces
    if depression_is_due(fired, group, rules, block):
        decay_y(k, 0, activity, traces, rules.xy)
        spikes = arrivals(k, field_events(group.fields[0], events))
        if activity.n_has_spiked[0] * length(block) > group.channels:
            _depress_all(group.weights, spikes, traces, rules.xy, block)
        else:
            _depress_traced(group.weights, spikes, memory, rules.xy)
    if fired and rules.learn_xy:
        update_x(k, 0, events, group, traces, rules.xy)
        _potentiate(group.weights, activity, traces, rules.xy)


@inlined
def depression_is_due(fired: bool, group: Group, rules: Rules, block: Block) -> bool:
    """Return whether input spikes still have to depress weights, because `advance` has not done it in registers."""
    return rules.depresses and (fired or not fits_registers(group, block))


@inlined
def fits_registers(group: Group, block: Block) -> bool:
    """Return whether a group is one position whose channels fill one block."""
    fits: bool = group.theta.shape[0] == 1 and group.theta.shape[1] == group.registers * length(block)
    return fits


@inlined
def depress_block(weights: Floats, spikes: Arrivals, start: int, y: Any, xy: STDPConstants, block: Block) -> None:
    """Let input spikes depress a block of weights: w <- clip(w - A_minus*y).

    Parameters
    ----------
    weights : (k*k, >= K) feedforward weights, mV
    spikes : input spikes of the step
    start, y : first channel of the block, and the traces of the block, a vector
    xy, block : numbers, shape of the block
    """
    change = mul(y, xy.A_minus)
    for spike in range(spikes.first, spikes.end):
        row = at(spikes.rows, spike) - spikes.top
        store(weights, row, start, clip_vector(sub(load(weights, row, start, block), change), xy.w_min, xy.w_max))


@inlined
def _depress_all(weights: Floats, spikes: Arrivals, traces: Traces, xy: STDPConstants, block: Block) -> None:
    """Depress whole rows of weights."""
    for start in range(0, traces.y.shape[1], length(block)):
        depress_block(weights, spikes, start, load(traces.y, 0, start, block), xy, block)


@inlined
def _depress_traced(weights: Floats, spikes: Arrivals, memory: Memory, xy: STDPConstants) -> None:
    """Depress only the weights to neurons that have spiked: all other traces are 0."""
    has_spiked, count, change = memory.activity.has_spiked[0], memory.activity.n_has_spiked[0], memory.change
    for n in range(count):
        change[n] = xy.A_minus * memory.traces.y[0, has_spiked[n]]
    for spike in range(spikes.first, spikes.end):
        w = weights[spikes.rows[spike] - spikes.top]
        for n in range(count):
            w[has_spiked[n]] = clip(w[has_spiked[n]] - change[n], xy)


@internal
def _potentiate(weights: Floats, activity: Activity, traces: Traces, xy: STDPConstants) -> None:
    """Let the neurons that fired potentiate their weights: w <- clip(w + A_plus*x)."""
    x = traces.x[0]
    for n in range(activity.n_fired[0]):
        j = np.uintp(activity.fired[0, n])
        for row in range(np.uintp(weights.shape[0])):
            weights[row, j] = clip(weights[row, j] + xy.A_plus * x[row], xy)
