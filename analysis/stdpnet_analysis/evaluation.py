"""The evaluation protocol: calibrate on labelled images, score on others, beside the two baselines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from stdpnet.data import Dataset, Split, load_dataset
from stdpnet.data.checks import check_classes
from stdpnet.errors import RunError
from stdpnet.model import Facts, Model, Responder, Responses, State, open_model
from stdpnet.random import Stream
from stdpnet.runs import Run
from stdpnet.runs.scores import linear_name
from stdpnet.spec.base import Schedule, Spec, flat
from stdpnet.spec.experiment import Experiment
from stdpnet.training import check_dataset
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.readouts import READOUTS, make_readouts
from stdpnet_analysis.readouts.linear import LinearKind, LinearReadout
from stdpnet_analysis.readouts.scores import score

STREAMS = {"calibration": Stream.CALIBRATE, "validation": Stream.VALIDATE, "test": Stream.TEST}
OWN = "own"
"""Name of the read-out of a model that classifies by itself: the class with the largest score."""


def evaluate(
    run: Run,
    split: Literal["test", "validation"] = "test",
    *,
    linear: LinearKind = "logistic",
    C: float = 0.01,
    baselines: bool = True,
    snapshot: str = "last",
    threads: int | None = None,
    progress: Progress = SILENT,
    responder: Responder | None = None,
) -> dict[str, Any]:
    """Score a state of a run by every read-out, and write the scores into the run.

    Parameters
    ----------
    run : the run
    split : test for the final figure; validation for tuning
    linear : kind of the linear read-out
    C : inverse strength of its regularisation
    baselines : also score the untrained model and a linear read-out of the pixels
    snapshot : which state: "last", or "best" by validation where the learning curve kept it
    threads : how many threads may compute; default all cores
    progress : called at each stage, and with the number of further images answered
    responder : what shows the images, such as a cluster's (stdpnet_analysis.cluster); results do not depend on it

    Returns
    -------
    What scores.json then holds: `readouts.<name>.accuracy` is a fraction.
    """
    dataset = load_dataset(run.spec.dataset)
    check_dataset(run, dataset)
    if len(dataset.split(split)) == 0:
        raise RunError(f"{run.path}: has no {split} images; train with --set dataset.{split}=1000")
    check_classes(dataset.calibration.labels, "dataset.calibration")
    model, state = open_model(run.spec), run.load_snapshot(snapshot)
    reader = Reader(linear=linear, C=C, threads=threads, progress=progress)
    evaluator = _Evaluator(run, dataset, split, model, reader, responder or model.respond)
    responses = evaluator.responses("trained" if snapshot == "last" else snapshot, state)
    facts = model.facts(run.spec)
    scores: dict[str, Any] = {
        "protocol": {
            "dataset": run.spec.dataset.name,
            "split": split,
            "images": len(dataset.split(split)),
            "calibration_images": len(dataset.calibration),
            "training_images": state.images,
            "training_labels": facts.labels,
            "snapshot": snapshot,
        },
        "facts": {**facts._asdict(), "synapses": dict(facts.synapses)},
        **activity(responses[split]),
        "cost": dict(responses[split].cost),
        "readouts": evaluator.readouts(responses),
    }
    if baselines:
        untrained = evaluator.responses("untrained", model.initial(run.spec))
        scores["untrained"] = {**activity(untrained[split]), "readouts": evaluator.readouts(untrained)}
        scores["pixels"] = {"readouts": evaluator.pixels()}
    return run.save_scores(scores, split, snapshot)


class Reader(NamedTuple):
    """Read-outs with their settings: fitted on calibration responses, scored on others."""

    linear: LinearKind = "logistic"
    C: float = 0.01
    threads: int | None = None
    progress: Progress = SILENT

    @property
    def linear_entry(self) -> tuple[str, dict[str, Any]]:
        """Name of the linear read-out with these settings, and what its entry says beside its score."""
        settings = {"kind": self.linear, "C": self.C} if self.linear == "logistic" else {"kind": self.linear}
        return linear_name(self.linear, self.C), {"role": "linear", "settings": settings}

    def predictions(
        self, spec: Experiment, facts: Facts, calibration: Responses, scored: Responses
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Return the answers (N,) of every read-out that the responses allow, by its name."""
        answers: dict[str, np.ndarray[Any, Any]] = {}
        if scored.scores is not None:
            answers[OWN] = np.argmax(scored.scores, axis=1)
        if scored.counts.shape[1] == 0:
            return answers
        for name, readout in make_readouts(facts.positions, self.linear, self.C, spec.seed % 2**32).items():
            self.progress.stage(f"read-out {name}", 0)
            with threadpool_limits(self.threads):
                readout.fit(calibration.counts, calibration.labels)
                answers[name] = readout.predict(scored.counts)
        return answers


class _Evaluator(NamedTuple):
    """What stays the same while the trained state and the baselines are scored."""

    run: Run
    dataset: Dataset
    split: str
    model: Model
    reader: Reader
    respond: Responder

    def responses(self, name: str, state: State) -> dict[str, Responses]:
        """Return the calibration and the scored responses of a state, from the run's cache where it has them."""
        return {part: self._respond(f"{name}-{part}", state, part) for part in ("calibration", self.split)}

    def _respond(self, name: str, state: State, part: str) -> Responses:
        spec = self.run.spec
        key = response_key(spec, state, self.dataset.sha256, part)
        cached = self.run.load_responses(name, key, sparse=True)
        images: Split = self.dataset.split(part)
        if cached is not None and cached.cost and _are_of(cached, images):  # older versions have written no cost
            return cached
        self.reader.progress.stage(f"{name} responses", len(images))
        threads, progress = self.reader.threads, self.reader.progress.advance
        answer = self.respond(spec, state, images, STREAMS[part], threads=threads, progress=progress)
        self.run.save_responses(name, answer, key)
        return self.run.load_responses(name, key, sparse=True) or answer

    def readouts(self, responses: Mapping[str, Responses]) -> dict[str, Any]:
        """Return the score of every read-out, calibrated and asked on the given responses."""
        spec, scored, classes = self.run.spec, responses[self.split], len(self.dataset.classes)
        answers = self.reader.predictions(spec, self.model.facts(spec), responses["calibration"], scored)
        entries = {}
        for name, predicted in answers.items():
            key, said = self.reader.linear_entry if name == "linear" else (name, {"role": READOUTS[name].role})
            entries[key] = score(scored.labels, predicted, classes).to_dict() | said
        return entries

    def pixels(self) -> dict[str, Any]:
        """Return the score of a linear read-out of the pixels, fitted on the same labels, under its name."""
        self.reader.progress.stage("read-out of pixels", 0)
        fitted, scored = self.dataset.calibration, self.dataset.split(self.split)
        readout = LinearReadout(kind=self.reader.linear, C=self.reader.C, random_state=self.run.spec.seed % 2**32)
        with threadpool_limits(self.reader.threads):
            readout.fit(fitted.images.reshape(len(fitted), -1), fitted.labels)
            predicted = readout.predict(scored.images.reshape(len(scored), -1))
        name, said = self.reader.linear_entry
        return {name: score(scored.labels, predicted, len(self.dataset.classes)).to_dict() | said}


def _are_of(responses: Responses, images: Split) -> bool:
    """Return whether responses are labelled as the images are; older files have no checksum that makes sure of it."""
    pairs = ((responses.labels, images.labels), (responses.indices, images.indices))
    return all(np.array_equal(*pair) for pair in pairs)


def response_key(spec: Experiment, state: State, dataset_sha256: str, split: str) -> str:
    """Return a digest of all that decides the responses: the state, the tables that answer with it, the images."""
    tables: dict[str, Spec] = {name: getattr(spec, name) for name in type(spec).answering}
    parts = {
        "network": state.digest(),
        "seed": spec.seed,
        "dataset": dataset_sha256,
        "split": split,
        **{name: flat(table, Schedule) for name, table in tables.items()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def activity(responses: Responses) -> dict[str, float]:
    """Return spikes per image and the share of images without any spike."""
    spikes = responses.counts.sum(axis=1, dtype=np.int64)
    return {"spikes_per_image": float(spikes.mean()), "silent_images": float(np.mean(spikes == 0))}
