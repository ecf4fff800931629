"""Train a CoLaNET: first the kernels, if there are any, then the columns; which image comes next, a row of progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.baselines.colanet.network import ColaNET
from stdpnet.baselines.colanet.spec import ColaNETExperiment
from stdpnet.baselines.supervised.learner import check_labels, check_range
from stdpnet.data import Split
from stdpnet.model import Finding, State
from stdpnet.random import image_order

CHUNK = 256
"""Images between two looks at signals; results do not depend on it."""
SILENT = 0.5
"""Share of images that made no column fire above which they are reported."""
START = "start_"
"""How the names of the resources at the beginning of an interval begin."""
SUMS = ("images", "seen", "correct", "changes", "fired", "kernel_updates")


class ColaNETLearner:
    """Shows training images to a CoLaNET; its state is complete between two calls.

    Parameters
    ----------
    spec : the experiment
    split : the training images and their labels
    state : where to go on; its arrays belong to the learner from now on
    threads : not used: one thread learns

    Raises
    ------
    ConfigError, DataError
        If the labels are not those of training.classes classes, or there are none.
    """

    def __init__(self, spec: ColaNETExperiment, split: Split, state: State, *, threads: int | None = None) -> None:
        check_labels(split.labels, spec.training.classes)
        self.spec, self.threads, self._split = spec, threads, split
        self._arrays, self._shown = state.arrays, state.images
        self._interval = state.interval or self._begun()
        self._network = ColaNET(spec, self._arrays)

    @property
    def state(self) -> State:
        """The present state of the training; its arrays are those that learn, not copies."""
        return State(arrays=self._arrays, images=self._shown, presentations=self._shown, interval=self._interval)

    def advance(self, most: int) -> int:
        """Show up to `most` more images, at most one chunk, not beyond the goal."""
        training, split = self.spec.training, self._split
        count = int(min(most, CHUNK, max(training.images - self._shown, 0)))
        places = image_order(self.spec.seed, len(split), self._shown, count, training.pool)
        self._show(split.images[places], split.labels[places])
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
        self._show(images, given)

    def _show(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        kernels, interval = self.spec.kernels, self._interval
        first = min(max(kernels.images - self._shown, 0), len(images)) if kernels.channels else 0
        if first:
            interval["kernel_updates"] += self._network.learn_kernels(images[:first])
        if first < len(images):
            correct, changes, fired = self._network.learn(images[first:], labels[first:])
            for name, value in (("seen", len(images) - first), ("correct", correct), ("changes", changes)):
                interval[name] += value
            interval["fired"] += fired
        interval["images"] += len(images)
        self._shown += len(images)

    def note(self) -> str:
        """Return the share of right answers since the last row, as text."""
        seen = self._interval["seen"]
        return f"accuracy {self._interval['correct'] / seen:.3f}" if seen else ""

    def row(self) -> dict[str, Any]:
        """Return the statistics of the interval that ends now, JSON-serialisable; shares are fractions.

        `training_accuracy` (answers before the image was learned from), `changes` (neurons that learned) and `fired`
        (columns whose winner fired) are means over the images that the columns saw, None where there were none;
        `kernel_updates` is a sum. `weight_change` is the mean absolute change of the resources.
        """
        interval, seen = self._interval, self._interval["seen"]
        change = [np.abs(array - interval[f"{START}{name}"]) for name, array in self._arrays.items()]
        shares = {
            name: interval[key] / seen if seen else None
            for name, key in (("training_accuracy", "correct"), ("changes", "changes"), ("fired", "fired"))
        }
        return {
            "images": self._shown,
            "goal": self.spec.training.images,
            "interval_images": interval["images"],
            **shares,
            "kernel_updates": interval["kernel_updates"],
            "weight_change": float(sum(each.sum() for each in change) / sum(each.size for each in change)),
            "finite": self.state.is_finite,
        }

    def findings(self, row: Mapping[str, Any]) -> list[Finding]:
        """Return what is unhealthy in a row."""
        return examine(self.spec, row)

    def begin_interval(self) -> None:
        """Begin a new interval of progress."""
        self._interval = self._begun()

    def _begun(self) -> dict[str, Any]:
        return new_interval(self._arrays)


def new_interval(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return an interval of training in which nothing has happened yet."""
    return {**dict.fromkeys(SUMS, 0), **{f"{START}{name}": array.copy() for name, array in arrays.items()}}


def examine(spec: ColaNETExperiment, row: Mapping[str, Any]) -> list[Finding]:
    """Return what is unhealthy in a row: no finite numbers, nothing learned, columns that do not fire."""
    if not row["finite"]:
        return [Finding("not finite", "the resources are not finite numbers; please report this", fatal=True)]
    if spec.health.action == "ignore" or not row["interval_images"]:
        return []
    if not row["weight_change"]:
        message = f"{row['interval_images']} images changed nothing; look at them, they may all be blank"
        return [Finding("nothing learned", message)]
    if (fired := row["fired"]) is not None and fired < SILENT and row["interval_images"] >= 1000:
        message = f"only {fired:.2f} columns fired per image; lower columns.threshold, or raise columns.reward"
        return [Finding("silent columns", message)]
    return []
