"""Numbers as text, the same way in every table: percentages, counts, scores with intervals, plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stdpnet.reading import visible

if TYPE_CHECKING:
    from stdpnet_analysis.statistics import PairedTest, Summary

MISSING = "–"
"""Stands for a missing value."""


def percent(summary: Summary | None, digits: int = 1) -> str:
    """Return the mean of fractions ± their standard deviation (left out for a single seed), both in percent."""
    if summary is None:
        return MISSING
    deviation = "" if summary.sd is None else f" ± {100 * summary.sd:.{digits}f}"
    return f"{100 * summary.mean:.{digits}f}{deviation}"


def points(test: PairedTest) -> str:
    """Return the mean difference of two accuracies with its 95 % interval, in percentage points."""
    low, high = test.interval
    return f"{100 * test.difference:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


def score_cell(score: Mapping[str, Any] | None) -> str:
    """Return a score's accuracy in percent, with its 95 % interval in brackets where it has one."""
    if score is None:
        return MISSING
    if "interval" not in score:
        return f"{100 * score['accuracy']:.2f}"
    low, high = score["interval"]
    return f"{100 * score['accuracy']:.2f} ({100 * low:.1f}–{100 * high:.1f})"


def error_cell(score: Mapping[str, Any] | None) -> str:
    """Return the expected calibration error of a score's probabilities in percent."""
    reliability = (score or {}).get("reliability")
    return MISSING if reliability is None else f"{100 * reliability['expected_calibration_error']:.1f}"


def count(value: float | None) -> str:
    """Return a number with its thousands set apart; of a number below 100, three significant figures."""
    if value is None:
        return MISSING
    return f"{value:,.0f}".replace(",", "\u202f") if value >= 100 else f"{value:.3g}"


def with_minus(number: str) -> str:
    """Return a number as print sets it: with a minus sign where there is a hyphen."""
    return number.replace("-", "−")


def literal(text: str) -> str:
    """Return a text that matplotlib shows as it is: neither formulas between dollar signs nor control characters."""
    return visible(text).replace("$", r"\$")


def plain(value: Any, digits: int = 4) -> str:
    """Return a value for a reader: so many significant digits of a float, `key value` pairs of a table."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(part, digits)}" for name, part in value.items())
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return MISSING if value is None else visible(str(value))
