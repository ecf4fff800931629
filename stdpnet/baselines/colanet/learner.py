"""Train a CoLaNET: first the kernels, if there are any, then the columns; rows of progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.baselines.colanet.network import ColaNET
from stdpnet.baselines.colanet.spec import ColaNETExperiment
from stdpnet.baselines.supervised.learner import START, LabelLearner
from stdpnet.data import Split
from stdpnet.model import Finding, State

SILENT = 0.5
"""Share of images that made no column fire above which they are reported."""
SUMS = ("images", "seen", "correct", "changes", "fired", "kernel_updates")
"""Sums over an interval; `seen` are the images that the columns learned from."""


class ColaNETLearner(LabelLearner):
    """Trains the kernels, then the columns; one thread learns."""

    def __init__(self, spec: ColaNETExperiment, split: Split, state: State, *, threads: int | None = None) -> None:
        super().__init__(spec, split, state, threads=threads)
        self._network = ColaNET(spec, self._arrays)

    def _teach(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        kernels, interval = self.spec.kernels, self._interval
        first = min(max(kernels.images - self._shown, 0), len(images)) if kernels.channels else 0
        if first:
            interval["kernel_updates"] += self._network.learn_kernels(images[:first])
        if first < len(images):
            correct, changes, fired = self._network.learn(images[first:], labels[first:], self._shown + first)
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

    def _empty_interval(self) -> dict[str, Any]:
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
