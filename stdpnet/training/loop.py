"""The training loop: shows images to a learner, makes rows of progress, calls observers, and stops when asked to."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Sequence
from signal import Signals
from typing import Any, NoReturn, Protocol

from stdpnet.errors import HealthError, StopRequestedError
from stdpnet.model import Learner, State
from stdpnet.pace import announced
from stdpnet.spec.experiment import Experiment
from stdpnet.stopping import StopRequest

LEAST_JUDGED = 400
"""An interval that the goal cuts short is judged only if it has at least this many images; fewer say too little."""


class Observer(Protocol):
    """Watches a training; it may read everything and must change nothing of what is learned.

    If it has a method `pause(training, what)`, that is called when something begins that takes time and shows no
    training image, such as a compilation or a point of the learning curve.
    """

    every: int
    """Called at multiples of so many images; 0: after every chunk of images, whatever its size."""

    def begin(self, training: Any) -> None:
        """Look at the training before its first image."""
        ...

    def handle(self, training: Any) -> None:
        """Look at the training at an image boundary; may call training.finish(reason) and training.check_signals()."""
        ...


class Training:
    """A training in memory; `Job` adds a run directory.

    Parameters
    ----------
    spec : the experiment
    learner : shows the images to the model
    stop : a request to stop, which may be made while the training goes on
    """

    name = "training"
    """Name of the training in messages."""

    def __init__(self, spec: Experiment, learner: Learner, stop: StopRequest) -> None:
        self.spec, self.learner, self.threads = spec, learner, learner.threads
        self._stop_request = stop
        self._reason: str | None = None
        self._at_boundary = True
        self._unhealthy: set[str] = set()
        self._row_images, self._row_seconds = self.images, 0.0

    @property
    def state(self) -> State:
        """The present state of the training; its arrays are those that learn, not copies."""
        return self.learner.state

    @property
    def images(self) -> int:
        """Training images shown so far."""
        return self.state.images

    def finish(self, reason: str) -> None:
        """End the training after this image, as finished."""
        self._reason = reason

    def check_signals(self) -> None:
        """Leave if a signal or an interrupt asked for it."""
        if self._stop_request.received is not None:
            self.stop(self._stop_request.received)

    def stop(self, number: Signals) -> NoReturn:
        """Leave as after a signal of this number: by an exception that keeps what has been learned.

        Raises
        ------
        StopRequestedError
            Always.
        """
        raise StopRequestedError(
            f"{self.name}: stopped by {number.name} at image {self.images}; {self._continuation}", number
        )

    @property
    def _continuation(self) -> str:
        """The command or call that continues a stopped training."""
        return "fit(spec, images, state=error.state) goes on"

    def to_goal(self, observers: Iterable[Observer] = ()) -> str:
        """Show images up to the goal; return why the training ended."""
        begun: list[Observer] = []
        with announced(lambda what: self._pause(begun, what)):
            for observer in observers:
                observer.begin(self)
                begun.append(observer)
            return self._go(begun)

    def _pause(self, observers: Sequence[Observer], what: str) -> None:
        """Call the method `pause` of the observers that have one."""
        for observer in observers:
            if (pause := getattr(observer, "pause", None)) is not None:
                pause(self, what)

    def _go(self, observers: Sequence[Observer]) -> str:
        """Show images up to the goal, with observers that have begun."""
        strides = [every for every in (*self._strides(), *(observer.every for observer in observers)) if every > 0]
        while self.images < self.spec.training.images and self._reason is None:
            self.check_signals()
            boundary = min((self.images // every + 1) * every for every in strides)
            begin = time.perf_counter()
            self._at_boundary = False
            self.learner.advance(boundary - self.images)
            self._at_boundary = True
            self._row_seconds += time.perf_counter() - begin
            if self.images % self.spec.progress.every == 0 or self.images == self.spec.training.images:
                self._report()
            for observer in observers:
                if observer.every == 0 or self.images % observer.every == 0:
                    observer.handle(self)
            self._at_image_boundary()
        reached = "goal reached" if self.spec.training.images else "nothing to learn: training.images = 0"
        return self._reason or reached

    def _strides(self) -> list[int]:
        """Return the distances, in images, at which something is to be done."""
        return [self.spec.progress.every]

    def _at_image_boundary(self) -> None:
        """Do what is due after a chunk of images."""

    def _write(self, row: dict[str, Any]) -> None:
        """Keep a row of progress."""

    def _report(self) -> None:
        """Make a row of progress; warn of, or stop at, what is unhealthy."""
        spec, images = self.spec, self.images
        row = self.learner.row()
        # if not complete, the interval ends at the goal; a later goal may complete it
        complete = images % spec.progress.every == 0
        judged = complete or row.get("interval_images", 0) >= LEAST_JUDGED
        findings = [finding for finding in self.learner.findings(row) if judged or finding.fatal]
        seconds = self._row_seconds
        row["images_per_s"] = (images - self._row_images) / seconds if seconds else None
        row["health"] = [finding.name for finding in findings]
        if complete:
            self.learner.begin_interval()
        self._row_images, self._row_seconds = images, 0.0
        self._write(row)
        for finding in findings:
            if finding.fatal or (spec.health.action == "stop" and not finding.mild):
                message = f"{self.name}: {finding.name} at image {images}: {finding.message}"
                raise HealthError(message, finding.fatal)
            if finding.name not in self._unhealthy:  # warned of once, and again if it comes back
                warnings.warn(f"{finding.name} at image {images}: {finding.message}", stacklevel=2)
        self._unhealthy = {finding.name for finding in findings}
