"""The spiking CoLaNET, compiled: the time steps of an image and of its label (docs/colanet.md, Spikes).

An image is shown for T steps, in which neurons integrate, fire and learn from their spikes. Then the label comes: where
its column has been silent, it forces charged neurons of the column to fire (step T), and it rewards the winners of the
column (step T + 1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined, internal
from stdpnet._numba.philox import philox
from stdpnet.arrays import Counts, Float64s
from stdpnet.baselines.colanet.plasticity import Columns, Constants, learn_from_spike, pay, reward

NEVER = -(2**40)
"""A step long before each presentation."""


class Noise(NamedTuple):
    """The source of random numbers: a counter and a key of Philox (stdpnet._numba.philox)."""

    stream: int
    numbers: NDArray[np.int64]
    """(N,) of the presentations."""
    key: tuple[np.uint32, np.uint32]


@inlined
def _decay(columns: Columns, constants: Constants) -> None:
    for neuron in range(columns.potential.size):
        columns.potential[neuron] *= constants.decay


@inlined
def _begin(columns: Columns) -> None:
    """Reset all that lasts for one presentation."""
    columns.potential[:] = 0
    columns.last_spike[:] = NEVER
    columns.last_win[:] = NEVER
    columns.first_spike[:] = NEVER
    columns.forced[:] = False
    columns.last_input[:] = NEVER
    columns.column_spike[:] = NEVER
    columns.spikes[:] = 0
    columns.scores[:] = 0
    columns.peaks[:] = 0


@internal
def _drive(columns: Columns, constants: Constants, counts: Counts, step: int) -> None:
    """Add the input of a step to the potentials.

    c spikes of an input are spread evenly: of them floor((step + 1)*c/T) - floor(step*c/T) come in a step.
    """
    for row in range(counts.size):
        count = int(counts[row])
        spikes = (step + 1) * count // constants.steps - step * count // constants.steps
        if spikes:
            columns.last_input[row] = step
            for neuron in range(columns.potential.size):
                columns.potential[neuron] += columns.weights[row, neuron] * spikes


@internal
def _add_noise(columns: Columns, constants: Constants, step: int, number: int, noise: Noise) -> None:
    """Add a random number from 0 to below the constant `noise` to each potential; then raise negative ones to 0."""
    neurons = columns.potential.size
    low = np.uint32(number & 0xFFFFFFFF)
    high = np.uint32(number >> 32 << 16 | noise.stream)
    for block in range((neurons + 3) // 4):
        words = philox(np.uint32(block), np.uint32(step), low, high, noise.key[0], noise.key[1])
        for neuron in range(4 * block, min(4 * block + 4, neurons)):
            share = float(words[neuron & 3]) * 2.0**-32
            columns.potential[neuron] = max(columns.potential[neuron] + constants.noise * share, 0.0)


@internal
def _fire(columns: Columns, constants: Constants, column: int, step: int, learns: bool, is_forced: bool) -> bool:
    """Let the neurons of a column that reach their thresholds fire, and return whether there are any.

    The winner is the neuron that is farthest above its threshold; the first of equal ones.
    """
    winner, most = -1, 0.0
    first = column * constants.microcolumns
    for neuron in range(first, first + constants.microcolumns):
        above = columns.potential[neuron] - columns.thresholds[neuron]
        if above >= 0 and (winner < 0 or above > most):
            winner, most = neuron, above
    if winner < 0:
        return False
    columns.column_spike[column] = step
    columns.last_win[winner] = step
    for neuron in range(first, first + constants.microcolumns):
        if columns.potential[neuron] >= columns.thresholds[neuron]:
            columns.potential[neuron] = 0.0
            if not is_forced:
                columns.spikes[neuron] += 1
            if learns:
                learn_from_spike(columns, constants, neuron, step, is_forced)
    return True


@internal
def _teach(columns: Columns, constants: Constants, label: int, number: int, noise: Noise) -> int:
    """Show the label after the image: force a silent column, reward its winners, pay; return how many neurons learned.

    Parameters
    ----------
    columns : changed in place
    constants : of the columns
    label : the right column
    number, noise : of the presentation
    """
    step, first = constants.steps, label * constants.microcolumns
    _decay(columns, constants)
    _add_noise(columns, constants, step, number, noise)
    if step + 1 - columns.column_spike[label] > constants.reward_window:
        for neuron in range(first, first + constants.microcolumns):
            columns.potential[neuron] += constants.forcing
        _fire(columns, constants, label, step, True, True)
    for neuron in range(first, first + constants.microcolumns):
        if step + 1 - columns.last_win[neuron] <= constants.reward_window:
            reward(columns, constants, neuron, step + 1)
    changes = 0
    for neuron in range(columns.potential.size):
        if columns.received[neuron] != 0:
            pay(columns, constants, neuron)
            changes += 1
    return changes


@internal
def _show(columns: Columns, constants: Constants, counts: Counts, number: int, noise: Noise, learns: bool) -> int:
    """Show an image of input spike counts (n,), and write its spikes and scores; return how many columns fired."""
    _begin(columns)
    for step in range(constants.steps):
        _decay(columns, constants)
        _drive(columns, constants, counts, step)
        _add_noise(columns, constants, step, number, noise)
        for column in range(columns.scores.size):
            first = column * constants.microcolumns
            for neuron in range(first, first + constants.microcolumns):
                share = columns.potential[neuron] / columns.thresholds[neuron]
                columns.peaks[column] = max(columns.peaks[column], share)
            columns.scores[column] += _fire(columns, constants, column, step, learns, False)
    fired = 0
    for column in range(columns.scores.size):
        fired += columns.scores[column] > 0
        columns.scores[column] += columns.peaks[column] / (1.0 + columns.peaks[column])
    return fired


@compiled
def learn(
    columns: Columns, constants: Constants, counts: Counts, labels: NDArray[np.int64], noise: Noise
) -> tuple[int, int, int]:
    """Learn from images, one after the other.

    Parameters
    ----------
    columns : changed in place
    constants : of the columns
    counts : (N, n) spikes of each input
    labels : (N,) the right column of each image
    noise : random numbers

    Returns
    -------
    The images answered with their class before their label came, the neurons that learned, and the columns that fired.
    """
    correct = changes = fired = 0
    for image in range(counts.shape[0]):
        label = labels[image]
        fired += _show(columns, constants, counts[image], noise.numbers[image], noise, True)
        correct += np.argmax(columns.scores) == label
        changes += _teach(columns, constants, label, noise.numbers[image], noise)
    return correct, changes, fired


@compiled
def answer(
    columns: Columns, constants: Constants, counts: Counts, noise: Noise, scores: Float64s, spikes: Counts
) -> None:
    """Answer images with nothing learned.

    Parameters
    ----------
    columns, constants : of the network; the scratch of the columns changes
    counts : (N, n) spikes of each input
    noise : random numbers
    scores : (N, K) written: the score of each column
    spikes : (N, M) written: the spikes of each neuron
    """
    for image in range(counts.shape[0]):
        _show(columns, constants, counts[image], noise.numbers[image], noise, False)
        for column in range(columns.scores.size):
            scores[image, column] = columns.scores[column]
        for neuron in range(columns.spikes.size):
            spikes[image, neuron] = columns.spikes[neuron]
