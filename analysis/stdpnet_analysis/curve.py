"""The learning curve: the frozen network, scored on validation images while it is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from stdpnet.random import Stream
from stdpnet.stdp.respond import activity, first_images, respond
from stdpnet.training import Job
from stdpnet_analysis.readouts import make_readouts

BEST = "best"
"""Name of the snapshot with the best validation accuracy; ties go to the earlier one."""


def learning_curve(job: Job) -> LearningCurve | None:
    """Return the observer that a job's configuration asks for (an entry point of stdpnet.observers)."""
    return LearningCurve(job) if job.run.spec.curve.every else None


class LearningCurve:
    """Evaluates a job's network every curve.every images, keeps the best state, and ends the job on a plateau."""

    def __init__(self, job: Job) -> None:
        curve = job.run.spec.curve
        self.every = curve.every
        self._since = job.state.images if job.extended else -1
        self._calibration = first_images(job.dataset.calibration, curve.calibration)
        self._validation = first_images(job.dataset.validation, curve.validation)

    def begin(self, job: Job) -> None:
        """Make up for an evaluation that an interruption left out, among them the one before the first image."""
        rows, images = job.run.rows("curve"), job.state.images
        if images % self.every == 0 and not any(row["images"] == images for row in rows):
            self.handle(job)
        elif self._plateau(job):
            job.finish("plateau")

    def handle(self, job: Job) -> None:
        """Evaluate; keep the state if it is the best so far; end the job on a plateau."""
        row = {"images": job.state.images, **self._score(job)}
        readout = job.run.spec.curve.readout
        earlier = [old["accuracy"][readout] for old in job.run.rows("curve") if old["images"] < job.state.images]
        if row["accuracy"][readout] > max(earlier, default=-1.0):
            job.run.save_snapshot(BEST, job.state)
        job.run.append_row("curve", row)
        if self._plateau(job):
            job.finish("plateau")

    def _score(self, job: Job) -> dict[str, Any]:
        """Return the accuracy of every read-out; the job's state stays as it is (respond makes sure)."""
        spec, network = job.run.spec, job.state.network

        def progress(_: int) -> None:
            job.check_signals()

        answers = {
            stream: respond(spec, network, split, stream, threads=job.threads, progress=progress)
            for stream, split in ((Stream.CALIBRATE, self._calibration), (Stream.VALIDATE, self._validation))
        }
        calibration, validation = answers[Stream.CALIBRATE], answers[Stream.VALIDATE]
        accuracy = {}
        for name, readout in make_readouts(spec.geometry.positions, seed=spec.seed % 2**32).items():
            readout.fit(calibration.counts, calibration.labels)
            accuracy[name] = float(np.mean(readout.predict(validation.counts) == validation.labels))
        return {"accuracy": accuracy, **activity(validation)}

    def _plateau(self, job: Job) -> bool:
        """Return whether the last curve.patience evaluations brought no better accuracy than one before them."""
        curve = job.run.spec.curve
        rows = [row for row in job.run.rows("curve") if row["images"] <= job.state.images]
        accuracies = [row["accuracy"][curve.readout] for row in rows]
        if curve.patience == 0 or len(accuracies) <= curve.patience:
            return False
        if rows[-curve.patience]["images"] <= self._since:  # a user who extends a run wants more of it
            return False
        return bool(max(accuracies[-curve.patience :]) <= max(accuracies[: -curve.patience]))
