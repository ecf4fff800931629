"""The learning curve: the frozen model, scored on validation images while it is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from stdpnet.data import Dataset
from stdpnet.data.checks import check_classes
from stdpnet.errors import ConfigError, remedy_for
from stdpnet.model import facts_of, open_model
from stdpnet.pace import announce
from stdpnet.random import Stream
from stdpnet.spec.experiment import Experiment
from stdpnet.training import Job
from stdpnet_analysis.readouts import READOUTS, check_columns

BEST = "best"
"""Name of the snapshot with the best validation accuracy; ties go to the earlier one."""


def learning_curve(spec: Experiment, dataset: Dataset) -> LearningCurve | None:
    """Return the observer that an experiment asks for (the entry point "curve" of stdpnet.observers).

    Raises
    ------
    ConfigError
        If there is no read-out of a name in evaluation.readouts; raised before the training, not after it.
    """
    check_columns(spec.evaluation.readouts, "evaluation.readouts")
    return LearningCurve(spec, dataset) if spec.curve.every else None


class LearningCurve:
    """Evaluates a job's model every curve.every images, keeps the best state, and ends the job on a plateau.

    Raises
    ------
    ConfigError
        If there is no read-out of the name curve.readout.
    """

    def __init__(self, spec: Experiment, dataset: Dataset) -> None:
        curve = spec.curve
        supervised = facts_of(spec).labels > 0  # its own answers are scored as well
        known = [name for name, readout in READOUTS.items() if readout.make is not None or supervised]
        if curve.readout not in known:
            raise ConfigError(f"curve.readout: '{curve.readout}' is unknown; {remedy_for(curve.readout, known)}")
        self.every = curve.every
        from stdpnet_analysis.readouts.reader import Reader  # a job without a curve loads no scikit-learn

        self._reader = Reader((*spec.evaluation.readouts, curve.readout))
        self._extended_at = -1
        self._calibration = dataset.some("calibration", curve.calibration)
        check_classes(self._calibration.labels, "curve.calibration")
        self._validation = dataset.some("validation", curve.validation)

    def begin(self, job: Job) -> None:
        """Evaluate now if the row that is due at this image is missing (at the start, or after an interruption)."""
        rows, images = self._rows(job), job.images
        self._extended_at = images if job.extended else -1
        if images % self.every == 0 and not any(row["images"] == images for row in rows):
            self.handle(job)
        elif self._plateau(job):
            job.finish("plateau")

    def handle(self, job: Job) -> None:
        """Evaluate; keep the state if it is the best so far; end the job on a plateau."""
        announce("learning curve")
        row = {"images": job.images, **self._score(job)}
        readout = job.spec.curve.readout
        earlier = [old["accuracy"][readout] for old in self._rows(job) if old["images"] < job.images]
        if row["accuracy"][readout] > max(earlier, default=-1.0):
            job.run.save_snapshot(BEST, job.state)
        job.run.append_row("curve", row)
        if self._plateau(job):
            job.finish("plateau")

    def _rows(self, job: Job) -> list[dict[str, Any]]:
        """Return the evaluations so far that have the deciding read-out."""
        return [row for row in job.run.rows("curve") if job.spec.curve.readout in row["accuracy"]]

    def _score(self, job: Job) -> dict[str, Any]:
        """Return the accuracy of every read-out; the job's state is not changed (respond makes sure of that)."""
        from stdpnet_analysis.evaluation import activity

        spec, state, model = job.spec, job.state, open_model(job.spec)
        experiment = self._reader.experiment_for(spec)

        def progress(_: int) -> None:
            job.check_signals()

        calibration, validation = (
            model.respond(experiment, state, split, stream, threads=job.threads, progress=progress)
            for stream, split in ((Stream.CALIBRATE, self._calibration), (Stream.VALIDATE, self._validation))
        )
        answers = self._reader.answers(spec, model.facts(spec), calibration, validation)
        accuracy = {name: float(np.mean(each.predicted == validation.labels)) for name, each in answers.items()}
        return {"accuracy": accuracy, **activity(validation)}

    def _plateau(self, job: Job) -> bool:
        """Return whether none of the last curve.patience evaluations was better than the best one before them."""
        curve = job.spec.curve
        rows = [row for row in self._rows(job) if row["images"] <= job.images]
        accuracies = [row["accuracy"][curve.readout] for row in rows]
        if curve.patience == 0 or len(accuracies) <= curve.patience:
            return False
        if rows[-curve.patience]["images"] <= self._extended_at:  # a user who extends a run wants it to train on
            return False
        return bool(max(accuracies[-curve.patience :]) <= max(accuracies[: -curve.patience]))
