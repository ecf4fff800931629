"""Train a spiking network: choose the images, show them, and decide what each image may change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.data import Split
from stdpnet.data.order import training_images
from stdpnet.events import Events
from stdpnet.model import Finding, State
from stdpnet.parallel import available_cores
from stdpnet.random import Stream
from stdpnet.stdp.encoder import encoder_of
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import Engine, Outcome, Switches
from stdpnet.stdp.health import examine
from stdpnet.stdp.network import Network, network_of
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet.stdp.statistics import Interval, summarise

EngineMaker = Callable[[STDPExperiment, Network, int | None], Engine]
"""Makes an engine of a spec, a network and a number of threads."""
CHUNKS = {"numba": 256, "brian2": 64}
"""Images per engine call. Larger chunks amortise the start-up cost; a stop signal takes effect after the chunk."""
MOST_ANSWERS = 2**19
"""Upper bound of images times neurons per chunk, so that jobs of large networks still react to signals."""


def chunk_size(spec: STDPExperiment) -> int:
    """Return how many images are shown together; results do not depend on it."""
    return min(CHUNKS[spec.simulation.engine], max(1, MOST_ANSWERS // spec.geometry.neurons))


class STDPLearner:
    """Shows training images to a network; its state is complete between two calls.

    Parameters
    ----------
    spec : the experiment
    split : the training images; their labels are not used
    state : the state to continue from; the learner owns its arrays from now on
    threads : how many threads may compute; default all cores; results do not depend on it
    make : makes the engine; results do not depend on it
    chunk : images shown together; default: the size that suits the engine; results do not depend on it
    """

    def __init__(
        self,
        spec: STDPExperiment,
        split: Split,
        state: State,
        *,
        threads: int | None = None,
        make: EngineMaker = make_engine,
        chunk: int | None = None,
    ) -> None:
        self.spec, self.threads = spec, threads
        self._encoder = encoder_of(spec)
        self._images = self._encoder.input_of(split)
        self._chunk = chunk or chunk_size(spec)
        self._shown, self._presentations = state.images, state.presentations
        self._engine: Engine = make(spec, network_of(spec, state), threads)
        self._interval = Interval(**state.interval) if state.interval else Interval.begin(self._engine.network)

    @property
    def network(self) -> Network:
        """The network that learns."""
        return self._engine.network

    @property
    def state(self) -> State:
        """The present state of the training; its arrays are those that learn, not copies."""
        return State(
            arrays=self.network.arrays(),
            images=self._shown,
            presentations=self._presentations,
            interval=vars(self._interval),
        )

    def restore(self, state: State) -> None:
        """Set the counters and the arrays to those of a state; the arrays are copied."""
        for name, array in self.network.arrays().items():
            array[...] = state.arrays[name]
        self._shown, self._presentations = state.images, state.presentations

    def advance(self, most: int) -> int:
        """Show up to `most` more images, at most one chunk, not beyond the goal."""
        count = max(min(most, self._chunk, self.spec.training.images - self._shown), 0)
        self.show(training_images(self._images, self.spec, self._shown, count))
        return count

    def show(self, images: NDArray[np.uint8] | Events, labels: NDArray[np.int64] | None = None) -> None:
        """Learn from images (N, n, n), or N recordings, in the order given.

        They are shown in chunks, or one by one if weakly answered images are shown again.
        """
        training = self.spec.training
        while len(images):
            until_switch = training.two_step - self._shown if training.two_step > self._shown else len(images)
            together = min(1 if training.min_spikes else self._chunk, until_switch)
            self._show(images[:together])
            images = images[together:]

    def _show(self, images: NDArray[np.uint8] | Events) -> None:
        """Show images that have the same switches; a single image again while it is answered weakly."""
        training, count = self.spec.training, len(images)
        if training.second_step_from == "zero" and self._shown == training.two_step:
            self.network.release_competition(self.spec.competition.w_max)
        switches = switches_at(self.spec, self._shown)
        learning_rates = learning_rates_at(self.spec, self._shown, count)
        for retry in range(training.max_retries + 1):
            numbers = np.arange(self._presentations, self._presentations + count)
            extra_rate, threads = retry * training.retry_rate, self.threads or available_cores()
            trains = self._encoder.encode(images, Stream.TRAIN, numbers, extra_rate=extra_rate, threads=threads)
            outcome = self._engine.present(trains, switches, learning_rates=learning_rates)
            self._presentations += count
            if self._record(outcome).min() >= training.min_spikes:
                break
        self._shown += count
        self._interval.images += count

    def _record(self, outcome: Outcome) -> NDArray[np.int64]:
        """Add presentations to the interval; return the spikes of each."""
        interval = self._interval
        spikes: NDArray[np.int64] = outcome.counts.sum(axis=(1, 2), dtype=np.int64)
        interval.counts += outcome.counts.sum(axis=0, dtype=np.int64)
        interval.presentations += len(spikes)
        interval.silent += int(np.count_nonzero(spikes == 0))
        interval.unnormalised += outcome.unnormalised
        return spikes

    def note(self) -> str:
        """Return the spikes per presentation since the last row, as text."""
        interval = self._interval
        return f"{interval.counts.sum() / interval.presentations:.1f} spikes/image" if interval.presentations else ""

    def row(self) -> dict[str, Any]:
        """Return the statistics of the interval that ends now (see stdpnet.stdp.statistics)."""
        return summarise(self.spec, self.network, self._interval, self._shown, self._presentations)

    def findings(self, row: Mapping[str, Any]) -> list[Finding]:
        """Return what is unhealthy in a row (see stdpnet.stdp.health)."""
        return examine(self.spec, row)

    def begin_interval(self) -> None:
        """Begin a new interval of progress."""
        self._interval = Interval.begin(self.network)


def switches_at(spec: STDPExperiment, image: int) -> Switches:
    """Return what training image number `image` may change."""
    two_step = spec.training.two_step
    second_step = bool(two_step) and image >= two_step
    return Switches(
        learn_xy=not second_step,
        learn_yy=spec.competition.is_learned and (second_step or not two_step),
        adapt_theta=True,
    )


def learning_rates_at(spec: STDPExperiment, image: int, count: int) -> NDArray[np.float64]:
    """Return the factors (count,) of the learning rate for training images from number `image` on."""
    half_life = spec.plasticity.half_life
    return np.ones(count) if half_life == 0 else np.exp2(-np.arange(image, image + count) / half_life)
