"""The tasks of Table 2 of the thesis: train its networks with several seeds, score them, keep the results."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from stdpnet.errors import ConfigError, RunError
from stdpnet.runs import Run
from stdpnet.runs.files import read_json, write_text
from stdpnet.runs.schema import Count, Open, Real, Share, Statistic, Text
from stdpnet.runs.scores import linear_name
from stdpnet.spec.load import dump_config, load_config
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet.stdp.spec.presets import TABLE_2
from stdpnet_analysis.cluster.jobs import leave_file
from stdpnet_analysis.evaluation import evaluate
from stdpnet_analysis.identity import code_digest
from stdpnet_analysis.paper.computing import finished_run
from stdpnet_analysis.readouts import check_columns, names_of
from stdpnet_analysis.readouts.scores import accuracies

RESULT = "table2.json"
"""A finished job's result, in its run's directory."""
CHECKPOINT = 1000
"""Training images between two checkpoints; a killed process loses at most so many."""


class Tuned(NamedTuple):
    """Settings with which the linear read-out is scored a second time."""

    strength: float
    """Factor of the competition while images are answered."""
    C: float
    """Inverse strength of the regularisation."""
    duration: float = 250.0
    """How long an image is shown while it is answered, ms; the presets train with 250."""


TUNED = {
    1: Tuned(0.06, 0.01),
    2: Tuned(0.06, 0.01, 1000),
    3: Tuned(0.12, 0.01),
    4: Tuned(1, 0.03, 1000),
    5: Tuned(1, 0.1),
    6: Tuned(0.09, 0.03, 500),
    7: Tuned(0.12, 0.03),
    8: Tuned(0.25, 0.03),
    9: Tuned(0.25, 0.01),
    10: Tuned(0.5, 0.03, 1000),
    11: Tuned(0.25, 0.03),
    12: Tuned(0.25, 0.1, 1000),
}
"""Row -> settings of the best preset's linear read-out; found on validation images."""


def _complete(accuracy: dict[str, float]) -> dict[str, float]:
    lacking = [name for name in ("all", "patch", "spikes_first", "linear") if name not in accuracy]
    if lacking:
        raise ValueError(f"lacks the read-out {lacking[0]}")
    return accuracy


Preset = Literal["thesis", "best"]


class TunedResult(TypedDict):
    """Score of the linear read-out with the settings of `Tuned`."""

    strength: Real
    C: Real
    duration: NotRequired[Real]
    accuracy: Share


class Result(Open):
    """The file that a finished task writes."""

    row: Annotated[Count, Field(ge=1)]
    seed: Count
    accuracy: Annotated[dict[Text, Share], AfterValidator(_complete)]
    untrained: Annotated[dict[Text, Share], AfterValidator(_complete)] | None
    pixels: dict[Text, Share] | None
    tuned: NotRequired[TunedResult | None]
    training_images: Count
    training_seconds: Real
    evaluation_seconds: Real
    images_per_s: Statistic


class Task(NamedTuple):
    """One network of one row, trained with one seed and scored on the test split."""

    row: int
    seed: int
    spec: STDPExperiment
    key: str
    """Digest of the resolved configuration, seed included, and of the code that computes."""
    run: Path
    readouts: tuple[str, ...]
    """The read-outs that are scored, by role or name."""
    baselines: bool
    """Whether the untrained network and the pixels are scored too."""
    tuned: Tuned | None
    """Settings with which the linear read-out is scored a second time; None: it is not."""
    leave: Path
    """See stdpnet_analysis.cluster.jobs.Stopper."""

    @property
    def title(self) -> str:
        """Its name in a progress display."""
        return f"row {self.row}, seed {self.seed}"

    @property
    def cost(self) -> int:
        """A rough measure of the time it takes; the longest task begins first."""
        return self.spec.geometry.neurons

    def result(self) -> dict[str, Any] | None:
        """Return the result if it has all the read-outs, else None; RunError if the file is of another task."""
        path = self.run / RESULT
        remedy = "remove it, and the same command makes it anew"
        result = read_json(path, Result, remedy) if os.path.lexists(path) else {}
        if result and (result["row"], result["seed"]) != (self.row, self.seed):
            found = f"row {result['row']}, seed {result['seed']}"
            raise RunError(f"{path}: is of {found}, not of row {self.row}, seed {self.seed}; {remedy}")
        scored, tuned = result.get("accuracy", {}), result.get("tuned") or {}
        complete = all(set(names_of(column)) <= set(scored) for column in self.readouts)
        return result if complete and (self.tuned is None or self.tuned._asdict().items() <= tuned.items()) else None

    def perform(self) -> bool:
        """Train, evaluate and write the result into the run; return whether it was brought to its end."""
        if (run := finished_run(self)) is None:
            return False
        begin = time.perf_counter()
        scores = evaluate(run, "test", readouts=self.readouts, baselines=self.baselines, threads=1)
        tuned = _tuned(self.tuned, run)
        result = _result(self, run, scores, tuned, time.perf_counter() - begin)
        write_text(run.path / RESULT, json.dumps(result, indent=2) + "\n")
        return True


def plan(
    rows: Iterable[int],
    seeds: int,
    preset: Preset,
    folder: Path,
    overrides: Sequence[str] = (),
    *,
    first: int = 0,
    readouts: Sequence[str] | None = None,
) -> list[Task]:
    """Return the tasks of rows of the table.

    Parameters
    ----------
    rows : numbers of rows, 1 to 12
    seeds : trainings of each network, with the seeds first, first + 1, ...
    preset : the parameters of the thesis, or the best ones found since
    folder : where the runs are
    overrides : as for `stdpnet train --set`
    first : the first seed; the baselines are scored with this one alone
    readouts : scored read-outs, by role or name; default: those of the configuration. A network that was scored with
        other read-outs is scored again, but not trained again.

    Raises
    ------
    ConfigError
        If there is no such row or read-out, or an override is wrong.
    """
    tasks = []
    for row in rows:
        if row not in TABLE_2:
            raise ConfigError(f"--rows {row}: Table 2 has the rows 1 to {len(TABLE_2)}")
        name = TABLE_2[row].name + ("-thesis" if preset == "thesis" else "")
        spec = load_config(name, [f"checkpoint.every={CHECKPOINT}", *overrides])
        tuned = TUNED.get(row) if preset == "best" and spec.competition.rule != "none" else None
        tasks += tasks_of(row, name, spec, range(first, first + seeds), folder, readouts, tuned)
    return tasks


def tasks_of(
    row: int,
    name: str,
    spec: STDPExperiment,
    seeds: range,
    folder: Path,
    readouts: Sequence[str] | None = None,
    tuned: Tuned | None = None,
) -> list[Task]:
    """Return the tasks of one row of a table, one for each seed.

    Parameters
    ----------
    row : its number
    name : how the names of its runs begin
    spec : its experiment
    seeds : of its trainings; the baselines are scored with the first one alone
    folder, readouts : see `plan`
    tuned : settings with which the linear read-out is scored a second time; None: it is not
    """
    names, named = (spec.evaluation.readouts, "evaluation.readouts") if readouts is None else (readouts, "--readouts")
    tasks = []
    for seed in seeds:
        seeded = spec.updated({"seed": seed})
        key = hashlib.sha256(f"{dump_config(seeded)}\n{code_digest()}".encode()).hexdigest()
        task = Task(
            row=row,
            seed=seed,
            spec=seeded,
            key=key,
            run=folder.resolve() / f"{name}-seed{seed}-{key[:10]}",
            readouts=check_columns(names, named),
            baselines=seed == seeds.start,
            tuned=tuned,
            leave=leave_file(folder),
        )
        tasks.append(task)
    return tasks


def digest(tasks: Sequence[Task]) -> str:
    """Return a short digest of the tasks and their read-outs, the same for the same request to the same code."""
    return hashlib.sha256(json.dumps([[task.key, *task.readouts] for task in tasks]).encode()).hexdigest()[:8]


def _tuned(tuned: Tuned | None, run: Run) -> TunedResult | None:
    if tuned is None:
        return None
    at = {"competition.strength": tuned.strength, "simulation.duration": tuned.duration}
    scores = evaluate(run, "test", readouts=["linear"], C=tuned.C, baselines=False, at=at, threads=1)
    accuracy = accuracies(scores)[linear_name(inverse_regularisation=tuned.C)]
    return {"strength": tuned.strength, "C": tuned.C, "duration": tuned.duration, "accuracy": accuracy}


def _result(task: Task, run: Run, scores: dict[str, Any], tuned: TunedResult | None, seconds: float) -> dict[str, Any]:
    rows = run.rows("progress")
    rates = [(row["interval_images"], row["images_per_s"]) for row in rows if row.get("images_per_s")]
    training = sum(images / rate for images, rate in rates)
    return {
        "row": task.row,
        "seed": task.seed,
        "key": task.key,
        "accuracy": accuracies(scores),
        "untrained": accuracies(scores["untrained"]) if task.baselines else None,
        "pixels": accuracies(scores["pixels"]) if task.baselines else None,
        "tuned": tuned,
        "silent_images": scores["silent_images"],
        "training_images": run.images,
        "calibration_images": scores["protocol"]["calibration_images"],
        "test_images": scores["protocol"]["images"],
        "training_seconds": training,
        "evaluation_seconds": seconds,
        "images_per_s": sum(images for images, _ in rates) / training if training else None,
    }
