"""A loop that does nothing but normalise the weights after each presentation, as the compiled engine does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.blocks import Block
from stdpnet.stdp.engines.compiled.memory import Normalisation
from stdpnet.stdp.engines.compiled.normalisation import normalise
from stdpnet.stdp.engines.compiled.state import Rules


@compiled
def normalise_loop(
    weights: Floats, counts: NDArray[np.int32], scratch: Normalisation, rules: Rules, block: Block
) -> None:
    """For each presentation and each set of weights, only normalise.

    Parameters
    ----------
    weights : (S, k*k, >= K) feedforward weights, mV
    counts : (N, P, C) spikes of the presentations
    scratch, rules, block : see normalise
    """
    size = counts.shape[1] // weights.shape[0]
    for i in range(counts.shape[0]):
        for number in range(weights.shape[0]):
            normalise(weights[number], counts[i, number * size : (number + 1) * size], scratch, rules, block)
