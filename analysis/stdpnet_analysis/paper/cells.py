"""Cells of the tables: the best read-out of a column over seeds, as numbers and in percent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stdpnet_analysis.readouts.scores import best_of
from stdpnet_analysis.statistics import Summary, summarise
from stdpnet_analysis.text import percent


def best_cell(column: str, accuracies: Sequence[Mapping[str, float]]) -> dict[str, Any] | None:
    """Return mean and standard deviation of a column's best read-out, and its name; None where it was not scored.

    Parameters
    ----------
    column : of read-outs, such as vote
    accuracies : for each seed read-out -> accuracy, a fraction
    """
    rule = best_of(column, *accuracies)
    return None if rule is None else {**summarise([accuracy[rule] for accuracy in accuracies]).mean_sd, "rule": rule}


def percent_cell(cell: Mapping[str, Any] | None) -> str:
    """Return mean ± standard deviation of fractions in percent."""
    return percent(None if cell is None else Summary(cell["mean"], cell["sd"], 0))
