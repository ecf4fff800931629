"""The training loop: which image comes next, how it is shown, who is told, and what is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.data import load_dataset
from stdpnet.encoding import Encoder, Stream
from stdpnet.engines.base import Engine, Switches, make_engine
from stdpnet.errors import DataError
from stdpnet.network import Purpose, generator, initial_network
from stdpnet.runs import Run, TrainingState
from stdpnet.spec.experiment import ExperimentSpec

CHUNK = 64
"""Images that are encoded and shown together; results do not depend on it."""


class Progress(NamedTuple):
    """What a chunk of training images brought."""

    images: int
    """Images shown so far."""
    goal: int
    """Images to show in all."""
    chunk: int
    """Images of this chunk."""
    retries: int
    """How many of this chunk's images were shown again, counted once for each time."""
    spikes: int
    """Spikes of all neurons during this chunk's presentations."""
    silent: int
    """Presentations without any spike."""
    unnormalised: int
    """How often a neuron's weights could not be normalised because their sum was not above 0."""
    seconds: float
    """Time this chunk took."""


Observer = Callable[[Progress], None]


def image_order(seed: int, size: int, first: int, count: int) -> NDArray[np.int64]:
    """Return which of `size` images are shown as number first .. first+count-1; each epoch has an order of its own."""
    epochs = range(first // size, (first + count - 1) // size + 1) if count else range(0)
    orders = [generator(seed, Purpose.IMAGE_ORDER, epoch).permutation(size) for epoch in epochs]
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
    """

    def __init__(
        self, spec: ExperimentSpec, images: NDArray[np.uint8], state: TrainingState, threads: int | None = None
    ) -> None:
        if len(images) == 0:
            raise DataError(
                "dataset: the training split is empty; make the calibration, validation or test split smaller"
            )
        self.spec, self.state, self._images = spec, state, images
        self._engine: Engine = make_engine(spec, state.network, threads)
        self._encoder = Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)

    def advance(self, most: int) -> Progress:
        """Show up to `most` more images, all under the same switches; stop at the goal of the training."""
        begin, training, state = time.perf_counter(), self.spec.training, self.state
        ends = [end for end in (training.two_step, training.images) if end > state.images]
        chunk = min(most, min(ends, default=state.images) - state.images)
        first, order = state.images, image_order(self.spec.seed, len(self._images), state.images, chunk)
        shown = [self._show(group) for group in self._groups(order)]
        counts = np.concatenate([np.zeros(0, np.int64), *(spikes for spikes, _ in shown)])
        state.images = first + chunk
        return Progress(
            state.images,
            training.images,
            chunk,
            len(counts) - chunk,
            int(counts.sum()),
            int(np.count_nonzero(counts == 0)),
            sum(unnormalised for _, unnormalised in shown),
            time.perf_counter() - begin,
        )

    def _groups(self, order: NDArray[np.int64]) -> Iterable[NDArray[np.int64]]:
        """Return the images to show together: all, or one by one where weak answers lead to retries."""
        if self.spec.training.min_spikes:
            return np.split(order, len(order)) if len(order) else []
        return [order] if len(order) else []

    def _show(self, order: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
        """Show images, and one image again while it is answered weakly; return spikes of each presentation."""
        training, state = self.spec.training, self.state
        second_step = bool(training.two_step) and state.images >= training.two_step
        switches = Switches(
            learn_xy=not second_step,
            learn_yy=self.spec.competition.learned and (second_step or not training.two_step),
            adapt_theta=True,
        )
        spikes: list[NDArray[np.int64]] = []
        unnormalised = 0
        for retry in range(training.max_retries + 1):
            numbers = np.arange(state.presentations, state.presentations + len(order))
            trains = self._encoder.encode(
                self._images[order], Stream.TRAIN, numbers, extra_rate=retry * training.retry_rate
            )
            outcome = self._engine.present(trains, switches)
            state.presentations += len(order)
            spikes.append(outcome.counts.sum(axis=(1, 2), dtype=np.int64))
            unnormalised += outcome.unnormalised
            if spikes[-1].min() >= training.min_spikes:
                break
        return np.concatenate(spikes), unnormalised


def train(
    spec: ExperimentSpec,
    run: str | Path | None = None,
    *,
    name: str = "run",
    threads: int | None = None,
    observers: Iterable[Observer] = (),
    chunk: int = CHUNK,
) -> Run:
    """Train a network from its initial state and return the finished run.

    Parameters
    ----------
    spec : the experiment
    run : name below runs/ or path of the new run directory; default `<name>-<seed>`, with a number added if taken
    name : what the experiment is called, such as its configuration file's stem
    threads : how many threads may compute; default all cores; results do not depend on it
    observers : called after each chunk
    chunk : images per chunk; results do not depend on it

    Raises
    ------
    ConfigError, DataError, EngineError, RunError
        If the spec, the dataset, the engine or the run directory is not usable; nothing is written then.
    """
    dataset = load_dataset(spec.dataset)
    trainer = Trainer(spec, dataset.train.images, TrainingState(initial_network(spec)), threads)
    record = Run.create(spec, run, f"{name}-{spec.seed}", dataset_sha256=dataset.sha256)
    while trainer.state.images < spec.training.images:
        progress = trainer.advance(chunk)
        record.append_progress(progress._asdict())
        for observer in observers:
            observer(progress)
    record.save_state(trainer.state)
    return record
