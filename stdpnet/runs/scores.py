"""The scores that `stdpnet evaluate` writes into a run: add read-outs to a file, recognise scores of an earlier state.

Each read-out has a role, the column of a table in which it stands (see stdpnet_analysis.readouts). The linear read-out
with its default settings is called `linear`; with others it has an entry of its own, such as `linear-sgd` or
`linear-C0.1`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stdpnet.runs.files import read_json
from stdpnet.runs.schema import ScoresFile

Scores = dict[str, Any]
"""What scores.json holds (see runs/README.md)."""
KIND, C, SCALING = "logistic", 0.01, "standardised_roots"
"""Settings of the read-out that is called `linear`."""
SETTINGS = ("linear", "C")
"""Keys of the protocol that older files gave the settings of the linear read-out."""


@dataclass(frozen=True, kw_only=True)
class ScoredState:
    """The accuracies of one state of a run on one split."""

    split: str
    """test or validation."""
    snapshot: str
    """last, or the name of a kept state such as best."""
    training_images: int
    """Training images that the scored state has seen."""
    stale: bool
    """Whether the run has been trained further since, so that the state of this name is another one now."""
    accuracy: dict[str, float]
    """Fraction of the images answered correctly, by read-out."""
    best: dict[str, float]
    """The best accuracy by column of a table: the role, or the name of a linear read-out with other settings."""


def are_spikes(cost: Mapping[str, float]) -> bool:
    """Return whether counts are spikes, from what an image costs: units that only multiply have none."""
    return cost.keys() != {"multiplications"}


def read_scores(path: Path) -> Scores | None:
    """Return the scores of a file in their present form, None if there is no such file.

    Raises
    ------
    RunError
        If it cannot be read, or holds no scores.
    """
    if not os.path.lexists(path):
        return None
    scores: Scores = read_json(path, ScoresFile, "`stdpnet evaluate` makes it anew")
    return in_present_form(scores)


def role(name: str, score: Mapping[str, Any]) -> str:
    """Return the role of a read-out from its entry; older files had votes and one linear read-out, without roles."""
    return str(score.get("role", "linear" if name == "linear" else "vote"))


def linear_readout(readouts: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the name of the linear read-out: the one with default settings, or else the first; None if none is."""
    names = [name for name, score in readouts.items() if role(name, score) == "linear"]
    return "linear" if "linear" in names else next(iter(names), None)


def is_linear(name: str) -> bool:
    """Return whether a read-out has the name of a linear one, with whatever settings (see `linear_name`)."""
    return name == "linear" or name.startswith("linear-")


def linear_name(kind: str = KIND, inverse_regularisation: float = C, scaling: str = SCALING) -> str:
    """Return the name of a linear read-out with these settings.

    Parameters
    ----------
    kind : logistic or sgd; sgd has no other setting
    inverse_regularisation : C of logistic regression
    scaling : what logistic regression does to the counts
    """
    if kind != KIND:
        return f"linear-{kind}"
    scaled = "" if scaling == SCALING else f"-{scaling}"
    return f"linear{scaled}" + ("" if inverse_regularisation == C else f"-C{inverse_regularisation:g}")


def in_present_form(scores: Scores) -> Scores:
    """Return scores with the settings of each linear read-out in its name and entry, not in the protocol.

    Older files have one linear read-out, called `linear` whatever its settings, which are in the protocol.
    """
    protocol = scores.get("protocol", {})
    if not any(key in protocol for key in SETTINGS):
        return scores
    kind, inverse = protocol.get("linear", KIND), protocol.get("C", C)
    settings = {"kind": kind, "C": inverse} if kind == KIND else {"kind": kind}

    def renamed(readouts: Mapping[str, Any]) -> dict[str, Any]:
        new = {name: score for name, score in readouts.items() if name != "linear"}
        if "linear" in readouts:
            new[linear_name(kind, inverse)] = readouts["linear"] | {"role": "linear", "settings": settings}
        return new

    changed = scores | {"protocol": {key: value for key, value in protocol.items() if key not in SETTINGS}}
    for table, part in _tables(scores).items():
        new = renamed(part["readouts"])
        changed |= {"readouts": new} if table == "" else {table: part | {"readouts": new}}
    return changed


def merged(earlier: Scores | None, new: Scores) -> Scores:
    """Return new scores with the read-outs that were scored earlier, if state and protocol are the same.

    Parameters
    ----------
    earlier : what the file holds; None if there is none
    new : scores of an evaluation; a read-out that both have is taken from here
    """
    new, earlier = in_present_form(new), in_present_form(earlier or {})
    if "protocol" not in earlier or earlier["protocol"] != new["protocol"]:
        return new
    result = new | earlier | new  # the same order of keys after each evaluation
    for table, part in _tables(earlier).items():
        later = new if table == "" else new.get(table, {})
        readouts = {"readouts": part["readouts"] | later.get("readouts", {})}
        result |= readouts if table == "" else {table: later | part | later | readouts}
    return result


def _tables(scores: Scores) -> dict[str, Any]:
    """Return the parts of scores that have read-outs: the trained state under "", and the baselines that there are."""
    return {"": scores} | {name: scores[name] for name in ("untrained", "pixels") if name in scores}


def scored_state(scores: Scores, split: str, snapshot: str, images_now: int) -> ScoredState:
    """Return the accuracies in a file of scores.

    Parameters
    ----------
    scores : what the file holds, in its present form
    split, snapshot : which file it is
    images_now : training images of the state that has the snapshot's name now
    """
    accuracy: dict[str, float] = {}
    best: dict[str, float] = {}
    for name, score in scores["readouts"].items():
        accuracy[name], its_role = float(score["accuracy"]), role(name, score)
        column = name if its_role == "linear" else its_role
        best[column] = max(accuracy[name], best.get(column, 0.0))
    images = int(scores["protocol"]["training_images"])
    return ScoredState(
        split=split,
        snapshot=snapshot,
        training_images=images,
        stale=images < images_now,
        accuracy=accuracy,
        best=best,
    )
