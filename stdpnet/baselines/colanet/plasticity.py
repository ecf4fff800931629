"""The spiking plasticity of CoLaNET, compiled: changes by spikes and by rewards (docs/colanet.md, Spikes).

A neuron that fires by itself loses resources of the inputs behind its spikes (anti-Hebbian), once in each tight
sequence of spikes; a reward (dopamine) gives back more than that. A neuron's stability makes its changes smaller. At
the end of a presentation all synapses of a neuron pay for its changes.

Source: Kiselev's rule in the code of KasperskyLab/knp, examples/mnist-learn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined, internal
from stdpnet.arrays import Counts, Float64s
from stdpnet.baselines.colanet.resource import payment, weight_of, weights_of

UNMARKED, CONTRIBUTED, DEPRESSED = np.uint8(0), np.uint8(1), np.uint8(2)
"""Marks of a synapse: none; its input spiked before the neuron did; it has also lost in this sequence of spikes."""


class Constants(NamedTuple):
    """Numbers of the columns, as compiled code takes them; times in steps."""

    microcolumns: int
    """Of each column, J."""
    steps: int
    """Steps for which an image is shown, T."""
    threshold: float
    excess: float
    w_min: float
    w_max: float
    decay: float
    noise: float
    forcing: float
    anti_hebbian: float
    reward: float
    stability: float
    presynaptic_window: int
    reward_window: int
    longest_interval: int
    silent: int
    conserve: bool


class Columns(NamedTuple):
    """The columns of K classes with n inputs; M = K*J neurons are numbered column by column, arrays (M,) are of them.

    Resources and stability are learned; all other arrays follow from them or last for one presentation.
    """

    resources: Float64s
    """(n, M)."""
    stability: Float64s
    """(M,) changes are smaller by the factor 2**-stability, at most 1."""
    weights: Float64s
    """(n, M) of these resources."""
    thresholds: Float64s
    """(M,) threshold + excess * sum of the positive weights, as at the beginning of the presentation."""
    potential: Float64s
    received: Float64s
    """(M,) sum of the changes of resources in this presentation."""
    last_spike: NDArray[np.int64]
    last_win: NDArray[np.int64]
    """(M,) step at which the neuron last was the winner of its column."""
    first_spike: NDArray[np.int64]
    """(M,) step of the first spike of the present sequence."""
    forced: NDArray[np.bool_]
    """(M,) whether the last spike was forced."""
    marks: NDArray[np.uint8]
    """(n, M) UNMARKED, CONTRIBUTED or DEPRESSED; of the present sequence of spikes."""
    last_input: NDArray[np.int64]
    """(n,) step of the last spike of each input."""
    column_spike: NDArray[np.int64]
    """(K,) step at which a neuron of the column last fired."""
    spikes: Counts
    """(M,) of this presentation, without those that the label forced."""
    scores: Float64s
    """(K,) steps in which a neuron of the column fired, plus peak/(1 + peak), which decides between equal numbers."""
    peaks: Float64s
    """(K,) largest ratio of a potential to its threshold."""


def columns_of(resources: Float64s, stability: Float64s, constants: Constants) -> Columns:
    """Return columns with the given resources (n, M) and stabilities (M,), which learning changes in place."""
    inputs, neurons = resources.shape
    columns = Columns(
        resources=resources,
        stability=stability,
        weights=np.empty_like(resources),
        thresholds=np.empty(neurons),
        potential=np.empty(neurons),
        received=np.zeros(neurons),
        last_spike=np.empty(neurons, np.int64),
        last_win=np.empty(neurons, np.int64),
        first_spike=np.empty(neurons, np.int64),
        forced=np.empty(neurons, np.bool_),
        marks=np.empty(resources.shape, np.uint8),
        last_input=np.empty(inputs, np.int64),
        column_spike=np.empty(neurons // constants.microcolumns, np.int64),
        spikes=np.empty(neurons, np.uint16),
        scores=np.empty(neurons // constants.microcolumns),
        peaks=np.empty(neurons // constants.microcolumns),
    )
    weights_of(resources, constants.w_min, constants.w_max, columns.weights)
    for neuron in range(neurons):
        renew_threshold(columns, constants, neuron)
    return columns


@compiled
def renew_threshold(columns: Columns, constants: Constants, neuron: int) -> None:
    """Set the threshold of a neuron to that of its present weights."""
    total = 0.0
    for row in range(columns.weights.shape[0]):
        total += max(columns.weights[row, neuron], 0.0)
    columns.thresholds[neuron] = constants.threshold + constants.excess * total


@inlined
def _change(columns: Columns, constants: Constants, row: int, neuron: int, amount: float) -> None:
    columns.resources[row, neuron] += amount
    columns.weights[row, neuron] = weight_of(columns.resources[row, neuron], constants.w_min, constants.w_max)


@inlined
def _plasticity(columns: Columns, neuron: int) -> float:
    """Return the factor by which stability reduces the changes of a neuron, min(2**-stability, 1)."""
    factor: float = 2.0 ** -columns.stability[neuron]
    return min(factor, 1.0)


@internal
def learn_from_spike(columns: Columns, constants: Constants, neuron: int, step: int, is_forced: bool) -> None:
    """Mark the synapses that contributed to a spike at a step; they lose resources unless the spike was forced.

    A synapse contributes if its input spiked at most presynaptic_window steps before. It loses
    anti_hebbian*2**-stability once in a sequence of spikes less than longest_interval steps apart.
    """
    interval = step - columns.last_spike[neuron]
    goes_on = interval < constants.longest_interval and not is_forced and not columns.forced[neuron]
    if not goes_on:
        columns.first_spike[neuron] = step
    columns.last_spike[neuron] = step
    columns.forced[neuron] = is_forced
    amount, changed = -constants.anti_hebbian * _plasticity(columns, neuron), 0
    for row in range(columns.last_input.size):
        mark = columns.marks[row, neuron] if goes_on else UNMARKED
        if mark == UNMARKED and step - columns.last_input[row] <= constants.presynaptic_window:
            mark = CONTRIBUTED
        if mark == CONTRIBUTED and not is_forced:
            mark = DEPRESSED
            _change(columns, constants, row, neuron, amount)
            changed += 1
        columns.marks[row, neuron] = mark
    columns.received[neuron] += amount * changed


@internal
def reward(columns: Columns, constants: Constants, neuron: int, step: int) -> None:
    """Let the synapses that contributed to a winner's last sequence of spikes gain, and change its stability.

    They gain D*2**-stability, with the reward D. After a forced spike the stability falls by r*D, not below 0; else it
    changes by r*D*max(2 - |t - t_first - I|/I, -1), where t is the step of the reward, t_first that of the first spike
    of the sequence, and I longest_interval.
    """
    amount, changed = constants.reward * _plasticity(columns, neuron), 0
    for row in range(columns.last_input.size):
        if columns.marks[row, neuron] != UNMARKED:
            _change(columns, constants, row, neuron, amount)
            changed += 1
    columns.received[neuron] += amount * changed
    change = constants.stability * constants.reward
    if columns.forced[neuron]:
        columns.stability[neuron] = max(columns.stability[neuron] - change, 0.0)
    else:
        longest = constants.longest_interval
        distance = abs(step - columns.first_spike[neuron] - longest) / longest
        columns.stability[neuron] += change * max(2.0 - distance, -1.0)


@internal
def pay(columns: Columns, constants: Constants, neuron: int) -> None:
    """Let all synapses of a neuron pay for its changes, and renew its threshold."""
    if constants.conserve:
        paid = payment(columns.received[neuron], columns.last_input.size, constants.silent)
        for row in range(columns.last_input.size):
            _change(columns, constants, row, neuron, -paid)
    columns.received[neuron] = 0.0
    renew_threshold(columns, constants, neuron)
