"""Accuracy against strength, over runs: runs that differ in the seed alone are one curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stdpnet.model import facts_of
from stdpnet.runs import Run
from stdpnet_analysis.grouping import Member, deciding_keys, grouped
from stdpnet_analysis.readouts import ROLES
from stdpnet_analysis.readouts.scores import accuracies, best_of
from stdpnet_analysis.statistics import summarise

PIXELS = "pixels"
"""Name of the group that is the linear read-out of the pixels."""


class Point(NamedTuple):
    """The accuracy at one strength."""

    strength: Any
    mean: float
    """Fraction; over the seeds where there are several."""
    sd: float | None
    """Sample standard deviation over the seeds; None of a single one."""
    interval: tuple[float, float]
    """Of one seed the 95 % Wilson interval over the choice of images; of several seeds mean - sd, mean + sd."""
    seeds: int


class Curve(NamedTuple):
    """The accuracy of a group of runs by one read-out, against strength."""

    group: str
    column: str
    """Role of the read-out, such as vote."""
    points: tuple[Point, ...]


def curves(runs: Sequence[Run], results: Sequence[Mapping[str, Any]]) -> dict[str, list[Curve]]:
    """Return the curves of each series that all runs of a group have, the pixels last.

    Parameters
    ----------
    runs : the runs
    results : what `stdpnet_analysis.robustness.robustness` returned of each
    """
    members = [
        Member(label=facts_of(run.spec).label, facts=deciding_keys(run.spec), name=run.path.name, seed=run.spec.seed)
        for run in runs
    ]
    found: dict[str, list[Curve]] = {}
    for group, numbers in grouped(members).items():
        for series in results[numbers[0]]["series"]:
            rows = [results[number]["series"].get(series, []) for number in numbers]
            found.setdefault(series, []).extend(_of_group(group, rows))
    for series in found:
        first: Sequence[Any] = next((each[PIXELS][series] for each in results if series in each.get(PIXELS, {})), [])
        found[series].extend(_of_group(PIXELS, [first]))
    return found


def _of_group(group: str, rows: Sequence[Sequence[Mapping[str, Any]]]) -> list[Curve]:
    """Return a curve for each column of the read-outs of a group's runs, at the strengths that all runs have."""
    strengths = [point["strength"] for point in rows[0] if all(_at(row, point["strength"]) for row in rows)]
    if not strengths:
        return []
    tables = [accuracies(_at(row, strengths[0]) or {"readouts": {}}) for row in rows]
    return [
        Curve(group, column, tuple(_point(rows, strength, name) for strength in strengths))
        for column in ROLES
        if (name := best_of(column, *tables)) is not None  # the best voting rule at the first strength
    ]


def _at(row: Sequence[Mapping[str, Any]], strength: Any) -> Mapping[str, Any] | None:
    return next((point for point in row if point["strength"] == strength), None)


def _point(rows: Sequence[Sequence[Mapping[str, Any]]], strength: Any, name: str) -> Point:
    scores = [point["readouts"][name] for row in rows if (point := _at(row, strength)) and name in point["readouts"]]
    summary = summarise([float(score["accuracy"]) for score in scores])
    if summary.sd is None:
        low, high = scores[0].get("interval", (summary.mean, summary.mean))
    else:
        low, high = summary.mean - summary.sd, summary.mean + summary.sd
    return Point(strength=strength, mean=summary.mean, sd=summary.sd, interval=(low, high), seeds=summary.n)
