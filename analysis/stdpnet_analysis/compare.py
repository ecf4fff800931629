"""Experiments side by side: results over seeds, sizes, speed and cost, and paired tests."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stdpnet.errors import RunError, StdpnetError
from stdpnet.model import Facts, facts_of
from stdpnet.runs import Run
from stdpnet.runs.scores import SCALING, is_linear, linear_readout
from stdpnet.runs.summary import training_speed
from stdpnet.spec.experiment import Experiment
from stdpnet_analysis.grouping import Member, deciding_keys, grouped
from stdpnet_analysis.positions import shares_of
from stdpnet_analysis.readouts import ROLES, check_columns
from stdpnet_analysis.readouts.scores import best_of
from stdpnet_analysis.statistics import PairedTest, Summary, holm, paired_test, summarise

ScoredSplit = Literal["test", "validation"]
FAMILIES = ("LCSNN", "CSNN", "FCSNN")
"""Families in their order in tables; other families follow by name."""
Accuracies = dict[str, float]
"""Read-out -> fraction."""


@dataclass(frozen=True)
class Entry:
    """One run with scores."""

    path: Path
    spec: Experiment
    model: Facts
    training_images: int
    """Training images that the scored state has seen."""
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
    cost: Mapping[str, float]
    """Mean cost of an image by quantity: input_spikes, events; empty where older scores do not have it."""
    positions: Mapping[str, float] = field(default_factory=dict)
    """Shares of positions, by the names of stdpnet_analysis.positions.SHARES, as far as the scores have them."""

    @property
    def facts(self) -> dict[str, Any]:
        """All that decides the result but the seed.

        If the scored state is not the final one, training.images is what it has seen.
        """
        facts = deciding_keys(self.spec)
        if not self.complete:
            facts["training.images"] = self.training_images
        for key in ("split", "snapshot", "linear", "C", "scaling"):
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
    def model(self) -> Facts:
        """What a table says about the model."""
        return self.entries[0].model

    @property
    def other_linear(self) -> tuple[str, ...]:
        """Linear read-outs that all runs have, with other settings than the one called `linear` here."""
        names = self.entries[0].trained
        return tuple(name for name in names if is_linear(name) and name != "linear" and self.best(name))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the runs."""
        return tuple(entry.spec.seed for entry in self.entries)

    def best(self, column: str) -> str | None:
        """Return the read-out of a column with the best mean accuracy over the seeds; None if not all runs have one."""
        return best_of(column, *(entry.trained for entry in self.entries))

    def accuracies(self, column: str) -> dict[int, float]:
        """Return seed -> accuracy of the best read-out of a column."""
        name = self.best(column)
        return {} if name is None else {entry.spec.seed: entry.trained[name] for entry in self.entries}

    def accuracy(self, column: str) -> Summary | None:
        """Return the accuracy of the best read-out of a column over the seeds."""
        values = list(self.accuracies(column).values())
        return summarise(values) if values else None

    def untrained(self, column: str) -> Summary | None:
        """Return the accuracy of the untrained models, by the read-out of a column that suits them best."""
        tables = [entry.untrained for entry in self.entries if entry.untrained is not None]
        name = best_of(column, *tables)
        return None if name is None else summarise([table[name] for table in tables])

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
    """The content of `stdpnet compare`."""

    split: ScoredSplit
    groups: tuple[Group, ...]
    tests: tuple[Contrast, ...]
    """Between all pairs of groups with at least two seeds in common."""
    left_out: tuple[LeftOut, ...]
    columns: tuple[str, ...]
    """Read-outs that are compared, by role or name: the chosen ones, or all that a group has."""


def compare(
    runs: Iterable[Run | LeftOut],
    split: ScoredSplit = "test",
    snapshot: str = "last",
    readouts: Sequence[str] | None = None,
) -> Comparison:
    """Compare runs by their scores; nothing is simulated, and nothing is written.

    Parameters
    ----------
    runs : opened runs, and those that could not be opened
    split : the scored split
    snapshot : the scored state, as for `evaluate`
    readouts : which read-outs, by role (such as vote, the best of the thesis's rules) or name; default: every role
        that has scores, and every linear read-out with settings of its own, such as linear-sgd
    """
    entries: list[Entry] = []
    left_out: list[LeftOut] = []
    for run in runs:
        if isinstance(run, LeftOut):
            left_out.append(run)
            continue
        try:
            entries.append(_entry(run, split, snapshot))
        except StdpnetError as error:
            left_out.append(LeftOut(str(run.path), str(error)))
    groups = _groups(entries)
    others = dict.fromkeys(name for group in groups for name in group.other_linear)
    if readouts is not None:
        columns = check_columns(readouts, further=others)
    else:
        columns = (*(role for role in ROLES if any(group.best(role) is not None for group in groups)), *others)
    return Comparison(
        split=split, groups=groups, tests=_tests(groups, columns), left_out=tuple(left_out), columns=columns
    )


def evaluate_command(run: Run, split: str = "test", snapshot: str = "last") -> str:
    """Return the command that scores a run."""
    options = [f" --{key} {value}" for key, value, usual in (("split", split, "test"), ("snapshot", snapshot, "last"))
               if value != usual]  # fmt: skip
    return f"stdpnet evaluate {run.path}{''.join(options)}"


def usual_split(runs: Sequence[Run], snapshot: str = "last") -> ScoredSplit:
    """Return the split on which more of the runs have scores; where both have as many, test."""
    tested, validated = (
        sum(run.load_scores(split, snapshot) is not None for run in runs) for split in ("test", "validation")
    )
    return "validation" if validated > tested else "test"


def _entry(run: Run, split: ScoredSplit, snapshot: str) -> Entry:
    """Return a run's results; RunError, with the remedy, if it has none."""
    scores = run.load_scores(split, snapshot)
    command = evaluate_command(run, split, snapshot)
    if scores is None:
        remedy = f"`{command}` makes them" if run.has_state else f"`stdpnet resume {run.path}`, then `{command}`"
        other: ScoredSplit = "validation" if split == "test" else "test"
        if run.load_scores(other, snapshot) is not None:
            remedy += f", and --split {other} compares those that it has on {other} images"
        raise RunError(f"no scores on {split} images; {remedy}")
    facts = facts_of(run.spec)
    scored = scores.get("facts", {})
    for name, value in (("positions", facts.positions), ("units", facts.units), ("synapses", dict(facts.synapses))):
        if scored.get(name, value) != value:
            raise RunError(
                f"was scored with {name} = {scored[name]}, its config.toml now makes {value}; restore config.toml"
            )
    try:
        protocol, shown = scores["protocol"], scores["protocol"]["training_images"]
        tables = {name: scores[name]["readouts"] for name in ("untrained", "pixels") if name in scores}
        stale = snapshot == "last" and shown < run.images
        linear = linear_readout(scores["readouts"])
        settings = scores["readouts"].get(linear, {}).get("settings", {})
        return Entry(
            path=run.path,
            spec=run.spec,
            model=facts,
            training_images=shown,
            complete=run.status == "finished" and not stale,
            stale=stale,
            protocol={"snapshot": "last", **protocol, **_linear_settings(settings)},
            trained=_accuracies(scores["readouts"], linear),
            untrained=_accuracies(tables["untrained"], linear) if "untrained" in tables else None,
            pixels=_pixels(tables.get("pixels", {}), linear),
            images_per_s=training_speed(run),
            spikes=scores["spikes_per_image"],
            cost=scores.get("cost", {}),
            positions=shares_of(scores),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(f"its scores are damaged ({error!r}); `{command}` makes them anew") from None


def _linear_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a linear read-out; older scores do not name the scaling, as there was only one."""
    kind = settings.get("kind")
    return {"linear": kind, "C": settings.get("C"), "scaling": settings.get("scaling", SCALING) if kind else None}


def _pixels(readouts: Mapping[str, Any], linear: str | None) -> float | None:
    """Return the accuracy of the linear read-out of the pixels with the settings of that of the counts, if any."""
    name = linear or linear_readout(readouts)
    return None if name is None or name not in readouts else float(readouts[name]["accuracy"])


def _accuracies(readouts: Mapping[str, Any], linear: str | None) -> Accuracies:
    """Return the accuracies by read-out; the linear read-out of these names is called `linear` here."""
    return {"linear" if name == linear else name: float(score["accuracy"]) for name, score in readouts.items()}


def _groups(entries: Sequence[Entry]) -> tuple[Group, ...]:
    """Return the groups: LCSNN, CSNN, FCSNN, then others by name; within each from many synapses to few."""
    members = [
        Member(label=entry.model.label, facts=entry.facts, name=entry.path.name, seed=entry.spec.seed)
        for entry in entries
    ]
    groups = []
    for name, numbers in grouped(members).items():
        chosen: dict[int, Entry] = {}
        for entry in (entries[number] for number in numbers):
            first = chosen.setdefault(entry.spec.seed, entry)
            if first is not entry:
                warnings.warn(f"{entry.path}: has the seed of {first.path}, and is not counted again", stacklevel=3)
        groups.append(Group(name, tuple(chosen[seed] for seed in sorted(chosen))))
    return tuple(sorted(groups, key=lambda group: (*_place(group.model.family), -group.model.total_synapses)))


def _place(family: str) -> tuple[int, str]:
    return (FAMILIES.index(family) if family in FAMILIES else len(FAMILIES), family)


def _tests(groups: Sequence[Group], columns: Sequence[str]) -> tuple[Contrast, ...]:
    tests: list[Contrast] = []
    for column in columns:
        found = [
            (first.name, second.name, result)
            for first, second in combinations(groups, 2)
            if (result := paired_test(first.accuracies(column), second.accuracies(column))) is not None
        ]
        corrected = holm([result.t_test for _, _, result in found])
        tests += [Contrast(column, *each, p) for each, p in zip(found, corrected, strict=True)]
    return tuple(tests)


def points(value: float | None) -> float:
    """Return a fraction in percent; not a number for None."""
    return math.nan if value is None else 100 * value
