"""Read-outs of responses: one table of their names, their roles and how they are made.

A read-out turns the responses of a network into answers. Its role says what it needs and how results are compared:

vote    a rule that counts the votes of the neurons; tables report the best of these rules
linear  a linear classifier of the spike counts
own     a supervised model's own class scores, which need no calibration and no maker
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from stdpnet_analysis.readouts.linear import LinearKind, LinearReadout
from stdpnet_analysis.readouts.votes import RULES, CountsClassifier, Rule, VoteClassifier

Role = Literal["vote", "linear", "own"]
ROLES: tuple[Role, ...] = ("vote", "linear", "own")


class ReadoutSettings(NamedTuple):
    """What the makers of the read-outs need to know."""

    n_positions: int = 1
    """Positions P of the network."""
    linear: LinearKind = "logistic"
    """Which linear classifier, see `LinearReadout`."""
    C: float = 0.01
    """Inverse strength of its regularisation."""
    seed: int = 0
    """Seed of its order of images."""


class Readout(NamedTuple):
    """A row of the table of read-outs."""

    name: str
    """Key in scores.json, in curve.jsonl and on the command line."""
    role: Role
    make: Callable[[ReadoutSettings], CountsClassifier] | None
    """Makes the unfitted classifier; None where the model answers by itself."""


def _voting(rule: Rule) -> Readout:
    return Readout(rule, "vote", lambda settings: VoteClassifier(rule, settings.n_positions))


def _linear(settings: ReadoutSettings) -> LinearReadout:
    return LinearReadout(settings.linear, settings.C, settings.seed)


READOUTS: dict[str, Readout] = {
    readout.name: readout
    for readout in (*map(_voting, RULES), Readout("linear", "linear", _linear), Readout("own", "own", None))
}
"""Every read-out by name, in the order of tables."""


def names_of(role: Role) -> tuple[str, ...]:
    """Return the names of the read-outs that have a role, in the order of tables."""
    return tuple(readout.name for readout in READOUTS.values() if readout.role == role)


def make_readouts(
    n_positions: int, linear: LinearKind = "logistic", C: float = 0.01, seed: int = 0
) -> dict[str, CountsClassifier]:
    """Return the unfitted read-outs of spike counts by name: the three voting rules and the linear classifier.

    Parameters
    ----------
    n_positions, linear, C, seed : see `ReadoutSettings`
    """
    settings = ReadoutSettings(n_positions, linear, C, seed)
    return {readout.name: readout.make(settings) for readout in READOUTS.values() if readout.make is not None}
