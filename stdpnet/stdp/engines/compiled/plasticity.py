"""STDP of a position's own feedforward weights, compiled, and its traces.

Traces are aged when they are needed, step by step as if they had been kept up to date, and plasticity passes over what
a trace of 0 cannot change. Neither alters a number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.state import (
    ALIVE,
    FIRED,
    X_TRACES,
    Y_TRACES,
    Group,
    Rules,
    Spikes,
)
from stdpnet.stdp.engines.compiled.vectors import (
    Block,
    at,
    clip_vector,
    length,
    load,
    mul,
    single,
    splat,
    store,
    sub,
)
from stdpnet.stdp.engines.constants import STDPConstants


@internal
def slowed(rules: Rules, rate: float) -> Rules:
    """Return the rules with the feedforward learning rate multiplied by a factor."""
    xy = rules.xy
    own = STDPConstants(
        xy.A_plus * rate, xy.A_minus * rate, xy.decay_pre, xy.decay_post, xy.w_min, xy.w_max, xy.accumulate
    )
    return Rules(rules.neuron, own, rules.yy, rules.learn_xy, rules.learn_yy, rules.norm, rules.relaxation)


@internal
def clip(w: float, stdp: STDPConstants) -> float:
    """Return w within the bounds of its plasticity."""
    w = w if w > stdp.w_min else stdp.w_min
    return w if w < stdp.w_max else stdp.w_max


@inlined
def age_y(k: int, g: int, spikes: Spikes, xy: STDPConstants) -> None:
    """Bring the traces y to step k: one multiplication for each step (step 1)."""
    for _ in range(spikes.aged[Y_TRACES, g], k + 1):
        for n in range(spikes.tally[ALIVE, g]):
            spikes.y[g, spikes.alive[g, n]] *= xy.decay_post
    spikes.aged[Y_TRACES, g] = k + 1


@inlined
def raise_traces(k: int, g: int, spikes: Spikes, rules: Rules) -> None:
    """Age the traces y and raise those of the neurons that fired (step 5), if anything is learned with them."""
    if rules.learn_xy and rules.xy.A_minus != 0:
        age_y(k, g, spikes, rules.xy)
        for n in range(spikes.tally[FIRED, g]):
            j = spikes.fired[g, n]
            spikes.y[g, j] = spikes.y[g, j] + 1 if rules.xy.accumulate else 1


@internal
def find_pixel_traces(
    k: int,
    g: int,
    rows: NDArray[np.uint32],
    begins: NDArray[np.int32],
    bands: int,
    group: Group,
    spikes: Spikes,
    xy: STDPConstants,
) -> None:
    """Bring the pixels' traces x to step k (steps 1 and 5)."""
    x, last = spikes.x[g], spikes.last[g]
    strip, first, end, top = group.fields[g]
    for step in range(spikes.aged[X_TRACES, g], k + 1):
        if xy.accumulate:
            for row in range(x.shape[0]):
                x[row] *= xy.decay_pre
        for spike in range(begins[strip, step * bands + first], begins[strip, step * bands + end]):
            row = rows[strip, spike] - top
            if xy.accumulate:
                x[row] += 1
            last[row] = step
    if not xy.accumulate:
        for row in range(x.shape[0]):
            x[row] = spikes.powers[k - last[row]] if last[row] >= 0 else 0
    spikes.aged[X_TRACES, g] = k + 1


@internal
def learn(
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
    """STDP of a position's own feedforward weights in step k (MODEL, step 6), as far as `calm` has left it to do.

    Parameters
    ----------
    k : step
    fired : whether a neuron of the group has spiked in it
    rows, begins, bands : the presentation's Events
    group, spikes, rules, block : see stdpnet.stdp.engines.compiled.kernels.calm
    """
    if not rules.learn_xy:
        return
    if rules.xy.A_minus != 0 and (fired or not is_resident(group.theta, block)):
        for g in range(group.theta.shape[0]):
            if spikes.tally[ALIVE, g] > 0:
                age_y(k, g, spikes, rules.xy)
                strip, first, end, top = group.fields[g]
                own = rows[strip, begins[strip, k * bands + first] : begins[strip, k * bands + end]]
                _depress(group.weights, own, top, g, group.channels, spikes, rules.xy, block)
    if fired:
        for g in range(group.theta.shape[0]):
            if spikes.tally[FIRED, g] > 0:
                find_pixel_traces(k, g, rows, begins, bands, group, spikes, rules.xy)
                _potentiate(group.weights, spikes, rules.xy)


@inlined
def is_resident(theta: Floats, block: Block | None) -> bool:
    """Return whether a group is one block of one position, which `calm` keeps in registers and lets depress."""
    if block is None:
        return False
    return bool(theta.shape[0] == 1 and theta.shape[1] == length(block))


@inlined
def depress_rows(
    target: Floats,
    rows: NDArray[np.uint32],
    first: int,
    end: int,
    top: int,
    start: int,
    trace: Any,
    xy: STDPConstants,
    block: Block,
) -> None:
    """Let input spikes depress a block of weights: w <- clip(w - A_minus*y).

    Parameters
    ----------
    target : (k*k, >= K) weights
    rows, first, end, top : the input spikes are those of the rows rows[first:end] - top
    start, trace : where the block begins, and its traces y, a vector
    xy, block : numbers, shape of the block
    """
    change = mul(splat(xy.A_minus, block), trace)
    low, high = splat(xy.w_min, block), splat(xy.w_max, block)
    for spike in range(first, end):
        row = at(rows, spike) - top
        store(target, row, start, clip_vector(sub(load(target, row, start, block), change), low, high))


@internal
def _depress(
    target: Floats,
    own: NDArray[np.uint32],
    top: int,
    g: int,
    channels: int,
    spikes: Spikes,
    xy: STDPConstants,
    block: Block | None,
) -> None:
    """Let the input spikes `own` of position g depress all weights, or only those whose trace is not 0."""
    if spikes.tally[ALIVE, g] * _lanes(block) > channels:
        _depress_all(target, own, top, g, spikes, xy, block)
    else:
        _depress_alive(target, own, top, g, spikes, xy)


@inlined
def _lanes(block: Block | None) -> int:
    """Return how many neurons share a register: depressing a register costs as much as depressing one neuron."""
    return 0 if block is None else length(single(block))


@inlined
def _depress_all(
    target: Floats,
    own: NDArray[np.uint32],
    top: int,
    g: int,
    spikes: Spikes,
    xy: STDPConstants,
    block: Block | None,
) -> None:
    """Depress whole rows of weights."""
    if block is not None:
        for start in range(0, spikes.y.shape[1], length(block)):
            trace = load(spikes.y, g, start, block)
            depress_rows(target, own, 0, own.shape[0], top, start, trace, xy, block)


@inlined
def _depress_alive(
    target: Floats, own: NDArray[np.uint32], top: int, g: int, spikes: Spikes, xy: STDPConstants
) -> None:
    """Depress only the weights to neurons that have spiked."""
    alive, change, n_alive = spikes.alive[g], spikes.change, spikes.tally[ALIVE, g]
    for n in range(n_alive):
        change[n] = xy.A_minus * spikes.y[g, alive[n]]
    for spike in range(own.shape[0]):
        w = target[own[spike] - top]
        for n in range(n_alive):
            w[alive[n]] = clip(w[alive[n]] - change[n], xy)


@internal
def _potentiate(weights: Floats, spikes: Spikes, xy: STDPConstants) -> None:
    """Let the neurons that fired potentiate their position's own weights: w <- clip(w + A_plus*x)."""
    x = spikes.x[0]
    for n in range(spikes.tally[FIRED, 0]):
        j = spikes.fired[0, n]
        for row in range(weights.shape[0]):
            weights[row, j] = clip(weights[row, j] + xy.A_plus * x[row], xy)
