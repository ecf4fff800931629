"""Fit read-outs to calibration responses, and answer other images with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.data import Split
from stdpnet.errors import ConfigError
from stdpnet.model import Facts, Responses
from stdpnet.parallel import limited_algebra
from stdpnet.runs.scores import linear_name
from stdpnet.spec.experiment import Experiment
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.readouts import DEFAULT, READOUTS, ReadoutSettings, make_readouts
from stdpnet_analysis.readouts.base import Counts, CountsClassifier
from stdpnet_analysis.readouts.linear import LinearKind, Scaling

OWN = "own"
"""Name of the read-out of a model that classifies by itself: the class with the largest score."""
OF_PIXELS = ("linear", "linear_cv")
"""The read-outs that are fitted to the pixels as well; `linear` if none of them is chosen."""


class Answers(NamedTuple):
    """Answers of a read-out to a set of images."""

    predicted: NDArray[Any]
    """(N,) class of each image; -1: no answer."""
    confidence: NDArray[np.float64] | None
    """(N,) the probability of that class; None of a read-out without probabilities."""
    described: dict[str, Any]
    """Entries of the scores that describe the read-out: its role, and its settings where it has any."""


class Reader(NamedTuple):
    """Read-outs with their settings: fitted on calibration responses, scored on others."""

    names: Sequence[str] = DEFAULT
    linear: LinearKind = "logistic"
    C: float = 0.01
    scaling: Scaling = "standardised_roots"
    threads: int | None = None
    progress: Progress = SILENT

    def answers(self, spec: Experiment, facts: Facts, calibration: Responses, scored: Responses) -> dict[str, Answers]:
        """Return the answers of every read-out that the responses allow, under the name of its entry in the scores."""
        return self.fitted_answers(self.fit_all(spec, facts, calibration) if scored.counts.shape[1] else {}, scored)

    def fit_all(self, spec: Experiment, facts: Facts, calibration: Responses) -> dict[str, CountsClassifier]:
        """Return the read-outs by name, fitted to calibration responses."""
        readouts = self.readouts(spec, facts.positions)
        for name, readout in readouts.items():
            self.progress.stage(f"read-out {name}", 0)
            self.fit(name, readout, calibration)
        return readouts

    def fitted_answers(self, fitted: Mapping[str, CountsClassifier], scored: Responses) -> dict[str, Answers]:
        """Return the answers of fitted read-outs, and of a model that classifies itself, to responses."""
        found: dict[str, Answers] = {}
        if scored.scores is not None:
            found[OWN] = Answers(np.argmax(scored.scores, axis=1), None, {"role": OWN})
        for name, readout in fitted.items():
            found[self.entry_of(name)] = self.answer(name, readout, scored)
        return found

    def fit_pixels(self, spec: Experiment, calibration: Split) -> dict[str, CountsClassifier]:
        """Return the read-outs of the pixels by name, fitted to calibration images."""
        self.progress.stage("read-out of pixels", 0)
        return {name: self.fit(name, each, pixels_of(calibration)) for name, each in self.pixel_readouts(spec).items()}

    def pixel_readouts(self, spec: Experiment) -> dict[str, CountsClassifier]:
        """Return the unfitted read-outs of the pixels by name."""
        readouts = self.readouts(spec)
        chosen = {name: readouts[name] for name in OF_PIXELS if name in readouts}
        return chosen or make_readouts(["linear"], self._settings(spec))

    def readouts(self, spec: Experiment, positions: int = 1) -> dict[str, CountsClassifier]:
        """Return the unfitted read-outs by name."""
        return make_readouts(self.names, self._settings(spec, positions))

    def experiment_for(self, spec: Experiment) -> Experiment:
        """Return the experiment with which a model records all that these read-outs read, if need be first spikes."""
        return spec.updated({"evaluation.readouts": self.names})

    def _settings(self, spec: Experiment, positions: int = 1) -> ReadoutSettings:
        return ReadoutSettings(
            n_positions=positions, linear=self.linear, C=self.C, scaling=self.scaling, seed=spec.seed % 2**32
        )

    def entry_of(self, name: str) -> str:
        """Return the name of a read-out in the scores; that of a linear one names the settings that are not usual."""
        return linear_name(self.linear, self.C, self.scaling) if name == "linear" else name

    def fit(self, name: str, readout: CountsClassifier, calibration: Responses) -> CountsClassifier:
        """Return a read-out, fitted to calibration responses in place."""
        counts = read_by(name, calibration)
        with limited_algebra(self.threads):
            readout.fit(counts, calibration.labels)
        return readout

    def answer(self, name: str, readout: CountsClassifier, scored: Responses) -> Answers:
        """Return the answers of a fitted read-out."""
        counts = read_by(name, scored)
        with limited_algebra(self.threads):
            predicted, confidence = readout.predict(counts), _confidence(readout, counts)
        settings = {"settings": readout.settings} if readout.settings else {}
        return Answers(predicted, confidence, {"role": READOUTS[name].role, **settings})


def read_by(name: str, responses: Responses) -> Counts:
    """Return what a read-out reads of responses, (N, units).

    Raises
    ------
    ConfigError
        If it reads first spikes, and there are none.
    """
    read = getattr(responses, READOUTS[name].reads)
    if read is None:
        raise ConfigError(f"--readouts {name}: needs the times of spikes, which this model has not; leave it out")
    return read


def pixels_of(split: Split) -> Responses:
    """Return the pixels of images (N, n*n) in the place of counts."""
    return Responses(split.images.reshape(len(split), -1), split.labels, split.indices)


def _confidence(readout: CountsClassifier, counts: Counts) -> NDArray[np.float64] | None:
    """Return the probability of the most probable class of each image, (N,), where the read-out has probabilities."""
    if not hasattr(readout, "predict_proba"):
        return None
    largest: NDArray[np.float64] = readout.predict_proba(counts).max(axis=1)
    return largest
