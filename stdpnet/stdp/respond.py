"""Show images to a frozen network and count its spikes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.data import Split
from stdpnet.encoding import add_spikes_per_pixel
from stdpnet.errors import EngineError
from stdpnet.geometry import Geometry
from stdpnet.model import MOST_COUNT, Responses, State
from stdpnet.parallel import available_cores
from stdpnet.random import Stream
from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.encoder import encoder_of
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import FROZEN, Engine, Outcome, Recording, Switches
from stdpnet.stdp.network import network_of
from stdpnet.stdp.spec.experiment import STDPExperiment

CHUNK = 256
"""Images that are encoded and shown together; results do not depend on it."""


class Shown(NamedTuple):
    """Images that were shown together, and the answers of the network."""

    numbers: NDArray[np.intp]
    """(n,) indices of the images in their split."""
    trains: SpikeTrains
    """Their input spikes."""
    outcome: Outcome
    """Spike counts."""
    first_spikes: NDArray[np.int32] | None
    """(n, P, C) step of each neuron's first spike, counted from 1, 0 without any; None unless a read-out needs it."""


def respond(
    spec: STDPExperiment,
    state: State,
    split: Split,
    stream: Stream,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Responses:
    """Return the spike counts of a network to each image of a split, with nothing learned.

    Where the training shows weakly answered images again (training.min_spikes), so does this; the counts are those of
    the last presentation.

    Parameters
    ----------
    spec : the experiment of the network
    state : its trained state; it is not changed
    split : images, labels and indices
    stream : the source of input spikes; an image's index is the number of its presentation
    threads : how many threads may compute; default all cores
    progress : called with the number of images after each chunk

    Raises
    ------
    EngineError
        If the engine changed the network.
    """
    network = network_of(spec, state)
    frozen = network.copy()  # an engine owns its network, and this one may be in training
    engine = make_engine(spec, frozen, threads)
    counts = np.zeros((len(split), network.geometry.neurons), np.uint16)
    first_spikes = np.zeros_like(counts) if spec.evaluation.first_spikes else None
    per_pixel = np.zeros(network.geometry.pixels, np.int64)  # input spikes of the first presentation of each image
    for first in range(0, len(counts), CHUNK):
        numbers = np.arange(first, min(first + CHUNK, len(counts)))
        for retry, shown in enumerate(show(spec, engine, split, numbers, stream, threads=threads)):
            answered = shown.outcome.counts.reshape(len(shown.numbers), -1)
            counts[shown.numbers] = np.minimum(answered, MOST_COUNT)
            if first_spikes is not None and shown.first_spikes is not None:
                first_spikes[shown.numbers] = np.minimum(shown.first_spikes, MOST_COUNT).reshape(answered.shape)
            if retry == 0:
                add_spikes_per_pixel(shown.trains, per_pixel)
        progress(len(numbers))
    if changed := frozen.changed_arrays(network):
        raise EngineError(
            f"{spec.simulation.engine} engine: evaluation changed {', '.join(changed)}; please report this"
        )
    cost = _cost(network.geometry, per_pixel, counts) if len(counts) else {}
    return Responses(counts=counts, labels=split.labels, indices=split.indices, first_spikes=first_spikes, cost=cost)


def show(
    spec: STDPExperiment,
    engine: Engine,
    split: Split,
    numbers: NDArray[np.intp],
    stream: Stream,
    *,
    recording: Recording | None = None,
    switches: Switches = FROZEN,
    threads: int | None = None,
) -> Iterator[Shown]:
    """Show images of a split to a frozen network: first all, then again those that are answered too weakly.

    Parameters
    ----------
    spec : the experiment; training.min_spikes, max_retries and retry_rate decide what is shown again
    engine : simulates the network
    split : the images
    numbers : (n,) indices of those to show
    stream : the source of input spikes
    recording : where to write each step; default: nowhere; in the end it holds the last presentations
    switches : what the images may change; default nothing
    threads : how many threads encode; default all cores
    """
    encoder = encoder_of(spec)
    for retry in range(spec.training.max_retries + 1):
        trains = encoder.encode(
            encoder.input_of(split)[numbers],
            stream,
            split.indices[numbers],
            retry=retry,
            extra_rate=retry * spec.training.retry_rate,
            threads=threads or available_cores(),
        )
        if recording is not None:
            recording.spikes[...] = False  # engines only mark the neurons that fire
        first_spikes = None
        if spec.evaluation.first_spikes:
            first_spikes = np.zeros((len(numbers), *engine.network.theta.shape), np.int32)
        outcome = engine.present(trains, switches, recording, first_spikes=first_spikes)
        yield Shown(numbers=numbers, trains=trains, outcome=outcome, first_spikes=first_spikes)
        numbers = numbers[outcome.counts.sum(axis=(1, 2)) < spec.training.min_spikes]
        if len(numbers) == 0:
            return


def coverage(geometry: Geometry) -> NDArray[np.int64]:
    """Return how many positions see each pixel, (n*n,); a spike of the pixel causes C times as many events."""
    seen = np.zeros((geometry.side, geometry.side), np.int64)
    for position in range(geometry.positions):
        row, column = geometry.origin(position)
        seen[row : row + geometry.kernel, column : column + geometry.kernel] += 1
    return seen.ravel()


def _cost(geometry: Geometry, per_pixel: NDArray[Any], counts: NDArray[np.uint16]) -> dict[str, float]:
    """Return the mean cost of showing an image once: a proxy for the energy that neuromorphic hardware needs.

    Parameters
    ----------
    geometry : of the network
    per_pixel : (n*n,) input spikes of all images
    counts : (N, P*C) spikes of the neurons
    """
    images = len(counts)
    forward = float(per_pixel @ coverage(geometry)) * geometry.channels / images
    between = float(counts.sum(dtype=np.int64)) * (geometry.channels - 1) / images
    return {"input_spikes": float(per_pixel.sum()) / images, "events": forward + between}
