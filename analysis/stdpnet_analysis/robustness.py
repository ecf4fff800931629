"""Robustness: the accuracy of a trained model on distorted images, or at other operating points, against strength."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from stdpnet import operating
from stdpnet.errors import ConfigError
from stdpnet.model import State
from stdpnet.runs import Run
from stdpnet.runs.schema import RobustnessFile
from stdpnet_analysis.evaluation import Evaluator, activity, name_of
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.readouts import check_columns
from stdpnet_analysis.readouts.base import CountsClassifier
from stdpnet_analysis.readouts.reader import Reader, pixels_of
from stdpnet_analysis.results import ResultsFile

ROBUSTNESS = ResultsFile("robustness", RobustnessFile, "no accuracies on distorted images yet")
"""The files in which accuracies are written."""
BOTH = "both"
"""The series of rotation and random background together: its strength is the share of the largest of each."""
SERIES: dict[str, tuple[float, ...]] = {
    "rotation": (0, 15, 30, 60, 90, 180),
    "background": (0, 0.25, 0.5, 0.75, 1),
    BOTH: (0, 0.25, 0.5, 0.75, 1),
    "noise": (0, 0.1, 0.2, 0.3, 0.5),
    "occlusion": (0, 0.05, 0.1, 0.2, 0.4),
}
"""Distortions with their default strengths: keys of dataset.distortion, and both of the first two."""
UNITS = {"rotation": "largest angle, degrees", "background": "brightest pixel / white", BOTH: "share of 180° and white",
         "noise": "standard deviation / white", "occlusion": "share of the area"}  # fmt: skip
"""Meaning of the strength of each series."""


def point_of(series: str, strength: Any) -> dict[str, Any]:
    """Return the operating point of a strength of a series.

    Parameters
    ----------
    series : a distortion, such as rotation; "both"; or any key of an operating point, such as spiking.dt
    strength : its value
    """
    if series not in SERIES:
        return {series: strength}
    values = {"rotation": 180 * strength, "background": strength} if series == BOTH else {series: strength}
    return {f"{operating.DISTORTION}{name}": value for name, value in values.items()}


def robustness(
    run: Run,
    split: Literal["test", "validation"] = "test",
    *,
    series: Mapping[str, Sequence[Any]] | None = None,
    readouts: Sequence[str] | None = None,
    baselines: bool = True,
    snapshot: str = "last",
    at: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Score a state of a run on distorted images, and write the accuracies into the run.

    The read-outs are calibrated on clean images, and so is the linear read-out of the pixels beside them.

    Parameters
    ----------
    run : the run
    split : the images that are distorted and scored
    series : name -> strengths (see `point_of`); default: `SERIES`
    readouts : names of the read-outs; default: those of the run's configuration
    baselines : also score the linear read-out of the pixels
    snapshot : which state: "last", or "best"
    at : what differs from the training at every point, as for `evaluate`
    threads : how many threads may compute; default all cores
    progress : called at each stage

    Returns
    -------
    What robustness.json then holds: `series.<name>` is a list of points, each with `strength`, `at`, and
    `readouts.<name>`: accuracy, interval (95 %, Wilson) and n; `pixels.<name>` the same of the pixels.

    Raises
    ------
    ConfigError
        If there is no series or strength, or one is not valid.
    """
    chosen = check_series(SERIES if series is None else series)
    key = f"{run.path}: evaluation.readouts" if readouts is None else "--readouts"
    names = check_columns(run.spec.evaluation.readouts if readouts is None else readouts, key)
    usual = Evaluator.of(run, split, Reader(names, threads=threads, progress=progress), point=at or {})
    for name, strengths in chosen.items():
        for strength in strengths:  # before anything is computed
            operating.resolved(run.spec, {**(at or {}), **point_of(name, strength)})
    state = run.load_snapshot(snapshot)
    scorer = _Scorer(name_of(snapshot), state, baselines)
    found: dict[str, dict[str, list[dict[str, Any]]]] = {"series": {}, "pixels": {}}
    for name, strengths in chosen.items():
        for strength in strengths:
            evaluator = usual.at({**(at or {}), **point_of(name, strength)})
            for part, scores in scorer.at(evaluator).items():
                found[part].setdefault(name, []).append({"strength": strength, "at": dict(evaluator.point), **scores})
    result: dict[str, Any] = {
        "protocol": {
            **usual.protocol(state),
            "snapshot": snapshot,
            **({"at": dict(usual.point)} if usual.point else {}),
        },
        **{part: content for part, content in found.items() if content},
    }
    ROBUSTNESS.write(run, split, snapshot, result, operating.label(usual.point))
    return result


def check_series(series: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Return series with their strengths in order, each once; ConfigError if there are none."""
    if not series:
        raise ConfigError(f"--vary: names no series; choose among {', '.join(SERIES)}, or a key such as spiking.dt")
    chosen: dict[str, list[Any]] = {}
    for name, strengths in series.items():
        if not strengths:
            raise ConfigError(f"--vary {name}: has no strength; give some, such as {name}=0.1,0.2")
        if not all(isinstance(each, (int, float, str)) for each in strengths):
            raise ConfigError(f"--vary {name}: strengths are numbers or words, such as {name}=0.1,0.2")
        chosen[name] = list(dict.fromkeys(strengths))
        if name in SERIES and not all(
            isinstance(each, (int, float)) and not isinstance(each, bool) for each in strengths
        ):
            raise ConfigError(f"--vary {name}: strengths are numbers, such as {name}=0.1,0.2")
    return chosen


class _Scorer:
    """Scores at many operating points; read-outs are fitted once for each point of the calibration images."""

    def __init__(self, name: str, state: State, baselines: bool) -> None:
        self._name, self._state, self._baselines = name, state, baselines
        self._fitted: dict[str, dict[str, CountsClassifier]] = {}
        self._known: dict[str, dict[str, Any]] = {}

    def at(self, evaluator: Evaluator) -> dict[str, dict[str, Any]]:
        """Return the scores of the model ("series") and of the pixels at a point; each point is computed once."""
        key = json.dumps(dict(evaluator.point), sort_keys=True)
        if key not in self._known:
            self._known[key] = {"series": self._model(evaluator)} | (
                {"pixels": self._pixels(evaluator)} if self._baselines else {}
            )
        return self._known[key]

    def _model(self, evaluator: Evaluator) -> dict[str, Any]:
        def fit() -> dict[str, CountsClassifier]:
            calibration = evaluator.respond_to("calibration", self._name, self._state)
            return evaluator.reader.fit_all(evaluator.run.spec, evaluator.facts, calibration)

        scored = evaluator.respond_to(evaluator.split, self._name, self._state)
        fitted = self._once("counts", evaluator, fit) if scored.counts.shape[1] else {}
        answers = evaluator.reader.fitted_answers(fitted, scored)
        return {**activity(scored), "readouts": _short(evaluator.scores(answers, scored.labels))}

    def _pixels(self, evaluator: Evaluator) -> dict[str, Any]:
        def fit() -> dict[str, CountsClassifier]:
            return evaluator.reader.fit_pixels(evaluator.run.spec, evaluator.images("calibration"))

        images = evaluator.images(evaluator.split)
        answers = evaluator.reader.fitted_answers(self._once("pixels", evaluator, fit), pixels_of(images))
        return {"readouts": _short(evaluator.scores(answers, images.labels))}

    def _once(
        self, what: str, evaluator: Evaluator, fit: Callable[[], dict[str, CountsClassifier]]
    ) -> dict[str, CountsClassifier]:
        """Return the read-outs fitted at a point of the calibration images; fit them if they are not fitted yet."""
        key = f"{what} {json.dumps(evaluator.calibration_point, sort_keys=True)}"
        if key not in self._fitted:
            self._fitted[key] = fit()
        return self._fitted[key]


def _short(readouts: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return scores without confusion matrix and reliability."""
    return {
        name: {key: score[key] for key in ("accuracy", "interval", "n", "role") if key in score}
        for name, score in readouts.items()
    }
