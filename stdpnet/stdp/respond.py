"""Responses of a frozen network to a set of images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Protocol

import numpy as np

from stdpnet.data import Split
from stdpnet.encoding import Encoder
from stdpnet.errors import EngineError
from stdpnet.parallel import available_cores
from stdpnet.random import Stream
from stdpnet.runs import Responses, network_digest
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import FROZEN
from stdpnet.stdp.network import Network
from stdpnet.stdp.spec.experiment import ExperimentSpec

CHUNK = 256
"""Images that are encoded and shown together; results do not depend on it."""


class Responder(Protocol):
    """A function that answers as `respond` does, wherever it computes."""

    def __call__(
        self,
        spec: ExperimentSpec,
        network: Network,
        split: Split,
        stream: Stream,
        *,
        threads: int | None = None,
        progress: Callable[[int], None] = ...,
    ) -> Responses:
        """Return the responses of a frozen network to a split."""
        ...


def respond(
    spec: ExperimentSpec,
    network: Network,
    split: Split,
    stream: Stream,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Responses:
    """Return the spike counts of a network to each image of a split, with nothing learned.

    Where the training repeats weakly answered images, so does this, and keeps the counts of the last showing.

    Parameters
    ----------
    spec : the experiment the network belongs to
    network : its state
    split : images, labels and indices
    stream : the source of input spikes; an image's index is the number of its presentation
    threads : how many threads may compute; default all cores
    progress : called with the number of images after each chunk

    Raises
    ------
    EngineError
        If the engine changed the network.
    """
    frozen = network.copy()  # an engine takes its network over; this one may be in training
    engine = make_engine(spec, frozen, threads)
    encoder = Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)
    counts = np.zeros((len(split.images), network.geometry.neurons), np.uint16)
    for first in range(0, len(counts), CHUNK):
        numbers = np.arange(first, min(first + CHUNK, len(counts)))
        for retry in range(spec.training.max_retries + 1):
            extra_rate = retry * spec.training.retry_rate
            images = split.images[numbers]
            trains = encoder.encode(
                images,
                stream,
                split.indices[numbers],
                retry=retry,
                extra_rate=extra_rate,
                threads=threads or available_cores(),
            )
            shown = engine.present(trains, FROZEN).counts.reshape(len(numbers), -1)
            counts[numbers] = np.minimum(shown, np.iinfo(np.uint16).max)
            numbers = numbers[shown.sum(axis=1) < spec.training.min_spikes]
            if len(numbers) == 0:
                break
        progress(min(CHUNK, len(counts) - first))
    if changed := frozen.changed_arrays(network):
        raise EngineError(
            f"{spec.simulation.engine} engine: evaluation changed {', '.join(changed)}; please report this"
        )
    return Responses(counts, split.labels, split.indices)


def response_key(spec: ExperimentSpec, network: Network, dataset_sha256: str, split: str) -> str:
    """Return a digest of all that decides the responses: network, encoder, protocol, images."""
    parts = {
        "network": network_digest(network),
        "seed": spec.seed,
        "dataset": dataset_sha256,
        "split": split,
        **{name: getattr(spec, name).model_dump() for name in ("neuron", "encoder", "simulation", "training")},
    }
    for name in ("images", "pool", "two_step"):
        del parts["training"][name]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def activity(responses: Responses) -> dict[str, float]:
    """Return spikes per image and the share of images without any spike."""
    spikes = responses.counts.sum(axis=1, dtype=np.int64)
    return {"spikes_per_image": float(spikes.mean()), "silent_images": float(np.mean(spikes == 0))}


def first_images(split: Split, count: int) -> Split:
    """Return the first images of a split."""
    return Split(split.images[:count], split.labels[:count], split.indices[:count])
