"""The digital CoLaNET algorithm, compiled: columns of microcolumns that learn from their errors.

A column stands for a class and has J microcolumns, each with one neuron; n_i are spike counts of the inputs:
    U_j = sum_i w_ji*n_i - excess*sum_i max(w_ji, 0)
The neuron with the largest U of its column wins, and fires if U > threshold. The winner of a wrong column that fires
loses the reward from the resources of its active inputs (n_i > 0); the winner of the right column gains it if that
column is silent. All synapses of the neuron pay for the change (stdpnet.baselines.colanet.resource).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined
from stdpnet.arrays import Counts, Float64s
from stdpnet.baselines.colanet.resource import payment, weight_of, weights_of


class Constants(NamedTuple):
    """Numbers of the columns, as compiled code takes them."""

    microcolumns: int
    """Of each column, J."""
    threshold: float
    w_min: float
    w_max: float
    reward: float
    excess: float
    silent: int
    """Synapses that carry no spikes and share the payment."""
    conserve: bool
    """Whether changes are paid for."""


class Columns(NamedTuple):
    """State of the columns of K classes with n inputs; neurons are numbered column by column."""

    resources: Float64s
    """(n, K*J)."""
    weights: Float64s
    """(n, K*J) of these resources."""
    positive: Float64s
    """(K*J,) sum of the positive weights of each neuron."""
    potential: Float64s
    """(K*J,) scratch: U of each neuron."""


def columns_of(resources: Float64s, constants: Constants) -> Columns:
    """Return columns with the given resources (n, K*J), which learning changes in place."""
    neurons = resources.shape[1]
    columns = Columns(
        resources=resources,
        weights=np.empty_like(resources),
        positive=np.empty(neurons),
        potential=np.empty(neurons),
    )
    weights_of(resources, constants.w_min, constants.w_max, columns.weights)
    for neuron in range(neurons):
        _sum_positive(columns, neuron)
    return columns


@compiled
def _sum_positive(columns: Columns, neuron: int) -> None:
    total = 0.0
    for row in range(columns.weights.shape[0]):
        total += max(columns.weights[row, neuron], 0.0)
    columns.positive[neuron] = total


@inlined
def _potentials(columns: Columns, constants: Constants, counts: Counts) -> None:
    """Write U of each neuron for the counts (n,) of an image."""
    for neuron in range(columns.potential.size):
        columns.potential[neuron] = -constants.excess * columns.positive[neuron]
    for row in range(counts.size):
        if counts[row]:
            count = float(counts[row])
            for neuron in range(columns.potential.size):
                columns.potential[neuron] += columns.weights[row, neuron] * count


@inlined
def _winner(columns: Columns, constants: Constants, column: int) -> int:
    """Return the neuron of a column with the largest U; the first of equal ones."""
    first = column * constants.microcolumns
    best = first
    for neuron in range(first + 1, first + constants.microcolumns):
        if columns.potential[neuron] > columns.potential[best]:
            best = neuron
    return best


@inlined
def _change(columns: Columns, constants: Constants, counts: Counts, neuron: int, amount: float) -> None:
    """Add an amount to the resources of a neuron's active inputs, let its synapses pay, and renew its weights."""
    active = 0
    for row in range(counts.size):
        active += counts[row] > 0
    paid = payment(amount * active, counts.size, constants.silent) if constants.conserve else 0.0
    total = 0.0
    for row in range(counts.size):
        columns.resources[row, neuron] += (amount if counts[row] else 0.0) - paid
        weight = weight_of(columns.resources[row, neuron], constants.w_min, constants.w_max)
        columns.weights[row, neuron] = weight
        total += max(weight, 0.0)
    columns.positive[neuron] = total


@compiled
def learn(columns: Columns, constants: Constants, counts: Counts, labels: NDArray[np.int64]) -> tuple[int, int, int]:
    """Learn from images, one after the other.

    Parameters
    ----------
    columns : changed in place
    constants : of the columns
    counts : (N, n) spikes of each input
    labels : (N,) the right column of each image

    Returns
    -------
    The images answered with their class before they were learned from, the changes, and the winners that fired.
    """
    correct = changes = fired = 0
    for image in range(counts.shape[0]):
        _potentials(columns, constants, counts[image])
        answer, largest = 0, -np.inf
        for column in range(columns.potential.size // constants.microcolumns):
            winner = _winner(columns, constants, column)
            potential = columns.potential[winner]
            if potential > largest:
                answer, largest = column, potential
            fires, right = potential > constants.threshold, column == labels[image]
            fired += fires
            if fires != right:
                amount = constants.reward if right else -constants.reward
                _change(columns, constants, counts[image], winner, amount)
                changes += 1
        correct += answer == labels[image]
    return correct, changes, fired


@compiled
def answer(columns: Columns, constants: Constants, counts: Counts, scores: Float64s, spikes: Counts) -> None:
    """Answer images with nothing learned.

    Parameters
    ----------
    columns, constants : of the network; the scratch of the columns changes
    counts : (N, n) spikes of each input
    scores : (N, K) written: the largest U of each column
    spikes : (N, K*J) written: 1 for the winner of each column if it fires, else 0
    """
    spikes[:] = 0
    for image in range(counts.shape[0]):
        _potentials(columns, constants, counts[image])
        for column in range(scores.shape[1]):
            winner = _winner(columns, constants, column)
            scores[image, column] = columns.potential[winner]
            spikes[image, winner] = columns.potential[winner] > constants.threshold
