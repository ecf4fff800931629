"""Compare ways of learning: each system on MNIST, Fashion-MNIST, rotated digits and digits on random backgrounds.

Each system is trained on the clean images of MNIST and of Fashion-MNIST with several seeds. Networks that were trained
on MNIST also answer distorted test images (docs/distorted-data.md). Scores stay in the runs and are not computed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stdpnet import operating
from stdpnet.errors import ConfigError, remedy_for
from stdpnet.model import facts_of
from stdpnet.reading import shortened
from stdpnet.runs import Run
from stdpnet.runs.scores import are_spikes
from stdpnet.runs.summary import training_speed
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.load import dump_config, load_config
from stdpnet_analysis.cluster.jobs import leave_file
from stdpnet_analysis.evaluation import evaluate
from stdpnet_analysis.paper.computing import finished_run
from stdpnet_analysis.readouts import title_of
from stdpnet_analysis.readouts.scores import accuracies, best_of
from stdpnet_analysis.statistics import Summary, summarise
from stdpnet_analysis.tables import Table
from stdpnet_analysis.text import count, percent

CONDITIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "MNIST": ("mnist", {}),
    "Fashion-MNIST": ("fashion-mnist", {}),
    "rotated": ("mnist", {"dataset.distortion.rotation": 180}),
    "random background": ("mnist", {"dataset.distortion.background": 1}),
}
"""Column of the table -> dataset of the training, and operating point of the test images."""
UNSUPERVISED = ("log_evidence", "linear")
"""Read-outs of systems that learn without labels."""


class System(NamedTuple):
    """A way of learning, and the presets with which it is trained on each set."""

    presets: Mapping[str, str]
    """Name of a dataset -> name of the preset that is trained on it, even if it was made for another dataset."""
    readouts: tuple[str, ...] = UNSUPERVISED
    """Columns of read-outs; `own` are the answers of a supervised model."""
    remark: str = ""
    """Text after the model's label in the table, if another system has the same label."""


def _one(preset: str) -> System:
    return System({"mnist": preset, "fashion-mnist": preset})


def _supervised(digits: str, fashion: str | None = None, remark: str = "") -> System:
    return System({"mnist": digits, "fashion-mnist": fashion or digits}, ("own",), remark)


SYSTEMS: dict[str, System] = {
    "lcsnn": System({"mnist": "lcsnn-100-k12", "fashion-mnist": "fashion-lcsnn-100-k12"}),
    "csnn": _one("csnn-100-k8"),
    "fcsnn": _one("fcsnn-100"),
    "random": _one("features-random-100-k12"),
    "kmeans": _one("features-kmeans-100-k12"),
    "pca": _one("features-pca-100-k12"),
    "rate-conversion": _supervised("rate-conversion-mnist", "rate-conversion-fashion"),
    "colanet": _supervised("colanet-mnist", "colanet-fashion"),
    "colanet-tuned": _supervised("colanet-mnist-tuned", remark=" in ten passes"),
    "colanet-spiking": _supervised("colanet-mnist-spiking"),
    "colanet-kernels": _supervised("colanet-mnist-kernels"),
    "bptt": _supervised("bptt-mnist", "bptt-fashion"),
}
"""The systems by name, in the order of the table."""


class Task(NamedTuple):
    """One training of one system on one set, and its scores."""

    system: str
    dataset: str
    seed: int
    spec: Experiment
    run: Path
    leave: Path
    """See stdpnet_analysis.cluster.jobs.Stopper."""

    @property
    def title(self) -> str:
        """Its name in a progress display."""
        return f"{self.system} on {self.dataset}, seed {self.seed}"

    @property
    def cost(self) -> int:
        """A rough measure of the time it takes; the longest task begins first."""
        return self.spec.training.images * facts_of(self.spec).units

    @property
    def points(self) -> dict[str, dict[str, Any]]:
        """Column of the table -> operating point of its test images."""
        return {
            name: operating.resolved(self.spec, point)
            for name, (dataset, point) in CONDITIONS.items()
            if dataset == self.dataset
        }

    def result(self) -> dict[str, Mapping[str, Any]] | None:
        """Return the scores by column of the table; None unless the training is finished and has all of them."""
        if not (self.run / "config.toml").exists():
            return None
        run = Run.open(self.run)
        found: dict[str, Mapping[str, Any]] = {}
        for name, point in self.points.items():
            scores = run.load_scores(point=operating.label(point))
            if scores is None or scores["protocol"]["training_images"] != self.spec.training.images:
                return None
            if not all(best_of(column, accuracies(scores)) for column in SYSTEMS[self.system].readouts):
                return None
            found[name] = scores
        return found

    def perform(self) -> bool:
        """Train and score; return whether it was brought to its end."""
        if (run := finished_run(self)) is None:
            return False
        for point in self.points.values():
            evaluate(run, readouts=SYSTEMS[self.system].readouts, baselines=False, at=point, threads=1)
        return True


def plan(
    systems: Iterable[str], seeds: int, folder: Path, overrides: Sequence[str] = (), *, first: int = 0
) -> list[Task]:
    """Return the trainings that a table needs.

    Parameters
    ----------
    systems : names of systems
    seeds : number of trainings of each system on each dataset, with the seeds first, first + 1, ...
    folder : where the runs are; their names contain a digest of the configuration
    overrides : as for `stdpnet train --set`, of every system
    first : the first seed

    Raises
    ------
    ConfigError
        If there is no such system, or an override is wrong.
    """
    tasks = []
    for system in systems:
        if system not in SYSTEMS:
            raise ConfigError(f"--systems {shortened(system)}: is unknown; {remedy_for(system, SYSTEMS)}")
        for dataset, preset in SYSTEMS[system].presets.items():
            spec = load_config(preset, [f"dataset.name={dataset}", *overrides])
            for seed in range(first, first + seeds):
                seeded = spec.updated({"seed": seed})
                key = hashlib.sha256(dump_config(seeded).encode()).hexdigest()[:10]
                name = f"{system}-{dataset}-seed{seed}-{key}"
                run = folder.resolve() / name
                tasks.append(
                    Task(system=system, dataset=dataset, seed=seed, spec=seeded, run=run, leave=leave_file(folder))
                )
    return tasks


def summary(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Return a row for each system and read-out; accuracies are fractions, what is missing is None.

    Labels are those of the training images, or those with which the read-out was calibrated. Synapses, training time
    and spikes per image are those of the network on MNIST.
    """
    results = {task: result for task in tasks if (result := task.result()) is not None}
    rows = []
    for system in dict.fromkeys(task.system for task in tasks):
        of_system = {task: result for task, result in results.items() if task.system == system}
        for column in SYSTEMS[system].readouts:
            digits = {task: result["MNIST"] for task, result in of_system.items() if "MNIST" in result}
            found = {name: [result[name] for result in of_system.values() if name in result] for name in CONDITIONS}
            rows.append(_row(system, column, digits, found))
    return rows


def _row(
    system: str, column: str, digits: Mapping[Task, Mapping[str, Any]], found: Mapping[str, list[Mapping[str, Any]]]
) -> dict[str, Any]:
    task = next(iter(digits), None)
    row: dict[str, Any] = {"system": system, "readout": column, "seeds": [done.seed for done in digits]}
    row["name"] = system if task is None else facts_of(task.spec).label + SYSTEMS[system].remark
    row["supervised"] = column == "own"
    row["accuracy"] = {name: _summary(_accuracies(column, scores)) for name, scores in found.items()}
    if task is None:
        return row | dict.fromkeys(("labels", "synapses", "training_seconds", "spikes_per_image"))
    protocol = digits[task]["protocol"]
    spikes = [scores["spikes_per_image"] for scores in digits.values() if are_spikes(scores["cost"])]
    speeds = {done: training_speed(Run.open(done.run)) for done in digits}
    seconds = [done.spec.training.images / speed for done, speed in speeds.items() if speed]
    return row | {
        "labels": protocol["training_labels" if column == "own" else "calibration_images"],
        "synapses": facts_of(task.spec).total_synapses,
        "training_seconds": _mean(seconds),
        "spikes_per_image": _mean(spikes),
    }


def _accuracies(column: str, scores: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return the accuracy of a column's best read-out for each seed."""
    tables = [accuracies(of_seed) for of_seed in scores]
    name = best_of(column, *tables)
    return [] if name is None else [table[name] for table in tables]


def _mean(values: Sequence[float]) -> float | None:
    return summarise(values).mean if values else None


def _summary(values: Sequence[float]) -> Summary | None:
    return summarise(values) if values else None


def plain(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of `summary` ready for JSON: means and standard deviations by name."""
    return [
        {**row, "accuracy": {name: cell and cell.mean_sd for name, cell in row["accuracy"].items()}} for row in rows
    ]


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the rows of `summary` as text, accuracies in percent."""
    cells = []
    for row in rows:
        accuracy = [percent(row["accuracy"][name]) for name in CONDITIONS]
        numbers = [count(row[key]) for key in ("labels", "synapses", "training_seconds", "spikes_per_image")]
        learned = "yes" if row["supervised"] else "no"
        cells.append(
            [f"{row['name']}, {title_of(row['readout'])}", str(len(row["seeds"])), *accuracy, learned, *numbers]
        )
    title = "Accuracy on test images, %, mean ± sample standard deviation over seeds; trained on clean images"
    headings = ["system", "seeds", *CONDITIONS, "supervised", "labels", "synapses", "training, s", "spikes per image"]
    return Table(title, headings, cells)
