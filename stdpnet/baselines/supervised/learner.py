"""Train a network from labels in mini-batches: the order of the images, the updates, the rows of progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stdpnet.baselines.supervised.optimiser import moments, update
from stdpnet.data import Split
from stdpnet.data.order import training_images
from stdpnet.errors import ConfigError, DataError
from stdpnet.model import Finding, State
from stdpnet.parallel import limited_algebra
from stdpnet.random import image_order

CHUNK = 256
"""Images between two checks for signals; results do not depend on it."""
WAITING = ("waiting_images", "waiting_labels")
"""Arrays of the images of a batch that is not full yet, (batch, n, n) and (batch,): the first images % batch count."""
START = "start_"
"""Prefix of the names of the weights at the beginning of an interval."""


class Batch(NamedTuple):
    """Gradients and statistics of a mini-batch."""

    gradients: Mapping[str, NDArray[Any]]
    """Name of an array -> gradient of the loss."""
    loss: float
    """Mean over the images."""
    correct: int
    """Images answered with their class, before the update."""
    sums: Mapping[str, Any] = {}
    """Further statistics of the model, added up over an interval: those of `Network.sums`."""


class Network(Protocol):
    """What a model that learns from labels offers to the learner."""

    @property
    def sums(self) -> Mapping[str, Any]:
        """The statistics that batches add up, by name, each as zeros of its shape."""
        ...

    def batch(
        self, arrays: Mapping[str, NDArray[Any]], images: NDArray[np.uint8], labels: NDArray[np.int64], first: int
    ) -> Batch:
        """Return gradients and statistics of a batch; nothing is changed.

        Parameters
        ----------
        arrays : of the state
        images, labels : (B, n, n) and (B,)
        first : number of the first image in the training, from 0 on; each training image is one presentation
        """
        ...

    def row(self, interval: Mapping[str, Any]) -> dict[str, Any]:
        """Return further entries of a row of progress."""
        ...

    def findings(self, row: Mapping[str, Any]) -> list[Finding]:
        """Return what is unhealthy in a row, beside what `examine` finds."""
        ...


def initial_state(spec: Any, network: Network, weights: Mapping[str, NDArray[Any]]) -> State:
    """Return the state of a network before its first image.

    Parameters
    ----------
    spec : the experiment, with training (SupervisedTrainingSpec) and optimiser
    network : the model
    weights : name -> array that learns
    """
    batch, side = spec.training.batch, spec.dataset.crop
    waiting = (np.zeros((batch, side, side), np.uint8), np.zeros(batch, np.int64))
    arrays = {**weights, **moments(spec.optimiser, weights), **dict(zip(WAITING, waiting, strict=True))}
    return State(arrays=arrays, interval=_new_interval(network, weights))


def _new_interval(network: Network, weights: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    sums = {name: np.copy(value) if isinstance(value, np.ndarray) else value for name, value in network.sums.items()}
    counters = {"images": 0, "updates": 0, "loss": 0.0, "correct": 0, "gradient_norm": 0.0}
    return counters | sums | {f"{START}{name}": array.copy() for name, array in weights.items()}


class LabelLearner:
    """Shows labelled training images to a model; its state is complete between two calls.

    A subclass defines how images are learned (`_teach`) and how an interval of progress begins (`_empty_interval`).

    Parameters
    ----------
    spec : the experiment, with training.classes
    split : the training images and their labels
    state : the state from which training goes on; its arrays belong to the learner from now on
    threads : how many threads may compute

    Raises
    ------
    ConfigError, DataError
        If the labels are not those of training.classes classes, or there are none.
    """

    def __init__(self, spec: Any, split: Split, state: State, *, threads: int | None = None) -> None:
        check_labels(split.labels, spec.training.classes)
        self.spec, self.threads, self._split = spec, threads, split
        self._arrays, self._shown = state.arrays, state.images
        self._interval = state.interval or self._empty_interval()

    @property
    def state(self) -> State:
        """The present state of the training; its arrays are those that learn, not copies."""
        return State(arrays=self._arrays, images=self._shown, presentations=self._shown, interval=self._interval)

    def advance(self, most: int) -> int:
        """Show up to `most` more images, at most one chunk, not beyond the goal."""
        training, split = self.spec.training, self._split
        count = int(min(most, CHUNK, max(training.images - self._shown, 0)))
        places = image_order(self.spec.seed, len(split), self._shown, count, training.pool)
        self._teach(training_images(split.images, self.spec, self._shown, count), split.labels[places])
        return count

    def show(self, images: NDArray[np.uint8], labels: NDArray[np.int64] | None = None) -> None:
        """Learn from images (N, n, n) with their labels (N,), in the order given.

        Raises
        ------
        ConfigError, DataError
            If there are no labels, or other classes than training.classes.
        """
        given = np.full(len(images), -1) if labels is None else np.asarray(labels, np.int64)
        check_range(given, self.spec.training.classes)
        self._teach(images, given)

    def begin_interval(self) -> None:
        """Begin a new interval of progress."""
        self._interval = self._empty_interval()

    def _teach(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """Learn from images, and count them in `_shown` and in the interval."""
        raise NotImplementedError

    def _empty_interval(self) -> dict[str, Any]:
        """Return an interval of progress in which nothing has happened yet."""
        raise NotImplementedError


class SupervisedLearner(LabelLearner):
    """Trains a network in mini-batches.

    Weights change when a batch is full, wherever the calls divide the images, so that results depend neither on how
    many images come together nor on where a job was resumed.

    Parameters
    ----------
    spec : the experiment, with training (SupervisedTrainingSpec) and optimiser
    split, state : as for LabelLearner
    network : computes the gradients
    threads : not used: one thread learns

    Raises
    ------
    ConfigError, DataError
        As for LabelLearner.
    """

    def __init__(self, spec: Any, split: Split, state: State, network: Network, *, threads: int | None = None) -> None:
        self._network = network
        started = [name.removeprefix(START) for name in state.interval if name.startswith(START)]
        self._weights = started or [name for name in state.arrays if name not in WAITING and "gradient_" not in name]
        super().__init__(spec, split, state, threads=threads)

    def _teach(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        waiting_images, waiting_labels = (self._arrays[name] for name in WAITING)
        batch, done = self.spec.training.batch, 0
        while done < len(images):
            place = self._shown % batch
            count = min(batch - place, len(images) - done)
            waiting_images[place : place + count] = images[done : done + count]
            waiting_labels[place : place + count] = labels[done : done + count]
            done, self._shown = done + count, self._shown + count
            self._interval["images"] += count
            if place + count == batch:
                self._learn(waiting_images, waiting_labels)

    def _learn(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """Update the weights by a full batch."""
        interval = self._interval
        with limited_algebra(1):
            found = self._network.batch(self._arrays, images, labels, self._shown - len(images))
            norm = np.sqrt(sum(float(np.vdot(each, each)) for each in found.gradients.values()))
            update(self.spec.optimiser, self._arrays, found.gradients, self._shown // len(images))
        interval["updates"] += 1
        interval["loss"] += float(found.loss)
        interval["correct"] += int(found.correct)
        interval["gradient_norm"] += float(norm)
        for name, value in found.sums.items():
            interval[name] += value

    def note(self) -> str:
        """Return the mean loss since the last row, as text."""
        interval = self._interval
        return f"loss {interval['loss'] / interval['updates']:.3f}" if interval["updates"] else ""

    def row(self) -> dict[str, Any]:
        """Return the statistics of the interval that ends now, JSON-serialisable; shares are fractions.

        `loss`, `training_accuracy` and `gradient_norm` (L2, before clipping) are means over the updates, each taken
        before its update; None where there was none. `weight_change` is the mean absolute change of the weights.
        """
        interval, updates = self._interval, self._interval["updates"]
        change = [np.abs(self._arrays[name] - interval[f"{START}{name}"]) for name in self._weights]
        size = sum(array.size for array in change)
        row = {
            "images": self._shown,
            "goal": self.spec.training.images,
            "interval_images": interval["images"],
            "updates": updates,
            "loss": interval["loss"] / updates if updates else None,
            "training_accuracy": interval["correct"] / (updates * self.spec.training.batch) if updates else None,
            "gradient_norm": interval["gradient_norm"] / updates if updates else None,
            "weight_change": float(sum(float(array.sum()) for array in change) / size),
            "finite": self.state.is_finite,
        }
        return row | self._network.row(interval)

    def findings(self, row: Mapping[str, Any]) -> list[Finding]:
        """Return what is unhealthy in a row."""
        return examine(self.spec, row, self._network)

    def _empty_interval(self) -> dict[str, Any]:
        return _new_interval(self._network, {name: self._arrays[name] for name in self._weights})


def examine(spec: Any, row: Mapping[str, Any], network: Network) -> list[Finding]:
    """Return what is unhealthy in a row: no finite numbers, nothing learned, and what the network finds."""
    if not row["finite"]:
        message = "the weights are not finite numbers; lower optimiser.learning_rate, or set optimiser.clip"
        return [Finding("not finite", message, fatal=True)]
    if spec.health.action == "ignore":
        return []
    found = []
    if row["updates"] and not row["weight_change"]:
        message = f"{row['interval_images']} images changed no weight; raise optimiser.learning_rate"
        found.append(Finding("nothing learned", message))
    return found + network.findings(row)


def check_labels(labels: NDArray[np.int64], classes: int) -> None:
    """Raise ConfigError or DataError unless the training labels are known and are of exactly `classes` classes."""
    check_range(labels, classes)
    if len(labels) and (found := int(labels.max()) + 1) != classes:
        raise ConfigError(
            f"training.classes: {classes}, but the training images have {found} classes; set training.classes = {found}"
        )


def check_range(labels: NDArray[np.int64], classes: int) -> None:
    """Raise ConfigError or DataError if labels are missing, or one is not among `classes` classes."""
    if len(labels) and labels.min() < 0:
        raise DataError("labels: this model learns from them; give the class of each image, from 0 on")
    if len(labels) and labels.max() >= classes:
        raise ConfigError(
            f"training.classes: {classes}, but there is an image of class {int(labels.max())}; "
            f"set training.classes = {int(labels.max()) + 1}"
        )
