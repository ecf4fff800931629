"""The two layers, compiled: `forward` simulates them and keeps a history, `backward` adds up gradients through time.

D pixels, H hidden neurons, K output neurons, T steps; x = 0 or 1 is an input spike:
    V_t = decay*kept(V_{t-1}, S_{t-1}) + x_t W1     S_t = 1 where V_t > threshold
    U_t = decay*kept(U_{t-1}, O_{t-1}) + S_t W2     O_t = 1 where U_t > threshold
kept(v, s) is the potential after the reset: v*(1 - s), or v - threshold*s.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined
from stdpnet.arrays import Floats
from stdpnet.spikes import SpikeTrains

FUNCTIONS = ("sigmoid", "fast_sigmoid", "arctan", "triangular", "straight_through")
SIGMOID, FAST_SIGMOID, ARCTAN, TRIANGULAR, STRAIGHT_THROUGH = range(len(FUNCTIONS))


class Constants(NamedTuple):
    """Numbers of neurons and of the backward pass, as compiled code takes them."""

    decay: np.float32
    threshold: np.float32
    subtract: bool
    function: int
    """Place in FUNCTIONS."""
    slope: np.float32
    centre: np.float32
    through_time: bool
    through_reset: bool
    temperature: np.float32


class History(NamedTuple):
    """Potentials and spikes of a layer of n neurons during one image; row 0 is the rest before the first step."""

    v: Floats
    """(T + 1, n) membrane potential before the reset."""
    s: Floats
    """(T + 1, n) spikes, 0 or 1."""

    @classmethod
    def empty(cls, steps: int, neurons: int) -> History:
        """Return a history in which nothing has happened."""
        return cls(np.zeros((steps + 1, neurons), np.float32), np.zeros((steps + 1, neurons), np.float32))


class Weights(NamedTuple):
    """Weights, or their gradients."""

    hidden: Floats
    """(D, H)."""
    output: Floats
    """(H, K)."""


class Workspace(NamedTuple):
    """Memory in which a thread learns from one image after the other."""

    hidden: History
    output: History
    error: Floats
    """(K,) gradient of the loss with respect to the output counts."""
    by_spike: Floats
    """(H,) gradient with respect to the hidden spikes of a step."""
    by_v: Floats
    """(H,) gradient with respect to the hidden potentials of a step."""
    by_u: Floats
    """(K,) gradient with respect to the output potentials of a step."""

    @classmethod
    def of(cls, hidden: History, output: History) -> Workspace:
        """Return the memory for layers with these histories."""
        neurons, classes = hidden.v.shape[1], output.v.shape[1]
        return cls(
            hidden=hidden,
            output=output,
            error=np.zeros(classes, np.float32),
            by_spike=np.zeros(neurons, np.float32),
            by_v=np.zeros(neurons, np.float32),
            by_u=np.zeros(classes, np.float32),
        )


class Results(NamedTuple):
    """Results of N images, which `learn` writes in place."""

    hidden: NDArray[np.uint16]
    """(N, H) spike counts."""
    output: NDArray[np.uint16]
    """(N, K) spike counts."""
    losses: NDArray[np.float64]
    """(N,) cross-entropy of each image."""
    gradients: Weights
    """Sums to which the gradients of all images are added."""


@inlined
def _kept(layer: History, step: int, j: int, neuron: Constants) -> np.float32:
    """Return the potential before a step, after the reset of the step before it."""
    v: np.float32 = layer.v[step - 1, j]
    s: np.float32 = layer.s[step - 1, j]
    return v - neuron.threshold * s if neuron.subtract else v * (np.float32(1) - s)


@inlined
def _advance(layer: History, step: int, neuron: Constants) -> None:
    """Integrate and fire: v[step] holds the input of the step, and becomes the potential."""
    v, s = layer.v[step], layer.s[step]
    for j in range(v.shape[0]):
        v[j] += neuron.decay * _kept(layer, step, j, neuron)
        s[j] = np.float32(1) if v[j] > neuron.threshold else np.float32(0)


@compiled
def forward(
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
    weights: Weights,
    neuron: Constants,
    hidden: History,
    output: History,
) -> None:
    """Show an image, and write the histories of both layers.

    Parameters
    ----------
    pixels, offsets : spikes; those of step t are pixels[offsets[t]:offsets[t + 1]], with offsets (T + 1,)
    weights : of the network
    neuron : its constants
    hidden, output : histories, written in place
    """
    for step in range(1, offsets.shape[0]):
        v = hidden.v[step]
        v[:] = 0
        for spike in range(offsets[step - 1], offsets[step]):
            row = weights.hidden[np.uintp(pixels[np.uintp(spike)])]
            for j in range(v.shape[0]):
                v[j] += row[j]
        _advance(hidden, step, neuron)
        u = output.v[step]
        u[:] = 0
        for j in range(v.shape[0]):
            if hidden.s[step, j] != 0:
                for k in range(u.shape[0]):
                    u[k] += weights.output[j, k]
        _advance(output, step, neuron)


@inlined
def surrogate(x: np.float32, constants: Constants) -> np.float32:
    """Return the surrogate derivative of a spike at a potential x above the centre (docs/surrogate-gradient.md)."""
    k, one = constants.slope, np.float32(1)
    if constants.function == SIGMOID:
        z = np.exp(-k * abs(x))
        return np.float32(k * z / ((one + z) * (one + z)))
    if constants.function == FAST_SIGMOID:
        z = one + k * abs(x)
        return one / (z * z)
    if constants.function == ARCTAN:
        z = np.float32(math.pi / 2) * k * x
        return np.float32(0.5) * k / (one + z * z)
    if constants.function == TRIANGULAR:
        return max(np.float32(0), one - k * abs(x))
    return one


@inlined
def _back(layer: History, step: int, by_spike: Floats, by_v: Floats, constants: Constants) -> None:
    """Go back by one step: from the gradient with respect to spikes of a layer to that with respect to its potentials.

    Parameters
    ----------
    layer : its history
    step : 1 to T
    by_spike : (n,) gradient of the loss with respect to the spikes of this step, through the next layer
    by_v : (n,) gradient with respect to the potentials of the next step; becomes that of this step
    constants : of the network
    """
    v, s = layer.v[step], layer.s[step]
    for j in range(v.shape[0]):
        if not constants.through_time:
            current = v[j] - constants.decay * _kept(layer, step, j, constants)
            by_v[j] = surrogate(current - constants.centre, constants) * by_spike[j]
            continue
        later, direct = constants.decay * by_v[j], by_spike[j]
        if constants.through_reset:
            direct -= later * (constants.threshold if constants.subtract else v[j])
        if not constants.subtract:
            later *= np.float32(1) - s[j]
        by_v[j] = surrogate(v[j] - constants.centre, constants) * direct + later


@compiled
def backward(
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
    output_weights: Floats,
    constants: Constants,
    space: Workspace,
    gradients: Weights,
) -> None:
    """Go back through time, and add the gradients of an image to `gradients`.

    Parameters
    ----------
    pixels, offsets : its input spikes, as in `forward`
    output_weights : (K, H), transposed, so that the innermost loop is over hidden neurons
    constants : of the network
    space : the histories of the image, and `error`
    gradients : sums to which the gradients of this image are added
    """
    by_v, by_spike, by_u = space.by_v, space.by_spike, space.by_u
    count, classes = by_v.shape[0], by_u.shape[0]
    by_v[:] = 0
    by_u[:] = 0
    for step in range(offsets.shape[0] - 1, 0, -1):
        _back(space.output, step, space.error, by_u, constants)
        by_spike[:] = 0
        for k in range(classes):
            for j in range(count):
                by_spike[j] += by_u[k] * output_weights[k, j]
        for j in range(count):
            spikes = space.hidden.s[step, j]
            if spikes != 0:
                for k in range(classes):
                    gradients.output[j, k] += spikes * by_u[k]
        _back(space.hidden, step, by_spike, by_v, constants)
        for spike in range(offsets[step - 1], offsets[step]):
            row = gradients.hidden[np.uintp(pixels[np.uintp(spike)])]
            for j in range(count):
                row[j] += by_v[j]


@compiled
def total(history: History, counts: NDArray[np.uint16]) -> None:
    """Write the number of spikes of each neuron of a layer into `counts`."""
    counts[:] = 0
    for step in range(1, history.s.shape[0]):
        for j in range(counts.shape[0]):
            counts[j] += np.uint16(history.s[step, j])


@inlined
def _cross_entropy(counts: NDArray[np.uint16], label: int, temperature: float, batch: int, error: Floats) -> float:
    """Return the cross-entropy of softmax(counts/temperature).

    Write its gradient with respect to the counts, divided by `batch`, into `error`.
    """
    most = shares = 0.0
    for k in range(counts.shape[0]):
        most = max(most, counts[k] / temperature)
    for k in range(counts.shape[0]):
        shares += math.exp(counts[k] / temperature - most)
    for k in range(counts.shape[0]):
        share = math.exp(counts[k] / temperature - most) / shares
        error[k] = (share - (k == label)) / (temperature * batch)
    return float(math.log(shares) + most - counts[label] / temperature)


@compiled
def learn(
    trains: SpikeTrains,
    labels: NDArray[np.int64],
    batch: int,
    weights: Weights,
    output_weights: Floats,
    constants: Constants,
    space: Workspace,
    results: Results,
) -> None:
    """Show images, write spike counts and losses, and add up the gradients.

    Parameters
    ----------
    trains : spikes of N images
    labels : (N,) their classes
    batch : images of the batch, over which the gradient is the mean
    weights : of the network
    output_weights : (K, H), transposed, as in `backward`
    constants : of the network
    space : working memory
    results : of these images, written in place
    """
    for i in range(labels.shape[0]):
        offsets, counts = trains.offsets[i], results.output[i]
        forward(trains.pixels, offsets, weights, constants, space.hidden, space.output)
        total(space.hidden, results.hidden[i])
        total(space.output, counts)
        results.losses[i] = _cross_entropy(counts, labels[i], np.float64(constants.temperature), batch, space.error)
        backward(trains.pixels, offsets, output_weights, constants, space, results.gradients)


@compiled
def answer(
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
    weights: Weights,
    constants: Constants,
    hidden: History,
    output: History,
    counts: tuple[NDArray[np.uint16], NDArray[np.uint16]],
) -> None:
    """Show images (N,), and write spike counts (N, H) and (N, K); the arguments are those of `learn`."""
    for i in range(offsets.shape[0]):
        forward(pixels, offsets[i], weights, constants, hidden, output)
        total(hidden, counts[0][i])
        total(output, counts[1][i])
