"""Experiments side by side: results over seeds, sizes, speed and cost, and paired tests."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stdpnet.data import Dataset, available, load_dataset
from stdpnet.errors import DataError, RunError, StdpnetError
from stdpnet.runs import Run
from stdpnet.runs.scores import linear_readout
from stdpnet.runs.summary import training_speed
from stdpnet.stdp.spec.experiment import ExperimentSpec
from stdpnet.training import check_dataset
from stdpnet_analysis.energy import Cost, cost
from stdpnet_analysis.evaluation import STREAMS
from stdpnet_analysis.grouping import Member, deciding_keys, grouped, network_label
from stdpnet_analysis.readouts.votes import RULES
from stdpnet_analysis.statistics import PairedTest, Summary, holm, paired_test, summarise

ScoredSplit = Literal["test", "validation"]
READOUTS = ("vote", "linear")
"""The best voting rule of a group, and the linear read-out."""
Accuracies = dict[str, float]
"""Read-out -> fraction."""


@dataclass(frozen=True)
class Entry:
    """One run with scores."""

    path: Path
    spec: ExperimentSpec
    training_images: int
    """Images behind the scored state."""
    complete: bool
    """Whether the scored state is the run's final one."""
    stale: bool
    """Whether the run was trained further since it was scored."""
    protocol: Mapping[str, Any]
    trained: Accuracies
    untrained: Accuracies | None
    pixels: float | None
    """Accuracy of the linear read-out of the pixels."""
    images_per_s: float | None
    """Training speed (see stdpnet.runs.summary.training_speed)."""
    spikes: float
    """Spikes of the neurons per image."""
    cost: Cost | None
    """None where the images are not at hand."""

    @property
    def facts(self) -> dict[str, Any]:
        """All that decides the result but the seed; the goal, unless the scored state is on the way to it."""
        facts = deciding_keys(self.spec)
        if not self.complete:
            facts["training.images"] = self.training_images
        for key in ("split", "snapshot", "linear", "C"):
            facts[f"evaluation.{key}"] = self.protocol[key]
        return facts


@dataclass(frozen=True)
class LeftOut:
    """A run that could not be compared."""

    run: str
    reason: str
    """One sentence that names the remedy."""


@dataclass(frozen=True)
class Group:
    """One experiment, repeated with several seeds: a row of the table."""

    name: str
    entries: tuple[Entry, ...]
    """By seed."""

    @property
    def spec(self) -> ExperimentSpec:
        """The experiment, with the first seed."""
        return self.entries[0].spec

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the runs."""
        return tuple(entry.spec.seed for entry in self.entries)

    @property
    def rule(self) -> str:
        """The voting rule with the best mean accuracy over the seeds, as the thesis gives its best voting method."""
        return max(RULES, key=lambda rule: sum(entry.trained[rule] for entry in self.entries))

    def accuracies(self, readout: str) -> dict[int, float]:
        """Return seed -> accuracy of "vote" or "linear"."""
        key = self.rule if readout == "vote" else readout
        return {entry.spec.seed: entry.trained[key] for entry in self.entries}

    def accuracy(self, readout: str) -> Summary:
        """Return the accuracy of "vote" or "linear" over the seeds."""
        return summarise(list(self.accuracies(readout).values()))

    def untrained(self, readout: str) -> Summary | None:
        """Return the accuracy of the untrained networks, "vote" by the rule that suits them best."""
        tables = [entry.untrained for entry in self.entries if entry.untrained is not None]
        rules = RULES if readout == "vote" else (readout,)
        summaries = (summarise([table[rule] for table in tables]) for rule in rules if tables)
        return max(summaries, key=lambda summary: summary.mean, default=None)

    def mean(self, of: Callable[[Entry], float | None]) -> Summary | None:
        """Return a quantity over the runs that have it."""
        values = [value for entry in self.entries if (value := of(entry)) is not None]
        return summarise(values) if values else None


class Contrast(NamedTuple):
    """A paired test between two groups."""

    readout: str
    first: str
    second: str
    result: PairedTest
    holm: float | None
    """p-value of the t test, corrected for the number of tests of this read-out."""


@dataclass(frozen=True)
class Comparison:
    """What `stdpnet compare` tells."""

    split: ScoredSplit
    groups: tuple[Group, ...]
    tests: tuple[Contrast, ...]
    """Between all pairs of groups with at least two seeds in common."""
    left_out: tuple[LeftOut, ...]


def compare(runs: Iterable[Run | LeftOut], split: ScoredSplit = "test", snapshot: str = "last") -> Comparison:
    """Compare runs by their scores; nothing is simulated, and nothing is written.

    Parameters
    ----------
    runs : opened runs, and those that could not be opened
    split : the scored split
    snapshot : the scored state, as for `evaluate`
    """
    entries: list[Entry] = []
    left_out: list[LeftOut] = []
    images = _Images(split)
    for run in runs:
        if isinstance(run, LeftOut):
            left_out.append(run)
            continue
        try:
            entries.append(_entry(run, split, snapshot, images))
        except StdpnetError as error:
            left_out.append(LeftOut(str(run.path), str(error)))
    groups = _groups(entries)
    return Comparison(split, groups, _tests(groups), tuple(left_out))


def evaluate_command(run: Run, split: str = "test", snapshot: str = "last") -> str:
    """Return the command that scores a run."""
    options = [f" --{key} {value}" for key, value, usual in (("split", split, "test"), ("snapshot", snapshot, "last"))
               if value != usual]  # fmt: skip
    return f"stdpnet evaluate {run.path}{''.join(options)}"


def _entry(run: Run, split: ScoredSplit, snapshot: str, images: _Images) -> Entry:
    """Return a run's results; RunError, with the remedy, if it has none."""
    scores = run.load_scores(split, snapshot)
    command = evaluate_command(run, split, snapshot)
    if scores is None:
        remedy = f"`{command}` makes them" if run.has_state else f"`stdpnet resume {run.path}`, then `{command}`"
        raise RunError(f"no scores on {split} images; {remedy}")
    try:
        protocol, shown = scores["protocol"], scores["protocol"]["training_images"]
        tables = {name: scores[name]["readouts"] for name in ("untrained", "pixels") if name in scores}
        stale = snapshot == "last" and shown < run.images
        linear = linear_readout(scores["readouts"]) or "linear"
        settings = scores["readouts"][linear].get("settings", {})
        return Entry(
            path=run.path,
            spec=run.spec,
            training_images=shown,
            complete=run.status == "finished" and not stale,
            stale=stale,
            protocol={"snapshot": "last", **protocol, "linear": settings.get("kind"), "C": settings.get("C")},
            trained=_accuracies(scores["readouts"], linear),
            untrained=_accuracies(tables["untrained"], linear) if "untrained" in tables else None,
            pixels=tables["pixels"][linear]["accuracy"] if "pixels" in tables else None,
            images_per_s=training_speed(run),
            spikes=scores["spikes_per_image"],
            cost=images.cost(run, scores["spikes_per_image"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(f"its scores are damaged ({error!r}); `{command}` makes them anew") from None


def _accuracies(readouts: Mapping[str, Any], linear: str) -> Accuracies:
    return {
        name: float(readouts[key]["accuracy"]) for name, key in (*zip(RULES, RULES, strict=True), ("linear", linear))
    }


class _Images:
    """Scored images, loaded once for all runs of a dataset."""

    def __init__(self, split: ScoredSplit) -> None:
        self._split = split
        self._datasets: dict[str, Dataset] = {}

    def cost(self, run: Run, spikes: float) -> Cost | None:
        """Return a run's cost per image; None, with a warning, where its images are not at hand."""
        key = run.spec.dataset.model_dump_json()
        try:
            if key not in self._datasets:
                if any(each[::2] == (run.spec.dataset.name, "not downloaded") for each in available()):
                    raise DataError("its images are not at hand; set STDPNET_DATA")  # a look downloads nothing
                self._datasets[key] = load_dataset(run.spec.dataset)
            check_dataset(run, self._datasets[key])
        except (DataError, RunError) as error:
            warnings.warn(f"{run.path}: synaptic events are not counted ({error})", stacklevel=2)
            return None
        return cost(run.spec, self._datasets[key].split(self._split), STREAMS[self._split], spikes)


def _groups(entries: Sequence[Entry]) -> tuple[Group, ...]:
    """Return the groups, the architectures in their order of fame, then from many synapses to few."""
    members = [Member(network_label(entry.spec), entry.facts, entry.path.name, entry.spec.seed) for entry in entries]
    groups = []
    for name, numbers in grouped(members).items():
        chosen: dict[int, Entry] = {}
        for entry in (entries[number] for number in numbers):
            first = chosen.setdefault(entry.spec.seed, entry)
            if first is not entry:
                warnings.warn(f"{entry.path}: has the seed of {first.path}, and is not counted again", stacklevel=3)
        groups.append(Group(name, tuple(chosen[seed] for seed in sorted(chosen))))
    order = ("locally_connected", "convolutional", "fully_connected")
    return tuple(
        sorted(groups, key=lambda group: (order.index(group.spec.topology.architecture), -group.spec.geometry.synapses))
    )


def _tests(groups: Sequence[Group]) -> tuple[Contrast, ...]:
    tests: list[Contrast] = []
    for readout in READOUTS:
        found = [
            (first.name, second.name, result)
            for first, second in combinations(groups, 2)
            if (result := paired_test(first.accuracies(readout), second.accuracies(readout))) is not None
        ]
        corrected = holm([result.t_test for _, _, result in found])
        tests += [Contrast(readout, *each, p) for each, p in zip(found, corrected, strict=True)]
    return tuple(tests)


def points(value: float | None) -> float:
    """Return a fraction in percent; not a number for None."""
    return math.nan if value is None else 100 * value
