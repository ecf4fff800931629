"""The model "colanet", as jobs, runs and evaluation see it (stdpnet.model)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stdpnet.baselines.colanet.learner import ColaNETLearner, examine, new_interval
from stdpnet.baselines.colanet.network import ColaNET, initial_arrays
from stdpnet.baselines.colanet.spec import ColaNETExperiment
from stdpnet.baselines.supervised.facts import labels_used
from stdpnet.data import Split
from stdpnet.model import Facts, Responses, State
from stdpnet.random import Stream

__all__ = ["facts", "findings", "initial", "learner", "respond"]

CHUNK = 256
"""Images that are answered between two reports of progress; results do not depend on it."""

learner, findings = ColaNETLearner, examine


def facts(spec: ColaNETExperiment) -> Facts:
    """Return what a table says about the network; its columns learn from labels, its kernels do not."""
    units, kernels = spec.training.classes * spec.columns.microcolumns, spec.kernels
    convolution = {"convolution": kernels.channels * kernels.kernel**2} if kernels.channels else {}
    return Facts(
        label=spec.label,
        family="CoLaNET",
        positions=1,
        units=units,
        synapses={"feedforward": spec.inputs * units, **convolution},
        labels=labels_used(spec),
        details={"microcolumns": spec.columns.microcolumns},
    )


def initial(spec: ColaNETExperiment) -> State:
    """Return the untrained network."""
    arrays = initial_arrays(spec)
    return State(arrays=arrays, interval=new_interval(arrays))


def respond(
    spec: ColaNETExperiment,
    state: State,
    split: Split,
    stream: Stream,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Responses:
    """Return how the columns answer each image of a split (stdpnet.model.Responder); a single thread computes.

    Digital: `counts` are 1 for the winner of a column that fires and 0 for all other neurons, `scores` the largest
    input of each column. Spiking: `counts` are spikes, `scores` the number of steps in which a column fired, plus a
    fraction that decides between equal numbers (stdpnet.baselines.colanet.spiking); the stream and the index of an
    image decide the noise.
    """
    classes, seen, network = spec.training.classes, 0, ColaNET(spec, state.arrays)
    counts = np.zeros((len(split), classes * spec.columns.microcolumns), np.uint16)
    scores = np.zeros((len(split), classes))
    for first in range(0, len(split), CHUNK):
        chunk = slice(first, first + CHUNK)
        indices = np.asarray(split.indices[chunk], np.int64)
        inputs = network.answer(split.images[chunk], stream, indices, scores[chunk], counts[chunk])
        seen += int(inputs.sum(dtype=np.int64))
        progress(len(inputs))
    cost = {"input_spikes": seen / len(split), "events": seen / len(split) * counts.shape[1]} if len(split) else {}
    return Responses(counts=counts, labels=split.labels, indices=split.indices, scores=scores, cost=cost)
