"""The model "rate_conversion", as jobs, runs and evaluation see it (stdpnet.model)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.baselines.rate_conversion.network import WHITE, RateNetwork, Steps, hidden_steps, weights
from stdpnet.baselines.rate_conversion.spec import RateConversionExperiment
from stdpnet.baselines.supervised.facts import facts_of_layers
from stdpnet.baselines.supervised.learner import SupervisedLearner, examine, initial_state
from stdpnet.data import Split
from stdpnet.model import MOST_COUNT, Facts, Finding, Responses, State
from stdpnet.parallel import limited_algebra
from stdpnet.random import Purpose, Stream, generator

__all__ = ["facts", "findings", "initial", "learner", "respond"]

CHUNK = 128
"""Images that are answered between two reports of progress; results do not depend on it."""


def facts(spec: RateConversionExperiment) -> Facts:
    """Return what a table says about the network; its weights are learned from labels."""
    return facts_of_layers(spec, "rate conversion")


def initial(spec: RateConversionExperiment) -> State:
    """Return the untrained network."""
    return initial_state(spec, RateNetwork(spec), weights(spec))


def learner(
    spec: RateConversionExperiment, split: Split, state: State, *, threads: int | None = None
) -> SupervisedLearner:
    """Return a learner that goes on from a state with a split's images and labels."""
    return SupervisedLearner(spec, split, state, RateNetwork(spec), threads=threads)


def findings(spec: RateConversionExperiment, row: Mapping[str, Any]) -> list[Finding]:
    """Return what is unhealthy in a row of progress."""
    return examine(spec, row, RateNetwork(spec))


def respond(
    spec: RateConversionExperiment,
    state: State,
    split: Split,
    stream: Stream,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Responses:
    """Return the answers of the network to each image of a split (stdpnet.model.Responder); a single thread computes.

    `counts` are the spikes of the hidden units over all steps (of units that do not spike: activity times duration,
    rounded), `scores` the mean output. The stream and the index of an image decide the potentials at the start.
    """
    hidden, classes, spiking = spec.network.hidden, spec.training.classes, spec.spiking
    counts, scores = np.zeros((len(split), hidden), np.uint16), np.zeros((len(split), classes))
    with limited_algebra(1):
        for first in range(0, len(split), CHUNK):
            chunk = slice(first, first + CHUNK)
            steps = answer(spec, state, split.images[chunk], split.indices[chunk], stream)
            total = steps.rates.sum(axis=0) * spiking.dt
            counts[chunk] = np.minimum(np.rint(total), MOST_COUNT)
            scores[chunk] = output(state, steps.hidden)
            progress(len(steps.hidden))
    cost = _cost(spec, counts) if len(split) else {}
    return Responses(counts=counts, labels=split.labels, indices=split.indices, scores=scores, cost=cost)


def answer(
    spec: RateConversionExperiment, state: State, images: NDArray[np.uint8], indices: NDArray[np.int64], stream: Stream
) -> Steps:
    """Return the output of the hidden units in each step while images (N, n, n) are shown.

    Parameters
    ----------
    spec, state : of the network
    images : (N, n, n) uint8
    indices : (N,) place of each image in its source set
    stream : with the index it decides the potentials at the start, uniform in [0, 1)
    """
    x = images.reshape(len(images), -1) / WHITE
    activity = np.maximum(_row_by_row(x, state.arrays["hidden_weights"]) + state.arrays["hidden_bias"], 0)
    v = None
    if spec.spiking.activation == "spiking":
        randoms = (generator(spec.seed, Purpose.POTENTIALS, stream, int(index)) for index in indices)
        v = np.array([random.random(spec.network.hidden) for random in randoms]).reshape(activity.shape)
    return hidden_steps(spec, state.arrays, activity, v)


def output(state: State, hidden: Floats) -> Floats:
    """Return the output (N, K) of hidden units (N, H)."""
    result: Floats = _row_by_row(hidden, state.arrays["output_weights"]) + state.arrays["output_bias"]
    return result


def _row_by_row(x: Floats, matrix: Floats) -> Floats:
    """Return x (N, D) times a matrix (D, H), so that the rounding of a row does not depend on the number of rows."""
    product: Floats = np.matmul(x[:, np.newaxis], matrix)[:, 0]
    return product


def _cost(spec: RateConversionExperiment, counts: NDArray[np.uint16]) -> dict[str, float]:
    """Return the mean cost of an image: the input is constant, so that it is multiplied by its weights once."""
    hidden, classes = spec.network.hidden, spec.training.classes
    if spec.spiking.activation == "rate":
        return {"multiplications": float(spec.pixels * hidden + hidden * classes)}
    events = float(counts.sum(dtype=np.int64)) * classes / len(counts)
    return {"multiplications": float(spec.pixels * hidden), "events": events}
