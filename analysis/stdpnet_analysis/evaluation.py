"""The evaluation protocol: calibrate on labelled images, score on others, beside the two baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from threadpoolctl import threadpool_limits

from stdpnet.data import Dataset, Split, load_dataset
from stdpnet.errors import RunError
from stdpnet.random import Stream
from stdpnet.runs import Responses, Run
from stdpnet.stdp.network import Network, initial_network
from stdpnet.stdp.respond import Responder, activity, respond, response_key
from stdpnet.training import check_dataset
from stdpnet_analysis.readouts import make_readouts
from stdpnet_analysis.readouts.linear import LinearKind, LinearReadout
from stdpnet_analysis.readouts.scores import score

STREAMS = {"calibration": Stream.CALIBRATE, "validation": Stream.VALIDATE, "test": Stream.TEST}


class Watcher(NamedTuple):
    """Whom to tell how far an evaluation is."""

    stage: Callable[[str, int], None] = lambda name, total: None
    """Called with the name of each stage and its number of images (0: unknown)."""
    images: Callable[[int], None] = lambda count: None
    """Called with the number of further images answered."""


def evaluate(
    run: Run,
    split: Literal["test", "validation"] = "test",
    *,
    linear: LinearKind = "logistic",
    C: float = 0.01,
    baselines: bool = True,
    snapshot: str = "last",
    threads: int | None = None,
    watcher: Watcher | None = None,
    responder: Responder | None = None,
) -> dict[str, Any]:
    """Score a state of a run by every read-out, and write the scores into the run.

    Parameters
    ----------
    run : the run
    split : test for the final figure; validation for tuning
    linear : kind of the linear read-out
    C : inverse strength of its regularisation
    baselines : also score the untrained network and a linear read-out of the pixels
    snapshot : which state: "last", or "best" by validation where the learning curve kept it
    threads : how many threads may compute; default all cores
    watcher : told about progress
    responder : what shows the images, such as a cluster's (stdpnet_analysis.cluster); results do not depend on it

    Returns
    -------
    What scores.json then holds: `readouts.<name>.accuracy` is a fraction.
    """
    watcher = watcher or Watcher()
    dataset = load_dataset(run.spec.dataset)
    check_dataset(run, dataset)
    if len(dataset.split(split).labels) == 0:
        raise RunError(f"{run.path}: has no {split} images; train with --set dataset.{split}=1000")
    state = run.load_snapshot(snapshot)
    evaluator = _Evaluator(run, dataset, split, linear, C, threads, watcher, responder or respond)
    responses = evaluator.responses("trained" if snapshot == "last" else snapshot, state.network)
    scores: dict[str, Any] = {
        "protocol": {
            "dataset": run.spec.dataset.name,
            "split": split,
            "images": len(dataset.split(split).labels),
            "calibration_images": len(dataset.calibration.labels),
            "training_images": state.images,
            "snapshot": snapshot,
            "linear": linear,
            "C": C,
        },
        **activity(responses[split]),
        "readouts": evaluator.readouts(responses),
    }
    if baselines:
        untrained = evaluator.responses("untrained", initial_network(run.spec))
        scores["untrained"] = {**activity(untrained[split]), "readouts": evaluator.readouts(untrained)}
        scores["pixels"] = {"readouts": {"linear": evaluator.pixels()}}
    return run.save_scores(scores, split, snapshot)


class _Evaluator(NamedTuple):
    """What stays the same while the trained network and the baselines are scored."""

    run: Run
    dataset: Dataset
    split: str
    linear: LinearKind
    C: float
    threads: int | None
    watcher: Watcher
    respond: Responder

    def responses(self, name: str, network: Network) -> dict[str, Responses]:
        """Return the calibration and the scored responses of a network, from the run's cache where it has them."""
        return {part: self._respond(f"{name}-{part}", network, part) for part in ("calibration", self.split)}

    def _respond(self, name: str, network: Network, part: str) -> Responses:
        spec = self.run.spec
        key = response_key(spec, network, self.dataset.sha256, part)
        cached = self.run.load_responses(name, key, sparse=True)
        if cached is not None:
            return cached
        images: Split = self.dataset.split(part)
        self.watcher.stage(f"{name} responses", len(images.labels))
        stream = STREAMS[part]
        answer = self.respond(spec, network, images, stream, threads=self.threads, progress=self.watcher.images)
        self.run.save_responses(name, answer, key)
        return self.run.load_responses(name, key, sparse=True) or answer

    def readouts(self, responses: Mapping[str, Responses]) -> dict[str, Any]:
        """Return the score of every read-out, calibrated and asked on the given responses."""
        spec, scored = self.run.spec, responses[self.split]
        classes = len(self.dataset.classes)
        result = {}
        for name, readout in make_readouts(spec.geometry.positions, self.linear, self.C, spec.seed % 2**32).items():
            self.watcher.stage(f"read-out {name}", 0)
            with threadpool_limits(self.threads):
                readout.fit(responses["calibration"].counts, responses["calibration"].labels)
                result[name] = score(scored.labels, readout.predict(scored.counts), classes).to_dict()
        return result

    def pixels(self) -> dict[str, Any]:
        """Return the score of a linear read-out of the pixels, fitted on the same labels."""
        self.watcher.stage("read-out of pixels", 0)
        fitted, scored = self.dataset.calibration, self.dataset.split(self.split)
        readout = LinearReadout(kind=self.linear, C=self.C, random_state=self.run.spec.seed % 2**32)
        with threadpool_limits(self.threads):
            readout.fit(fitted.images.reshape(len(fitted.labels), -1), fitted.labels)
            predicted = readout.predict(scored.images.reshape(len(scored.labels), -1))
        return score(scored.labels, predicted, len(self.dataset.classes)).to_dict()
