"""The model "features": features of image patches, as jobs, runs and evaluation see them (stdpnet.model)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stdpnet.arrays import Floats
from stdpnet.baselines.features.kinds import features_of
from stdpnet.baselines.features.learner import CHUNK, FeaturesLearner, examine, new_interval
from stdpnet.baselines.features.patches import patches
from stdpnet.baselines.features.spec import TITLES, FeaturesExperiment
from stdpnet.data import Split
from stdpnet.model import MOST_COUNT, Facts, Responses, State
from stdpnet.parallel import limited_algebra
from stdpnet.random import Stream

__all__ = ["facts", "findings", "initial", "learner", "respond"]

learner, findings = FeaturesLearner, examine


def facts(spec: FeaturesExperiment) -> Facts:
    """Return what a table says about features; no labels are used."""
    geometry = spec.geometry
    return Facts(
        label=spec.label,
        family=TITLES[spec.features.kind],
        positions=geometry.positions,
        units=geometry.neurons,
        synapses={"feedforward": features_of(spec).weights(spec)},
        details={"channels": geometry.channels, "kernel": geometry.kernel},
    )


def initial(spec: FeaturesExperiment) -> State:
    """Return the untrained features: random directions."""
    arrays = features_of(spec).initial(spec)
    return State(arrays=arrays, interval=new_interval(spec, arrays))


def respond(
    spec: FeaturesExperiment,
    state: State,
    split: Split,
    stream: Stream,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Responses:
    """Return the responses of features to each image of a split (stdpnet.model.Responder), times `gain` and rounded.

    A single thread computes, and nothing is random, so that the stream is not used.
    """
    geometry, features = spec.geometry, features_of(spec)
    arrays = {name: array.view() for name, array in state.arrays.items()}
    for array in arrays.values():
        array.flags.writeable = False
    counts = np.zeros((len(split), geometry.neurons), np.uint16)
    with limited_algebra(1):
        responses = features.responses(spec, arrays)
        for first in range(0, len(counts), CHUNK):
            chunk = slice(first, first + CHUNK)
            answered = responses(patches(split.images[chunk], geometry, spec.features))
            answered = np.minimum(np.rint(spec.features.gain * _winners(answered, spec.features.winners)), MOST_COUNT)
            counts[chunk] = answered.reshape(len(answered), -1)
            progress(len(answered))
    cost = {"multiplications": float(features.weights(spec) * (geometry.positions if geometry.shared else 1))}
    return Responses(counts=counts, labels=split.labels, indices=split.indices, cost=cost if len(counts) else {})


def _winners(responses: Floats, count: int) -> Floats:
    """Return responses (N, P, C) with all but the `count` largest of each position set to 0; ties are all kept."""
    if not 0 < count < responses.shape[2]:
        return responses
    least = np.partition(responses, -count, axis=2)[:, :, -count, np.newaxis]
    return np.where(responses >= least, responses, 0.0)
