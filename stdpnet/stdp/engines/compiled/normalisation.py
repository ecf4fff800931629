"""Normalise the feedforward weights after a presentation (docs/model.md, End of a presentation).

Weights are read and written in strips of one vector register. Strips without a neuron to be normalised are skipped,
because few neurons spike in a presentation. A strip takes no more time than a single neuron: both wait for one addition
after the other, and touch one cache line of each row. Neurons of a strip that are not normalised are multiplied by 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.blocks import Block
from stdpnet.stdp.engines.compiled.memory import Normalisation
from stdpnet.stdp.engines.compiled.state import Rules
from stdpnet.stdp.engines.compiled.vectors import (
    add,
    any_ge,
    clip_vector,
    div,
    length,
    load,
    mul,
    splat,
    store,
    where_positive,
)


@internal
def normalise(weights: Floats, counts: NDArray[np.int32], scratch: Normalisation, rules: Rules, strip: Block) -> int:
    """Scale the weights of neurons that spiked to the sum rules.norm, and clip; return how many have no sum above 0.

    Parameters
    ----------
    weights : (k*k, >= K) feedforward weights, mV
    counts : (G, C) spikes of the neurons of each position that has these weights
    scratch : memory
    rules : sum to reach, bounds, and whether neurons without spikes are normalised, too
    strip : a block of one register
    """
    wanted, sums = scratch.wanted, scratch.sums
    _choose(counts, wanted, rules)
    for start in range(0, wanted.shape[1], length(strip)):
        if any_ge(load(wanted, 0, start, strip), rules.norm):
            _normalise_strip(weights, start, scratch, rules, strip)
    unnormalised = 0
    for j in range(counts.shape[1]):
        unnormalised += wanted[0, j] > 0 and not sums[0, j] > 0
    return unnormalised


@inlined
def _choose(counts: NDArray[np.int32], wanted: Floats, rules: Rules) -> None:
    """Set the sum that the weights of each neuron are to have; 0: they stay as they are."""
    unchanged = rules.norm if rules.normalise_all else rules.norm - rules.norm
    for j in range(counts.shape[1]):
        wanted[0, j] = unchanged
    for g in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            wanted[0, j] = rules.norm if counts[g, j] > 0 else wanted[0, j]


@internal
def _normalise_strip(weights: Floats, start: int, scratch: Normalisation, rules: Rules, strip: Block) -> None:
    """Normalise those neurons of a strip that are to be normalised and whose weights have a sum above 0."""
    low, high = rules.xy.w_min, rules.xy.w_max
    total = splat(rules.norm - rules.norm, strip)
    for row in range(weights.shape[0]):
        total = add(total, load(weights, row, start, strip))
    store(scratch.sums, 0, start, total)
    wanted = load(scratch.wanted, 0, start, strip)
    scaled = where_positive(wanted, total, wanted)
    # Selecting weights instead of factors would compile to masked stores, which take five times as long on AMD (Zen 3).
    factor = where_positive(scaled, div(rules.norm, total), rules.norm / rules.norm)
    for row in range(weights.shape[0]):
        store(weights, row, start, clip_vector(mul(load(weights, row, start, strip), factor), low, high))
