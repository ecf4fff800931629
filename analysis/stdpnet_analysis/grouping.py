"""Group the runs that repeat one experiment with other seeds, and name groups by the keys in which they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stdpnet.spec.base import Monitoring, flat
from stdpnet.spec.experiment import Experiment

MOST_KEYS = 3
"""Up to so many differing keys are listed in the name of a group; if there are more, the name of a run is used."""


class Member(NamedTuple):
    """What grouping needs of a run."""

    label: str
    """Short name of its network."""
    facts: Mapping[str, Any]
    """All that decides the result but the seed, by key."""
    name: str
    """Name of the run."""
    seed: int


def deciding_keys(spec: Experiment) -> dict[str, Any]:
    """Return table.key -> value of all that decides what a run learns, but for its seed."""
    return {key: value for key, value in flat(spec, Monitoring).items() if key != "seed"}


def grouped(members: Sequence[Member]) -> dict[str, list[int]]:
    """Return the members (by number) whose facts are equal, under names that tell the groups apart.

    A name is the network's label, with the keys in which groups of that label differ, or with a run's name where these
    are many.
    """
    groups: list[list[int]] = []
    for number, member in enumerate(members):
        same = (group for group in groups if members[group[0]][:2] == member[:2])
        group = next(same, None)
        if group is None:
            groups.append([number])
        else:
            group.append(number)
    named: dict[str, list[int]] = {}
    for group in groups:
        first = members[group[0]]
        rivals = [members[other[0]] for other in groups if members[other[0]].label == first.label]
        name = first.label if len(rivals) == 1 else f"{first.label}, {_apart(first, rivals)}"
        named[name if name not in named else f"{name} ({first.name})"] = group
    return named


def _apart(member: Member, rivals: Sequence[Member]) -> str:
    """Return the keys in which a member differs from any rival, with values, or its run's name without the seed."""
    keys = [key for key, value in member.facts.items() if any(rival.facts.get(key) != value for rival in rivals)]
    if 0 < len(keys) <= MOST_KEYS:
        return ", ".join(f"{key} = {member.facts[key]}" for key in keys)
    return member.name.removesuffix(f"-{member.seed}")
