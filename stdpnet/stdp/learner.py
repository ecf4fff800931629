"""Which image comes next, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stdpnet.encoding import Encoder
from stdpnet.errors import DataError
from stdpnet.parallel import available_cores
from stdpnet.random import Purpose, Stream, generator
from stdpnet.runs import TrainingState
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import Engine, Outcome, Switches
from stdpnet.stdp.network import Network
from stdpnet.stdp.spec.experiment import ExperimentSpec

EngineMaker = Callable[[ExperimentSpec, Network, int | None], Engine]
"""Makes an engine of a spec, a network and a number of threads."""
CHUNKS = {"numba": 256, "brian2": 64}
"""Images that an engine encodes and shows together: the more, the less it costs to begin; a signal waits for them."""
MOST_ANSWERS = 2**19
"""Images times neurons of a chunk at most: what a large network takes long for needs no long preparation."""


def chunk_size(spec: ExperimentSpec) -> int:
    """Return how many images are shown together; results do not depend on it."""
    return min(CHUNKS[spec.simulation.engine], max(1, MOST_ANSWERS // spec.geometry.neurons))


@lru_cache(maxsize=3)
def _epoch_order(seed: int, size: int, epoch: int) -> NDArray[np.int64]:
    return generator(seed, Purpose.IMAGE_ORDER, epoch).permutation(size)


def image_order(seed: int, size: int, first: int, count: int, pool: int = 0) -> NDArray[np.int64]:
    """Return which of `size` images are shown as number first .. first+count-1; each epoch has an order of its own.

    Parameters
    ----------
    seed : of the experiment
    size : images there are
    first, count : numbers of the images
    pool : different images to show; 0: all
    """
    if 0 < pool < size:
        return _epoch_order(seed, size, 0)[:pool][image_order(seed, pool, first, count)]
    epochs = range(first // size, (first + count - 1) // size + 1) if count else range(0)
    orders = [_epoch_order(seed, size, epoch) for epoch in epochs]
    begin = first - first // size * size
    order: NDArray[np.int64] = np.concatenate([np.empty(0, np.int64), *orders])
    return order[begin : begin + count]


class Trainer:
    """Shows training images to a network; its state is complete between two calls.

    Parameters
    ----------
    spec : the experiment
    images : (N, n, n) uint8 training images
    state : where to go on; updated in place
    threads : how many threads may compute; default all cores; results do not depend on it
    make : what makes the engine; results do not depend on it
    """

    def __init__(
        self,
        spec: ExperimentSpec,
        images: NDArray[np.uint8],
        state: TrainingState,
        threads: int | None = None,
        make: EngineMaker = make_engine,
    ) -> None:
        if len(images) == 0:
            raise DataError(
                "dataset: the training split is empty; make the calibration, validation or test split smaller"
            )
        self.spec, self.state, self.threads, self._images = spec, state, threads, images
        self._engine: Engine = make(spec, state.network, threads)
        self._encoder = Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)

    def advance(self, most: int) -> int:
        """Show up to `most` more images, all under the same switches and not beyond the goal; return how many."""
        training, state = self.spec.training, self.state
        ends = [end for end in (training.two_step, training.images) if end > state.images]
        chunk = min(most, min(ends, default=state.images) - state.images)
        order = image_order(self.spec.seed, len(self._images), state.images, chunk, training.pool)
        for group in self._groups(order):
            self._show(group)
        return chunk

    def _groups(self, order: NDArray[np.int64]) -> Iterable[NDArray[np.int64]]:
        """Return the images to show together: all, or one by one where weak answers lead to retries."""
        if len(order) == 0:
            return []
        return np.split(order, len(order)) if self.spec.training.min_spikes else [order]

    def _show(self, order: NDArray[np.int64]) -> None:
        """Show images, and a single image again while it is answered weakly."""
        training, state = self.spec.training, self.state
        switches, rates = switches_at(self.spec, state.images), rates_at(self.spec, state.images, len(order))
        for retry in range(training.max_retries + 1):
            numbers = np.arange(state.presentations, state.presentations + len(order))
            extra_rate = retry * training.retry_rate
            images, threads = self._images[order], self.threads or available_cores()
            trains = self._encoder.encode(images, Stream.TRAIN, numbers, extra_rate=extra_rate, threads=threads)
            outcome = self._engine.present(trains, switches, learning_rates=rates)
            state.presentations += len(order)
            spikes = self._record(outcome)
            if spikes.min() >= training.min_spikes:
                break
        state.images += len(order)
        state.interval.images += len(order)

    def _record(self, outcome: Outcome) -> NDArray[np.int64]:
        """Add presentations to the interval; return the spikes of each."""
        interval = self.state.interval
        spikes: NDArray[np.int64] = outcome.counts.sum(axis=(1, 2), dtype=np.int64)
        interval.counts += outcome.counts.sum(axis=0, dtype=np.int64)
        interval.presentations += len(spikes)
        interval.silent += int(np.count_nonzero(spikes == 0))
        interval.unnormalised += outcome.unnormalised
        return spikes


def switches_at(spec: ExperimentSpec, image: int) -> Switches:
    """Return what training image number `image` may change."""
    two_step = spec.training.two_step
    second_step = bool(two_step) and image >= two_step
    return Switches(
        learn_xy=not second_step,
        learn_yy=spec.competition.is_learned and (second_step or not two_step),
        adapt_theta=True,
    )


def rates_at(spec: ExperimentSpec, image: int, count: int) -> NDArray[np.float64]:
    """Return the factors of the learning rate for `count` training images from number `image` on."""
    half_life = spec.plasticity.half_life
    return np.ones(count) if half_life == 0 else np.exp2(-np.arange(image, image + count) / half_life)
