"""Train features of image patches: the order of the images, and the statistics of intervals of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.baselines.features.kinds import features_of
from stdpnet.baselines.features.patches import patches
from stdpnet.baselines.features.spec import FeaturesExperiment
from stdpnet.data import Split
from stdpnet.data.order import training_images
from stdpnet.model import Finding, State
from stdpnet.parallel import limited_algebra

CHUNK = 64
"""Images between two checks for signals; results do not depend on it."""
UNCHANGED = 1e-8
"""Mean change below which nothing has been learned."""
DEAD = 0.5
"""Share of centroids that won no patch above which they are reported."""


class FeaturesLearner:
    """Shows training images to features; its state is complete between two calls.

    Parameters
    ----------
    spec : the experiment
    split : the training images; their labels are not used
    state : the state from which training goes on; its arrays belong to the learner from now on
    threads : not used: one thread learns
    """

    def __init__(self, spec: FeaturesExperiment, split: Split, state: State, *, threads: int | None = None) -> None:
        self.spec, self.threads, self._images = spec, threads, split.images
        self._features, self._arrays, self._shown = features_of(spec), state.arrays, state.images
        self._interval = state.interval or new_interval(spec, state.arrays)

    @property
    def state(self) -> State:
        """The present state of the training; its arrays are those that learn, not copies."""
        return State(arrays=self._arrays, images=self._shown, presentations=self._shown, interval=self._interval)

    def advance(self, most: int) -> int:
        """Show up to `most` more images, at most one chunk, not beyond the goal."""
        count = min(most, CHUNK, max(self.spec.training.images - self._shown, 0))
        self.show(training_images(self._images, self.spec, self._shown, count))
        return count

    def show(self, images: NDArray[np.uint8], labels: NDArray[np.int64] | None = None) -> None:
        """Learn from images (N, n, n) in the order given, one after the other."""
        with limited_algebra(1):
            for image in patches(images, self.spec.geometry, self.spec.features):
                self._features.learn(self._arrays, image)
        self._shown += len(images)
        self._interval["images"] += len(images)

    def note(self) -> str:
        """Return nothing: features have no activity while they learn."""
        return ""

    def row(self) -> dict[str, Any]:
        """Return the statistics of the interval that ends now, JSON-serialisable; shares are fractions.

        `weight_change` is the mean absolute change of what is learned (weights, centroids, or the covariance of PCA),
        `dead_units` the share of centroids that have won no patch, for k-means.
        """
        change = np.abs(self._features.learned(self._arrays) - self._interval["learned"])
        row = {
            "images": self._shown,
            "goal": self.spec.training.images,
            "interval_images": self._interval["images"],
            "weight_change": float(change.mean()),
            "finite": self.state.is_finite,
        }
        if "wins" in self._arrays:
            row["dead_units"] = float(np.mean(self._arrays["wins"] == self._interval["wins"]))
        return row

    def findings(self, row: Mapping[str, Any]) -> list[Finding]:
        """Return what is unhealthy in a row (see `examine`)."""
        return examine(self.spec, row)

    def begin_interval(self) -> None:
        """Begin a new interval of progress."""
        self._interval = new_interval(self.spec, self._arrays)


def new_interval(spec: FeaturesExperiment, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Return an interval of training in which nothing has happened yet."""
    interval = {"images": 0, "learned": features_of(spec).learned(arrays).copy()}
    return interval | ({"wins": arrays["wins"].copy()} if "wins" in arrays else {})


def examine(spec: FeaturesExperiment, row: Mapping[str, Any]) -> list[Finding]:
    """Return what is unhealthy in a row: no finite numbers, nothing learned, dead features."""
    images = row["interval_images"]
    if not row["finite"]:
        return [Finding("not finite", "the features are not finite numbers; please report this", fatal=True)]
    if spec.health.action == "ignore":
        return []
    findings = []
    if spec.features.kind != "random" and images and row["weight_change"] < UNCHANGED:
        message = f"{images} images changed nothing; look at them, they may all be blank"
        findings.append(Finding("nothing learned", message))
    seen = images * (spec.geometry.positions if spec.geometry.shared else 1)
    if row.get("dead_units", 0.0) > DEAD and seen >= 4 * spec.geometry.channels:
        message = f"{row['dead_units']:.0%} of the centroids won no patch during {images} images; use fewer channels"
        findings.append(Finding("dead units", message))
    return findings
