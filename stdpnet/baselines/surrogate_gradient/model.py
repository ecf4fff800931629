"""The model "surrogate_gradient", as jobs, runs and evaluation see it (stdpnet.model)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stdpnet.baselines.supervised.facts import facts_of_layers
from stdpnet.baselines.supervised.learner import SupervisedLearner, examine, initial_state
from stdpnet.baselines.surrogate_gradient.network import SurrogateNetwork, weights
from stdpnet.baselines.surrogate_gradient.spec import SurrogateGradientExperiment
from stdpnet.data import Split
from stdpnet.model import Facts, Finding, Responses, State
from stdpnet.random import Stream

__all__ = ["facts", "findings", "initial", "learner", "respond"]

CHUNK = 256
"""Images that are answered between two reports of progress; results do not depend on it."""


def facts(spec: SurrogateGradientExperiment) -> Facts:
    """Return what a table says about the network; its weights are learned from labels."""
    return facts_of_layers(spec, "surrogate gradient")


def initial(spec: SurrogateGradientExperiment) -> State:
    """Return the untrained network."""
    return initial_state(spec, SurrogateNetwork(spec), weights(spec))


def learner(
    spec: SurrogateGradientExperiment, split: Split, state: State, *, threads: int | None = None
) -> SupervisedLearner:
    """Return a learner that goes on from a state with a split's images and labels."""
    return SupervisedLearner(spec, split, state, SurrogateNetwork(spec, threads), threads=threads)


def findings(spec: SurrogateGradientExperiment, row: Mapping[str, Any]) -> list[Finding]:
    """Return what is unhealthy in a row of progress."""
    return examine(spec, row, SurrogateNetwork(spec))


def respond(
    spec: SurrogateGradientExperiment,
    state: State,
    split: Split,
    stream: Stream,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Responses:
    """Return the spikes of both layers for each image of a split (stdpnet.model.Responder).

    `counts` are the spikes of the hidden neurons, `scores` those of the output neurons. The stream and the index of an
    image decide its input spikes.
    """
    network, total = SurrogateNetwork(spec, threads), 0
    counts = np.zeros((len(split), spec.network.hidden), np.uint16)
    scores = np.zeros((len(split), spec.training.classes))
    for first in range(0, len(split), CHUNK):
        chunk = slice(first, first + CHUNK)
        numbers = np.asarray(split.indices[chunk], np.int64)
        counts[chunk], scores[chunk], spikes = network.answer(state.arrays, split.images[chunk], stream, numbers)
        total += spikes
        progress(len(numbers))
    cost = {}
    if len(split):
        events = total * spec.network.hidden + float(counts.sum(dtype=np.int64)) * spec.training.classes
        cost = {"input_spikes": total / len(split), "events": events / len(split)}
    return Responses(counts=counts, labels=split.labels, indices=split.indices, scores=scores, cost=cost)
