"""Normalise the feedforward weights after a presentation (docs/model.md, End of a presentation)."""

from __future__ import annotations

from stdpnet._numba.jit import compiled, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.blocks import Block
from stdpnet.stdp.engines.compiled.plasticity import clip
from stdpnet.stdp.engines.compiled.vectors import (
    add,
    clip_vector,
    div,
    length,
    load,
    mul,
    splat,
    store,
    sub,
    where_positive,
)
from stdpnet.stdp.engines.constants import STDPConstants


@compiled
def normalise(weights: Floats, channels: int, sums: Floats, norm: float, xy: STDPConstants, block: Block | None) -> int:
    """Scale each neuron's weights to the sum `norm`, and clip; return how many had a sum not above 0.

    Parameters
    ----------
    weights : (k*k, >= K) feedforward weights, mV
    channels : channels C <= K without the padding, which stays 0
    sums : (1, K) scratch memory
    norm, xy : sum to reach, mV, and bounds
    block : neurons to work on together; None: plain loops
    """
    if block is None:
        _normalise_plain(weights, sums[0], norm, xy)
    else:
        for start in range(0, sums.shape[1], length(block)):
            _normalise_block(weights, start, sums, norm, xy, block)
    unnormalised = 0
    for j in range(channels):
        unnormalised += not sums[0, j] > 0
    return unnormalised


@internal
def _normalise_block(weights: Floats, start: int, sums: Floats, norm: float, xy: STDPConstants, block: Block) -> None:
    low, high = splat(xy.w_min, block), splat(xy.w_max, block)
    total = sub(low, low)
    for row in range(weights.shape[0]):
        total = add(total, load(weights, row, start, block))
    store(sums, 0, start, total)
    factor = div(splat(norm, block), total)
    for row in range(weights.shape[0]):
        w = load(weights, row, start, block)
        store(weights, row, start, where_positive(total, clip_vector(mul(w, factor), low, high), w))


@internal
def _normalise_plain(weights: Floats, sums: Floats, norm: float, xy: STDPConstants) -> None:
    sums[:] = 0
    for row in range(weights.shape[0]):
        for j in range(sums.shape[0]):
            sums[j] += weights[row, j]
    for row in range(weights.shape[0]):
        for j in range(sums.shape[0]):
            if sums[j] > 0:
                weights[row, j] = clip(weights[row, j] * (norm / sums[j]), xy)
