"""Read-outs of responses: one table of their names, their roles and how they are made.

A read-out turns the responses of a network into answers. Its role is the column of a table in which it stands: `vote`
is the best of the thesis's three voting rules, every other role has one read-out. `own` stands for the class scores of
a supervised model itself, which need no calibration and no maker.

The table loads without scikit-learn: each maker imports what it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from stdpnet.errors import ConfigError, remedy_for
from stdpnet.runs.scores import is_linear
from stdpnet.spec.monitoring import EvaluationSpec
from stdpnet_analysis.readouts.rules import RULES, THESIS_RULES

if TYPE_CHECKING:
    from stdpnet_analysis.readouts.base import CountsClassifier
    from stdpnet_analysis.readouts.linear import LinearKind, Scaling


class ReadoutSettings(NamedTuple):
    """Settings by which the read-outs are made."""

    n_positions: int = 1
    """Positions P of the network."""
    linear: LinearKind = "logistic"
    """Which linear classifier, see `LinearReadout`."""
    C: float = 0.01
    """Inverse strength of its regularisation."""
    scaling: Scaling = "standardised_roots"
    """What it does to the counts."""
    seed: int = 0
    """Seed of its order of images, of the folds of a cross-validation, and of CoLaNET's weights and order."""


class Readout(NamedTuple):
    """A row of the table of read-outs."""

    name: str
    """Key in scores.json, in curve.jsonl and on the command line."""
    role: str
    """The column of tables in which it stands."""
    make: Callable[[ReadoutSettings], CountsClassifier] | None
    """Makes the unfitted classifier; None where the model answers by itself."""
    reads: Literal["counts", "first_spikes"] = "counts"
    """The part of the responses that it reads."""


def _voting(rule: str) -> Readout:
    def make(settings: ReadoutSettings) -> CountsClassifier:
        from stdpnet_analysis.readouts.votes import VoteClassifier

        return VoteClassifier(rule, settings.n_positions)

    return Readout(rule, "vote" if rule in THESIS_RULES else rule, make)


def _n_gram(_: ReadoutSettings) -> CountsClassifier:
    from stdpnet_analysis.readouts.ngram import NGramClassifier

    return NGramClassifier()


def _colanet(settings: ReadoutSettings) -> CountsClassifier:
    from stdpnet_analysis.readouts.colanet import ColaNETClassifier

    return ColaNETClassifier(random_state=settings.seed)


def _linear(settings: ReadoutSettings) -> CountsClassifier:
    from stdpnet_analysis.readouts.linear import LinearReadout

    seed = settings.seed if settings.linear == "sgd" else None  # only sgd draws
    return LinearReadout(settings.linear, settings.C, settings.scaling, seed)


def _linear_cv(settings: ReadoutSettings) -> CountsClassifier:
    from stdpnet_analysis.readouts.linear import LinearCVReadout

    return LinearCVReadout(random_state=settings.seed)


READOUTS: dict[str, Readout] = {
    readout.name: readout
    for readout in (
        *map(_voting, RULES),
        Readout("n_gram", "n_gram", _n_gram, reads="first_spikes"),
        Readout("colanet", "colanet", _colanet),
        Readout("linear", "linear", _linear),
        Readout("linear_cv", "linear_cv", _linear_cv),
        Readout("own", "own", None),
    )
}
"""Every read-out by name, in the order of tables."""
ROLES: tuple[str, ...] = tuple(dict.fromkeys(readout.role for readout in READOUTS.values()))
"""The columns of tables, in order."""
DEFAULT: tuple[str, ...] = EvaluationSpec().readouts
"""The read-outs that are scored by default."""
TITLES = {
    "vote": "best vote",
    "n_gram": "n-gram",
    "colanet": "CoLaNET",
    "linear": "linear read-out",
    "linear_cv": "linear, cross-validated",
    "own": "own answer",
}


def title_of(column: str) -> str:
    """Return what tables and figures call a column or a read-out."""
    return TITLES.get(column, column.replace("_", " "))


def names_of(column: str) -> tuple[str, ...]:
    """Return the names of the read-outs of a column, in the order of tables; a read-out's name is a column, too."""
    named = tuple(readout.name for readout in READOUTS.values() if readout.role == column)
    return named or ((column,) if column in READOUTS or is_linear(column) else ())


def check_columns(columns: Iterable[str], key: str = "--readouts", further: Iterable[str] = ()) -> tuple[str, ...]:
    """Return columns, each once, if each is the name of a role or of a read-out, or one of `further`.

    Raises
    ------
    ConfigError
        If there is none, or one is unknown; the message begins with `key`, the option or key that names them.
    """
    known, found = list(dict.fromkeys((*ROLES, *READOUTS, *further))), tuple(dict.fromkeys(columns))
    for column in found:
        if column not in known:
            raise ConfigError(f"{key}: '{column}' is unknown; {remedy_for(column, known)}")
    if not found:
        raise ConfigError(f"{key}: names no read-out; choose among {', '.join(known)}")
    return found


def make_readouts(
    names: Iterable[str] = DEFAULT, settings: ReadoutSettings | None = None
) -> dict[str, CountsClassifier]:
    """Return unfitted read-outs of spike counts by name, in the order of tables.

    Parameters
    ----------
    names : of read-outs or of columns: `vote` stands for its three rules; `own` is left out, as it needs no read-out
    settings : of the network, and of the linear read-out

    Raises
    ------
    ConfigError
        If one is unknown.
    """
    settings = settings or ReadoutSettings()
    wanted = {name for column in check_columns(names) for name in names_of(column)}
    return {
        readout.name: readout.make(settings)
        for readout in READOUTS.values()
        if readout.name in wanted and readout.make is not None
    }
