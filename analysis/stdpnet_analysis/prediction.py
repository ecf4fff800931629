"""Predict the classes of a user's images by a trained run, with probabilities where the read-out has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stdpnet import operating
from stdpnet.api import as_split, fitted
from stdpnet.errors import ConfigError, remedy_for
from stdpnet.events import Events
from stdpnet.model import Responses
from stdpnet.random import Stream
from stdpnet.runs import Run
from stdpnet_analysis.evaluation import Evaluator, name_of
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.readouts import READOUTS
from stdpnet_analysis.readouts.base import CountsClassifier
from stdpnet_analysis.readouts.reader import OWN, Reader, read_by

DEFAULT = "log_evidence"
"""The read-out of a model that does not classify by itself."""


class Prediction(NamedTuple):
    """The answers of a run to images."""

    readout: str
    """The read-out that answers."""
    classes: tuple[str, ...]
    """(K,) names of the classes."""
    answers: NDArray[np.int64]
    """(N,) number of the class; -1: no answer, as no neuron spiked."""
    probabilities: NDArray[np.float64] | None
    """(N, K) probability of each class; None of a read-out without probabilities."""
    spikes: NDArray[np.int64]
    """(N,) spikes, or counts, in response to each image."""


def predict(
    run: Run,
    images: ArrayLike | Events,
    *,
    readout: str | None = None,
    snapshot: str = "last",
    at: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> Prediction:
    """Return what a run answers to images, by a read-out that is calibrated as `evaluate` does it.

    The calibration responses are those that an evaluation has kept, or are kept for it.

    Parameters
    ----------
    run : the run
    images : (N, n, n) uint8, white ink on black, n = dataset.crop, or recordings of as many pixels; image i is
        presentation i of the stream of the test images, so that equal calls have equal answers
    readout : name of a read-out (see stdpnet_analysis.readouts); default: a model's own answer where it has one, else
        log_evidence
    snapshot : which state: "last", or "best"
    at : what differs from the training while images are answered (see stdpnet.operating.at_point); a distortion is not
        applied to the images
    threads : how many threads may compute; default all cores; results do not depend on it
    progress : called at each stage, and with the number of further images answered

    Raises
    ------
    ConfigError
        If there is no such read-out, or the model has nothing that it reads.
    DataError
        If the images are no images of the network's side.
    """
    if readout is not None and readout not in READOUTS:
        raise ConfigError(f"--readout: '{readout}' is unknown; {remedy_for(readout, READOUTS)}")
    split = as_split(images)
    reader = Reader((readout or DEFAULT,), threads=threads, progress=progress)
    evaluator = Evaluator.of(run, "test", reader, point=at or {})
    state = run.load_snapshot(snapshot)
    spec, changed = operating.at_point(run.spec, state, evaluator.point)
    _check_side(spec, split.images)
    progress.stage("responses", len(split))
    experiment = reader.experiment_for(fitted(spec, split))
    responses = evaluator.respond(experiment, changed, split, Stream.TEST, threads=threads, progress=progress.advance)
    classes, spikes = evaluator.dataset.classes, np.asarray(responses.counts.sum(axis=1, dtype=np.int64))
    if readout == OWN or (readout is None and responses.scores is not None):
        return Prediction(readout=OWN, classes=classes, answers=_own(run, responses), probabilities=None, spikes=spikes)
    if not responses.counts.shape[1]:
        raise ConfigError(f"--readout {readout}: reads counts, which this model has not; use {OWN}")
    calibration = evaluator.respond_to("calibration", name_of(snapshot), state)
    (name, fit), *_ = reader.fit_all(run.spec, evaluator.facts, calibration).items()
    answers = reader.answer(name, fit, responses).predicted.astype(np.int64)
    probabilities = class_probabilities(name, fit, responses, len(classes))
    return Prediction(readout=name, classes=classes, answers=answers, probabilities=probabilities, spikes=spikes)


def _check_side(spec: Any, images: NDArray[np.uint8]) -> None:
    if images.shape[1] != spec.dataset.crop:
        raise ConfigError(
            f"images: are {images.shape[1]} x {images.shape[1]}, and the run was trained on images of "
            f"{spec.dataset.crop} x {spec.dataset.crop}; stdpnet.data.loose.read_images fits files to a run"
        )


def _own(run: Run, responses: Responses) -> NDArray[np.int64]:
    if responses.scores is None:
        raise ConfigError(f"--readout {OWN}: {run.path} does not classify by itself; use {DEFAULT}")
    answers: NDArray[np.int64] = np.argmax(responses.scores, axis=1)
    return answers


def class_probabilities(
    name: str, readout: CountsClassifier, responses: Responses, classes: int
) -> NDArray[np.float64] | None:
    """Return the probability of every class, (N, K); 0 of one that has no calibration images."""
    if not hasattr(readout, "predict_proba"):
        return None
    probabilities = np.zeros((len(responses.labels), classes))
    probabilities[:, readout.classes_] = readout.predict_proba(read_by(name, responses))
    return probabilities
