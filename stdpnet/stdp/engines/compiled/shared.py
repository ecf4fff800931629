"""STDP of shared feedforward weights, compiled: the changes of all positions are summed, then applied and clipped once.

A weight is one pixel of each position, another one in each, so that going by position sums in MODEL's order: pixels
ascending.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.plasticity import age_y, clip, find_pixel_traces, is_resident
from stdpnet.stdp.engines.compiled.state import ALIVE, FIRED, Group, Rules, Spikes
from stdpnet.stdp.engines.compiled.vectors import Block, add, clip_vector, length, load, mul, splat, store, sub
from stdpnet.stdp.engines.constants import STDPConstants


@internal
def learn_shared(
    k: int,
    fired: bool,
    rows: NDArray[np.uint32],
    begins: NDArray[np.int32],
    bands: int,
    group: Group,
    spikes: Spikes,
    rules: Rules,
    block: Block | None,
) -> None:
    """Be `learn` for positions that share their weights: w <- clip(w + dw)."""
    if not rules.learn_xy:
        return
    xy, touched = rules.xy, 0
    if xy.A_minus != 0 and (fired or not is_resident(group.theta, block)):
        touched = _find_members(k, rows, begins, bands, group, spikes, xy)
    columns = _keep_columns(group, spikes) if fired else 0
    for n in range(touched):
        _depress_row(spikes.touched[n], group.weights, spikes, xy, block)
    if fired:
        for g in range(group.theta.shape[0]):
            if spikes.tally[FIRED, g] > 0:
                find_pixel_traces(k, g, rows, begins, bands, group, spikes, xy)
        for n in range(columns):
            _learn_column(n, group, spikes, xy)
    for n in range(touched):
        spikes.sharing[spikes.touched[n]] = 0


@inlined
def _find_members(
    k: int,
    rows: NDArray[np.uint32],
    begins: NDArray[np.int32],
    bands: int,
    group: Group,
    spikes: Spikes,
    xy: STDPConstants,
) -> int:
    """List the positions whose traces depress each row of weights in step k; return how many rows any depresses."""
    touched = 0
    for g in range(group.theta.shape[0]):
        if spikes.tally[ALIVE, g] > 0:
            age_y(k, g, spikes, xy)
            strip, first, end, top = group.fields[g]
            for spike in range(begins[strip, k * bands + first], begins[strip, k * bands + end]):
                row = rows[strip, spike] - top
                if spikes.sharing[row] == 0:
                    spikes.touched[touched] = row
                    touched += 1
                spikes.members[row, spikes.sharing[row]] = g
                spikes.sharing[row] += 1
    return touched


@inlined
def _keep_columns(group: Group, spikes: Spikes) -> int:
    """List the channels that fired anywhere, and keep their weights as they are; return how many they are."""
    count = 0
    for g in range(group.theta.shape[0]):
        for n in range(spikes.tally[FIRED, g]):
            j = spikes.fired[g, n]
            new = True
            for m in range(count):
                new &= spikes.columns[m] != j
            if new:
                spikes.columns[count] = j
                for row in range(group.weights.shape[0]):
                    spikes.kept[count, row] = group.weights[row, j]
                count += 1
    return count


@inlined
def _depress_row(row: int, weights: Floats, spikes: Spikes, xy: STDPConstants, block: Block | None) -> None:
    """Apply what a row's members depress it by."""
    if block is None:
        for j in range(weights.shape[1]):
            weights[row, j] = clip(weights[row, j] + _depression(row, j, spikes, xy), xy)
    else:
        amplitude, low, high = splat(xy.A_minus, block), splat(xy.w_min, block), splat(xy.w_max, block)
        for start in range(0, spikes.y.shape[1], length(block)):
            change = sub(low, low)
            for n in range(spikes.sharing[row]):
                change = sub(change, mul(amplitude, load(spikes.y, spikes.members[row, n], start, block)))
            w = add(load(weights, row, start, block), change)
            store(weights, row, start, clip_vector(w, low, high))


@inlined
def _depression(row: int, j: int, spikes: Spikes, xy: STDPConstants) -> float:
    """Return the change of one weight by all positions' input spikes of a step."""
    change = xy.A_minus - xy.A_minus
    for n in range(spikes.sharing[row]):
        change -= xy.A_minus * spikes.y[spikes.members[row, n], j]
    return change


@inlined
def _learn_column(n: int, group: Group, spikes: Spikes, xy: STDPConstants) -> None:
    """Apply depression and potentiation, together, to the weights of a channel that fired."""
    j = spikes.columns[n]
    change = spikes.change
    for row in range(group.weights.shape[0]):
        change[row] = _depression(row, j, spikes, xy)
    for g in range(group.theta.shape[0]):
        for m in range(spikes.tally[FIRED, g]):
            if spikes.fired[g, m] == j:
                for row in range(group.weights.shape[0]):
                    change[row] += xy.A_plus * spikes.x[g, row]
    for row in range(group.weights.shape[0]):
        group.weights[row, j] = clip(spikes.kept[n, row] + change[row], xy)
