"""Steps in which nobody fires, which most of them are: decay, integrate, compare, add up the input (MODEL, 1, 2, 4).

One function, `calm`, in three forms that give the same numbers: a position whose neurons fill one block stays in
registers from step to step; several positions or blocks do each step one after the other; plain loops are the oracle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import inlined, internal
from stdpnet.stdp.engines.compiled.plasticity import depress_rows, is_resident
from stdpnet.stdp.engines.compiled.state import Y_TRACES, Cells, Group, Rules, Spikes
from stdpnet.stdp.engines.compiled.vectors import (
    Block,
    add,
    any_ge,
    at,
    collect,
    length,
    load,
    mul,
    splat,
    store,
    sub,
)
from stdpnet.stdp.engines.constants import NeuronConstants, STDPConstants


@inlined
def calm(
    k: int,
    stop: int,
    rows: NDArray[np.uint32],
    begins: NDArray[np.int32],
    bands: int,
    group: Group,
    cells: Cells,
    spikes: Spikes,
    rules: Rules,
    depresses: bool,
    block: Block | None,
) -> int:
    """Do steps 1, 2 and the input part of 4 (MODEL) until a neuron fires or has to learn; return the last step done.

    Parameters
    ----------
    k, stop : first step, step before which to stop
    rows, begins, bands : (p, S), (p, T*B + 1), B: the presentation's Events
    group, cells, spikes, rules : state and numbers
    depresses : whether input spikes change weights (step 6)
    block : neurons to work on together, or None
    """
    if block is None:
        return _calm_plain(k, k + 1 if depresses else stop, rows, begins, bands, group, cells, rules.neuron)
    if not is_resident(cells.v, block):
        return _calm_blocks(k, k + 1 if depresses else stop, rows, begins, bands, group, cells, rules.neuron, block)
    strip, first, end, top = group.fields[0]
    firsts, ends = begins[strip, first:], begins[strip, end:]
    neuron, xy = rules.neuron, rules.xy
    if depresses:
        return _calm_resident(k, stop, rows[strip], firsts, ends, bands, top, group, cells, spikes, neuron, xy, block)
    return _calm_resident(k, stop, rows[strip], firsts, ends, bands, top, group, cells, spikes, neuron, None, block)


@inlined
def _calm_resident(
    k: int,
    stop: int,
    rows: NDArray[np.uint32],
    firsts: NDArray[np.int32],
    ends: NDArray[np.int32],
    bands: int,
    top: int,
    group: Group,
    cells: Cells,
    spikes: Spikes,
    neuron: NeuronConstants,
    xy: STDPConstants | None,
    block: Block,
) -> int:
    """Be `calm` with a single position that is a single block, whose state stays in registers from step to step.

    Given `xy`, it also lets the input spikes depress the weights in the steps in which nobody fires.
    """
    rest, threshold = splat(neuron.v_rest, block), splat(neuron.v_thresh, block)
    decay, decay_theta = splat(neuron.decay_v, block), splat(neuron.decay_theta, block)
    moved, collected = load(cells.v, 0, 0, block), load(cells.current, 0, 0, block)
    adaptive = load(group.theta, 0, 0, block)
    crossing = False
    step = k - 1
    while not crossing and step + 1 < stop:
        step += 1
        adaptive = mul(adaptive, decay_theta)
        moved = add(add(rest, mul(sub(moved, rest), decay)), collected)
        crossing = any_ge(moved, add(threshold, adaptive))
        first, end = at(firsts, step * bands), at(ends, step * bands)
        collected = collect(group.weights, rows, first, end, top, 0, block)
        if xy is not None:
            trace = mul(load(spikes.y, 0, 0, block), splat(xy.decay_post, block))
            store(spikes.y, 0, 0, trace)
            if not crossing:
                depress_rows(group.weights, rows, first, end, top, 0, trace, xy, block)
    if xy is not None:
        spikes.aged[Y_TRACES, 0] = step + 1
    store(cells.v, 0, 0, moved)
    store(cells.current, 0, 0, collected)
    store(group.theta, 0, 0, adaptive)
    cells.crossed[0] = crossing
    return step


@internal
def _calm_blocks(
    k: int,
    stop: int,
    rows: NDArray[np.uint32],
    begins: NDArray[np.int32],
    bands: int,
    group: Group,
    cells: Cells,
    neuron: NeuronConstants,
    block: Block,
) -> int:
    """Be `calm` with any number of positions and blocks: all of them do a step before any does the next."""
    rest, threshold = splat(neuron.v_rest, block), splat(neuron.v_thresh, block)
    decay, decay_theta = splat(neuron.decay_v, block), splat(neuron.decay_theta, block)
    adapts = neuron.decay_theta != 1
    for step in range(k, stop):
        anybody = False
        for g in range(cells.v.shape[0]):
            strip, first, end, top = group.fields[g]
            first, end = begins[strip, step * bands + first], begins[strip, step * bands + end]
            crossing = False
            for start in range(0, cells.v.shape[1], length(block)):
                adaptive = load(group.theta, g, start, block)
                if adapts:
                    adaptive = mul(adaptive, decay_theta)
                    store(group.theta, g, start, adaptive)
                moved = add(rest, mul(sub(load(cells.v, g, start, block), rest), decay))
                moved = add(moved, load(cells.current, g, start, block))
                store(cells.v, g, start, moved)
                crossing |= any_ge(moved, add(threshold, adaptive))
                store(cells.current, g, start, collect(group.weights, rows[strip], first, end, top, start, block))
            cells.crossed[g] = crossing
            anybody |= crossing
        if anybody:
            return step
    return stop - 1


@internal
def _calm_plain(
    k: int,
    stop: int,
    rows: NDArray[np.uint32],
    begins: NDArray[np.int32],
    bands: int,
    group: Group,
    cells: Cells,
    neuron: NeuronConstants,
) -> int:
    """Be `calm` in plain loops, with the same numbers: the oracle of the others, and their fallback."""
    for step in range(k, stop):
        anybody = False
        for g in range(cells.v.shape[0]):
            v, current, theta = cells.v[g], cells.current[g], group.theta[g]
            strip, first, end, top = group.fields[g]
            crossing = False
            for j in range(v.shape[0]):
                theta[j] *= neuron.decay_theta
                v[j] = neuron.v_rest + (v[j] - neuron.v_rest) * neuron.decay_v + current[j]
                crossing |= v[j] >= neuron.v_thresh + theta[j]
                current[j] = 0
            for spike in range(begins[strip, step * bands + first], begins[strip, step * bands + end]):
                incoming = group.weights[rows[strip, spike] - top]
                for j in range(v.shape[0]):
                    current[j] += incoming[j]
            cells.crossed[g] = crossing
            anybody |= crossing
        if anybody:
            return step
    return stop - 1
