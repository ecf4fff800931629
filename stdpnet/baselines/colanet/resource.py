"""Synaptic resources: an unbounded resource W stands behind each bounded weight w, and changes conserve its sum.

    w(W) = w_min + D*max(W, 0)/(D + max(W, 0))      W(w) = D*(w - w_min)/(w_max - w)      D = w_max - w_min

All synapses of a neuron together pay for what some of them receive; `silent` synapses, which carry no spikes, pay their
share. Source: Kiselev's rule, in the code of KasperskyLab/knp (docs/colanet.md, Resources).
"""

from __future__ import annotations

from stdpnet._numba.jit import compiled, inlined
from stdpnet.arrays import Float64s


@inlined
def weight_of(resource: float, w_min: float, w_max: float) -> float:
    """Return the weight of a resource: w_min for 0 or less, and less than w_max for any."""
    positive, span = max(resource, 0.0), w_max - w_min
    return w_min + span * positive / (span + positive)


@compiled
def weights_of(resources: Float64s, w_min: float, w_max: float, weights: Float64s) -> None:
    """Write the weight of each resource (n, m) into weights (n, m)."""
    for row in range(resources.shape[0]):
        for column in range(resources.shape[1]):
            weights[row, column] = weight_of(resources[row, column], w_min, w_max)


def resource_of(weight: float, w_min: float, w_max: float) -> float:
    """Return the resource of a weight in [w_min, w_max)."""
    return (w_max - w_min) * (weight - w_min) / (w_max - weight)


@inlined
def payment(received: float, synapses: int, silent: int) -> float:
    """Return what each synapse of a neuron pays if its synapses together have received `received`."""
    return received / (synapses + silent)
