"""Time actions on a trained network and a block of images; every action begins from the same state."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stdpnet.data import load_dataset
from stdpnet.data.order import training_images
from stdpnet.parallel import available_cores
from stdpnet.random import Stream, image_order
from stdpnet.spec.training import MOST_IMAGES
from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.encoder import encoder_of
from stdpnet.stdp.engines.compiled.blocks import one_register
from stdpnet.stdp.engines.compiled.engine import NumbaEngine
from stdpnet.stdp.engines.compiled.state import padded, padded_length, spaced
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import FROZEN, Outcome, Switches
from stdpnet.stdp.learner import CHUNKS, STDPLearner
from stdpnet.stdp.network import Network, initial_network
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.benchmark.add_loop import add_loop
from stdpnet_analysis.benchmark.machine import peak_memory_mb
from stdpnet_analysis.progress import SILENT, Progress

BLOCK = CHUNKS["numba"]
"""Images that are timed together: as many as a training job shows in one call of the engine."""


class Timing(NamedTuple):
    """How long a network is measured."""

    threads: int | None = None
    """Threads of training and inference; default all cores."""
    rounds: int = 20
    """How often a block of images is timed; the best time counts."""
    warm_up: int = 512
    """Images to train on first, so that the activity is that of a trained network."""


USUAL = Timing()


class Workload:
    """A network after some training, and a block of images.

    Parameters
    ----------
    spec : the experiment; simulation.engine and the length of the training are not used, nor are images shown twice
    threads : threads of the engines in `train` and `infer`; default all cores; the other actions have one
    warm_up : images to train on first, so that the activity is that of a trained network
    progress : advances by the images trained on
    """

    def __init__(
        self,
        spec: STDPExperiment,
        threads: int | None = None,
        warm_up: int = 512,
        progress: Progress = SILENT,
    ) -> None:
        training = {"images": MOST_IMAGES, "two_step": 0, "min_spikes": 0}
        self.spec = spec.updated({"training": training, "simulation.engine": "numba"})
        self.threads = threads or available_cores()
        self.switches = Switches(learn_xy=True, learn_yy=spec.competition.is_learned, adapt_theta=True)
        self._split = load_dataset(spec.dataset).train
        self._encoder = encoder_of(spec)
        state = initial_network(self.spec).state()
        self._learner = STDPLearner(self.spec, self._split, state, threads=self.threads, chunk=BLOCK)
        while self._learner.state.images < warm_up:
            progress.advance(self._learner.advance(warm_up - self._learner.state.images))
        self._learner.advance(BLOCK)  # compiles and allocates what the first use needs
        self.peak_memory_mb = peak_memory_mb()
        self._state = self._learner.state.copy()
        self._shown = self._state.images
        self.network = self._learner.network.copy()
        self._single = NumbaEngine(self.spec, self.network.copy(), 1)
        self._frozen = make_engine(self.spec, self.network.copy(), self.threads)
        self.trains = self.encode()
        self.stages: list[dict[str, float]] = []
        """Seconds of each stage in each call of `time_stages`."""

    def encode(self, count: int = BLOCK, threads: int = 1) -> SpikeTrains:
        """Return the input spikes of the block, or of another number of images beginning there."""
        images = training_images(self._encoder.input_of(self._split), self.spec, self._shown, count)
        numbers = np.arange(self._shown, self._shown + count)
        return self._encoder.encode(images, Stream.TRAIN, numbers, threads=threads)

    def labels(self, count: int = BLOCK) -> np.ndarray[Any, np.dtype[Any]]:
        """Return (count,) the classes of the block's images."""
        labels = self._split.labels
        return labels[image_order(self.spec.seed, len(labels), self._shown, count, self.spec.training.pool)]

    def restore(self) -> None:
        """Set every network to the state after the warm-up."""
        self._learner.restore(self._state)
        for name, array in self._single.network.arrays().items():
            array[...] = self.network.arrays()[name]

    def train(self) -> None:
        """Train on the block as a training job does, encoding included, on all threads."""
        self._learner.advance(BLOCK)

    def infer(self) -> Outcome:
        """Encode the block and show it to the frozen network, on all threads."""
        return self._frozen.present(self.encode(threads=self.threads), FROZEN)

    def learn(self) -> Outcome:
        """Show the encoded block to the learning network, on one thread."""
        return self.present(self.trains)

    def present(self, trains: SpikeTrains) -> Outcome:
        """Show input spikes to the learning network, on one thread."""
        return self._single.present(trains, self.switches)

    def simulate(self) -> Outcome:
        """Show the encoded block to the frozen network, on one thread."""
        return self._single.present(self.trains, FROZEN)

    def time_stages(self) -> None:
        """Do what `learn` does, and time its stages inside compiled code."""
        self.stages.append(self._single.timed(self.trains, self.switches)[1])

    def adder(self) -> Callable[[], None]:
        """Return an action that only adds the weights of the block's input spikes, in the engine's memory layout."""
        network, geometry = self.network, self.network.geometry
        length = padded_length(geometry.channels, one_register(network.dtype.itemsize))
        weights, windows = padded(network.weights, spaced(length, network.dtype)), geometry.receptive_field_rows()
        current = np.zeros(geometry.channels, network.dtype)
        return lambda: add_loop(self.trains.pixels, self.trains.offsets, windows, weights, current)

    def input_events(self) -> float:
        """Return how many weights the network adds per image because of input spikes."""
        inside = int((self.network.geometry.receptive_field_rows()[:, self.trains.pixels] >= 0).sum())
        return inside * self.network.geometry.channels / BLOCK


def seconds_of(action: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Return what an action returns, and how long it took."""
    begin = time.perf_counter()
    result = action(*arguments)
    return result, time.perf_counter() - begin


def best_seconds(
    workload: Workload,
    actions: dict[str, Callable[[], Any]],
    rounds: int,
    progress: Progress = SILENT,
) -> dict[str, list[float]]:
    """Return the ascending times of each action, in seconds per image.

    The actions take turns, each from the state after the warm-up, so that a slow moment of the machine affects all of
    them. Every round does the same work, so the fastest one is the least disturbed.
    """
    times: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(rounds + 1):
        workload.restore()
        for name, action in actions.items():
            seconds = seconds_of(action)[1] / BLOCK
            if turn > 0:  # the first round compiles
                times[name].append(seconds)
        progress.advance(BLOCK)
    return {name: sorted(values) for name, values in times.items()}


def double_precision(network: Network) -> Network:
    """Return a copy of a network in float64."""
    return Network(network.geometry, *(array.astype(np.float64) for array in network.arrays().values()))
