"""Train a network on both engines, and report that the results are identical, or the first difference."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stdpnet.data import Split, load_dataset
from stdpnet.data.order import training_images
from stdpnet.errors import DataError
from stdpnet.random import Stream
from stdpnet.stdp.encoder import encoder_of
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import Engine, Recording
from stdpnet.stdp.learner import learning_rates_at, switches_at
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.spec.experiment import STDPExperiment

RECORDED_BYTES = 200e6
"""Memory for the recordings of both engines; decides how many images are compared at a time."""


class Verdict(NamedTuple):
    """What a comparison found."""

    identical: bool
    images: int
    """Images compared, up to and including the first that differs."""
    spikes: int
    """Spikes of the reference during these images."""
    message: str


def verify(
    spec: STDPExperiment,
    images: int,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
    training: Split | None = None,
) -> Verdict:
    """Train a network on both engines in float64 with the same images; compare spikes, v, I and the trained state.

    Weakly answered images are not shown again: retries are presentations like any other.

    Parameters
    ----------
    spec : the experiment; its simulation.engine and dtype are not used
    images : training images to show, in the order of the training
    threads : threads of the compiled engine
    progress : called with the number of further images compared
    training : images to train on; default: the training split of spec.dataset
    """
    training = training or load_dataset(spec.dataset).train
    if len(training) == 0:
        raise DataError("dataset: the training split is empty; make the calibration, validation or test split smaller")
    engines = [_engine(spec, "brian2", threads), _engine(spec, "numba", threads)]
    encoder = encoder_of(spec)
    shown = encoder.input_of(training)
    each = spec.simulation.steps * spec.geometry.neurons * 25 * len(engines)
    block = max(1, int(RECORDED_BYTES / each))
    spikes = first = 0
    while first < images:
        switches = switches_at(spec, first)
        count = min(block, images - first)
        while switches_at(spec, first + count - 1) != switches:  # the second step of a two-step training
            count -= 1
        numbers, rates = np.arange(first, first + count), learning_rates_at(spec, first, count)
        trains = encoder.encode(training_images(shown, spec, first, count), Stream.TRAIN, numbers)
        recordings = []
        for engine in engines:
            recordings.append(Recording.empty(len(numbers), spec.simulation.steps, engine.network))
            engine.present(trains, switches, recordings[-1], rates)
        if difference := _first_difference(recordings[0], recordings[1], first):
            done, message = difference
            spikes += int(recordings[0].spikes[: done - first].sum())
            return Verdict(identical=False, images=done, spikes=spikes, message=message)
        spikes += int(recordings[0].spikes.sum())
        if names := engines[0].network.changed_arrays(engines[1].network):
            message = f"different after image {numbers[-1]}: {_array_difference(engines, names[0])}"
            return Verdict(identical=False, images=int(numbers[-1]) + 1, spikes=spikes, message=message)
        progress(count)
        first += count
    message = f"identical: {spikes} spikes, weights, theta, competition"
    return Verdict(identical=True, images=images, spikes=spikes, message=message)


def _engine(spec: STDPExperiment, name: str, threads: int | None) -> Engine:
    spec = spec.updated({"simulation.engine": name, "simulation.dtype": "float64"})
    return make_engine(spec, initial_network(spec), threads)


def _first_difference(reference: Recording, other: Recording, first: int) -> tuple[int, str] | None:
    """Return the number of images up to the first difference of two recordings, and a message; None: equal."""
    places = []
    for name, expected in reference._asdict().items():
        found = getattr(other, name)
        different = np.argwhere(expected != found)
        if len(different):
            image, step, position, channel = different[0]
            place = f"image {first + image}, step {step}, neuron (position {position}, channel {channel})"
            values = f"{name} is {expected[tuple(different[0])]} in brian2, {found[tuple(different[0])]} in numba"
            places.append((int(image), int(step), f"different at {place}: {values}"))
    if not places:
        return None
    image, _, message = min(places)
    return first + image + 1, message


def _array_difference(engines: list[Engine], name: str) -> str:
    """Return where and how an array of two networks differs first."""
    expected, found = (engine.network.arrays()[name] for engine in engines)
    place = tuple(int(i) for i in np.argwhere(expected != found)[0])
    return f"{name}{list(place)} is {expected[place]} in brian2, {found[place]} in numba"
