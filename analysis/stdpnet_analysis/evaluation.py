"""The evaluation protocol: calibrate on labelled images, score on others, beside the two baselines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet import operating
from stdpnet.data import Dataset, Split, load_dataset
from stdpnet.data.checks import check_classes
from stdpnet.errors import RunError
from stdpnet.model import Facts, Model, Responder, Responses, State, open_model
from stdpnet.random import Stream
from stdpnet.runs import Run
from stdpnet.runs.scores import are_spikes
from stdpnet.spec.base import Schedule, Spec, flat
from stdpnet.spec.experiment import Experiment
from stdpnet.training import check_dataset
from stdpnet_analysis.baselines import kept
from stdpnet_analysis.positions import active_neurons, equal_without_learning
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.readouts import check_columns
from stdpnet_analysis.readouts.base import CountsClassifier
from stdpnet_analysis.readouts.linear import LinearKind, Scaling
from stdpnet_analysis.readouts.reader import Answers, Reader, pixels_of
from stdpnet_analysis.readouts.scores import score

STREAMS = {"calibration": Stream.CALIBRATE, "validation": Stream.VALIDATE, "test": Stream.TEST}


def evaluate(
    run: Run,
    split: Literal["test", "validation"] = "test",
    *,
    readouts: Sequence[str] | None = None,
    linear: LinearKind = "logistic",
    C: float = 0.01,
    scaling: Scaling = "standardised_roots",
    baselines: bool = True,
    snapshot: str = "last",
    at: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
    responder: Responder | None = None,
) -> dict[str, Any]:
    """Score a state of a run by every read-out, and write the scores into the run.

    Parameters
    ----------
    run : the run
    split : test for the final figure; validation for tuning
    readouts : names of the read-outs (see stdpnet_analysis.readouts); default: those of the run's configuration, in
        its key evaluation.readouts
    linear : kind of the linear read-out
    C : inverse strength of its regularisation
    scaling : what it does to the counts
    baselines : also score the untrained model and a linear read-out of the pixels
    snapshot : which state: "last", or "best" by validation where the learning curve kept it
    at : what differs from the training while the images are answered (see stdpnet.operating.at_point), such as
        {"competition.strength": 0.25}; the scores are then written into a file of their own
    threads : how many threads may compute; default all cores
    progress : called at each stage, and with the number of further images answered
    responder : what shows the images, such as a cluster's (stdpnet_analysis.cluster); results do not depend on it

    Returns
    -------
    What scores.json then holds: `readouts.<name>.accuracy` is a fraction.

    Examples
    --------
    >>> import stdpnet
    >>> from stdpnet_analysis import evaluate
    >>> sizes = {"topology.channels": 4, "dataset.calibration": 50, "dataset.test": 50}
    >>> spec = stdpnet.load_config("digits", {**sizes, "training.images": 20})
    >>> scores = evaluate(stdpnet.train(spec, "scored", progress=False), readouts=["all"], baselines=False)
    >>> 0 < scores["readouts"]["all"]["accuracy"] < 1
    True
    """
    # More than eight parameters, as `label_curve` and `robustness` have: public functions take every option of their
    # command as a keyword, so that a notebook needs no record of options.
    if readouts is None:
        names = check_columns(run.spec.evaluation.readouts, f"{run.path}: evaluation.readouts")
    else:
        names = check_columns(readouts)
    reader = Reader(names, linear=linear, C=C, scaling=scaling, threads=threads, progress=progress)
    evaluator = Evaluator.of(run, split, reader, responder, at or {})
    point = evaluator.point
    state, facts = run.load_snapshot(snapshot), evaluator.facts
    responses = evaluator.responses(name_of(snapshot), state)
    scores: dict[str, Any] = {
        "protocol": {
            **evaluator.protocol(state),
            "training_labels": facts.labels,
            "snapshot": snapshot,
            **({"at": point} if point else {}),
        },
        "facts": {**facts._asdict(), "synapses": dict(facts.synapses)},
        **activity(responses[split]),
        **evaluator.positions(state, responses[split]),
        "cost": dict(responses[split].cost),
        "readouts": evaluator.readouts(responses),
    }
    if baselines:
        scores["untrained"] = evaluator.untrained()
        scores["pixels"] = evaluator.pixels()
    return run.save_scores(scores, split, snapshot, operating.label(point))


def name_of(snapshot: str) -> str:
    """Return the name under which the responses of a snapshot are kept."""
    return "trained" if snapshot == "last" else snapshot


class Evaluator(NamedTuple):
    """What stays the same while the trained state and the baselines are scored."""

    run: Run
    dataset: Dataset
    """The images of the training and the calibration."""
    scored: Dataset
    """The images that are scored; not those of `dataset` only where the operating point distorts them."""
    split: str
    model: Model
    reader: Reader
    respond: Responder
    point: Mapping[str, Any] = {}
    """The operating point: resolved differences from the training (stdpnet.operating)."""

    @classmethod
    def of(
        cls, run: Run, split: str, reader: Reader, responder: Responder | None = None, point: Mapping[str, Any] = {}
    ) -> Evaluator:
        """Return the evaluator of a run on a split, at an operating point.

        Raises
        ------
        RunError, DataError
            If its images are not those that it was trained on, or there are none to score or too few to calibrate.
        """
        operating.resolved(run.spec, point)  # raises ConfigError before anything is read
        model, dataset = open_model(run.spec), load_dataset(run.spec.dataset)
        check_dataset(run, dataset)
        if len(dataset.split(split)) == 0:
            raise RunError(f"{run.path}: has no {split} images; train with --set dataset.{split}=1000")
        check_classes(dataset.calibration.labels, "dataset.calibration")
        return cls(run, dataset, dataset, split, model, reader, responder or model.respond).at(point)

    def at(self, point: Mapping[str, Any]) -> Evaluator:
        """Return the evaluator of the same run at an operating point."""
        resolved = operating.resolved(self.run.spec, point)
        shown = operating.experiment_at(self.run.spec, resolved).dataset
        same = shown == self.run.spec.dataset
        return self._replace(scored=self.dataset if same else load_dataset(shown), point=resolved)

    @property
    def calibration_point(self) -> dict[str, Any]:
        """The operating point at which calibration images are answered."""
        return self._at("calibration")[1]

    def _at(self, part: str) -> tuple[Dataset, dict[str, Any]]:
        """Return the images of a split and the operating point at which they are answered."""
        if part != "calibration":
            return self.scored, dict(self.point)
        point = operating.of_calibration(self.point)
        return (self.scored if point == self.point else self.dataset), point

    def images(self, part: str) -> Split:
        """Return the images of a split as they are shown."""
        return self._at(part)[0].split(part)

    def protocol(self, state: State) -> dict[str, Any]:
        """Return the entries with which the protocol of all results of a state begins."""
        return {
            "dataset": self.run.spec.dataset.name,
            "split": self.split,
            "images": len(self.images(self.split)),
            "calibration_images": len(self.images("calibration")),
            "training_images": state.images,
        }

    @property
    def facts(self) -> Facts:
        """What a table says about the model."""
        return self.model.facts(self.run.spec)

    @property
    def initial(self) -> State:
        """The state before the first training image."""
        return self.model.initial(self.run.spec)

    def responses(self, name: str, state: State) -> dict[str, Responses]:
        """Return the calibration and the scored responses of a state, from the run's cache where it has them."""
        return {part: self.respond_to(part, name, state) for part in ("calibration", self.split)}

    def respond_to(self, part: str, name: str, state: State) -> Responses:
        """Return the responses of a state to one split, from the run's cache where it has them."""
        dataset, point = self._at(part)
        spec, state = operating.at_point(self.run.spec, state, point)
        name = "-".join(filter(None, (name, part, operating.label(point))))
        key = response_key(spec, state, dataset.sha256, part)
        cached = self.run.load_responses(name, key, sparse=True)
        images = dataset.split(part)
        experiment = self.reader.experiment_for(spec)
        if cached is not None and _serves(cached, experiment) and _are_of(cached, images):
            return cached
        self.reader.progress.stage(f"{name} responses", len(images))
        threads, progress = self.reader.threads, self.reader.progress.advance
        answer = self.respond(experiment, state, images, STREAMS[part], threads=threads, progress=progress)
        self.run.save_responses(name, answer, key)
        # The first evaluation scores what the file holds, so that a repeated one, which reads it, scores the same.
        return self.run.load_responses(name, key, sparse=True) or answer

    def positions(self, state: State, responses: Responses) -> dict[str, Any]:
        """Return the entries of the scores about positions of spiking neurons (see stdpnet_analysis.positions).

        There is no `active_neurons` for units that do not spike or are alone at their position, and no `equal_counts`
        where no competition is learned.
        """
        positions, units = self.facts.positions, self.facts.units
        if units == positions or responses.scores is not None or not are_spikes(responses.cost):
            return {}

        def respond(changes: Mapping[str, Any], shown: Split) -> Responses:
            spec, changed = operating.at_point(self.run.spec, state, {**self.point, **changes})
            return self.respond(spec, changed, shown, STREAMS[self.split], threads=self.reader.threads)

        equal = equal_without_learning(self.run.spec, state, responses, self.images(self.split), positions, respond)
        active = active_neurons(responses.counts, positions)
        return {"active_neurons": active, **({"equal_counts": equal} if equal else {})}

    def readouts(self, responses: Mapping[str, Responses]) -> dict[str, Any]:
        """Return the score of every read-out, calibrated and asked on the given responses."""
        spec, scored = self.run.spec, responses[self.split]
        answers = self.reader.answers(spec, self.facts, responses["calibration"], scored)
        return self.scores(answers, scored.labels)

    def untrained(self) -> dict[str, Any]:
        """Return the scores of the untrained model, computed once for all runs that begin with it."""
        spec, state = self.run.spec, self.initial

        def compute() -> dict[str, Any]:
            responses = self.responses("untrained", state)
            return {**activity(responses[self.split]), "readouts": self.readouts(responses)}

        keys = []
        for part in ("calibration", self.split):
            dataset, point = self._at(part)
            keys.append(response_key(*operating.at_point(spec, state, point), dataset.sha256, part))
        readouts = self.reader.readouts(spec, self.facts.positions)
        return kept({"responses": keys, "readouts": _described(readouts)}, compute)

    def pixels(self) -> dict[str, Any]:
        """Return the scores of the linear read-outs of the pixels, fitted on the same labels."""
        calibration, scored = (self.images(part) for part in ("calibration", self.split))

        def compute() -> dict[str, Any]:
            answers = self.reader.fitted_answers(self.reader.fit_pixels(self.run.spec, calibration), pixels_of(scored))
            return {"readouts": self.scores(answers, scored.labels)}

        readouts = _described(self.reader.pixel_readouts(self.run.spec))
        decides = {"pixels": self._at("calibration")[0].sha256, "split": self.split, "readouts": readouts}
        if self.scored is not self.dataset:
            decides["scored"] = self.scored.sha256
        return kept(decides, compute)

    def scores(self, answers: Mapping[str, Answers], labels: NDArray[np.int64]) -> dict[str, Any]:
        """Return the scores of answers to images of these classes (N,), by read-out."""
        classes = len(self.dataset.classes)
        return {
            name: score(labels, each.predicted, classes, each.confidence).to_dict() | each.described
            for name, each in answers.items()
        }


def _serves(responses: Responses, experiment: Experiment) -> bool:
    """Return whether kept responses have all that an experiment records; older versions have written no cost."""
    return bool(responses.cost) and (responses.first_spikes is not None or not experiment.evaluation.first_spikes)


def _are_of(responses: Responses, images: Split) -> bool:
    """Return whether responses have the labels and indices of images, which older files do not assure by a checksum."""
    pairs = ((responses.labels, images.labels), (responses.indices, images.indices))
    return all(np.array_equal(*pair) for pair in pairs)


def _described(readouts: Mapping[str, CountsClassifier]) -> dict[str, Any]:
    """Return all settings of unfitted read-outs that decide their answers, as part of a key."""
    return {name: {"class": type(each).__name__, **each.get_params()} for name, each in readouts.items()}


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
