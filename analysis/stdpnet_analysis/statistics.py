"""Means over training seeds, and paired tests between experiments that were repeated with the same seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
ROUNDING = 1e-12
"""A deviation below this is rounding: accuracies are quotients of small integers."""
WILCOXON_PAIRS = 6
"""With fewer pairs the smallest possible two-sided p-value of Wilcoxon's test, 2/2**n, is above 0.05."""


class Summary(NamedTuple):
    """A quantity over seeds."""

    mean: float
    sd: float | None
    """Sample standard deviation; None of a single value."""
    n: int

    @property
    def mean_sd(self) -> dict[str, float | None]:
        """Mean and standard deviation by name, ready for JSON."""
        return {"mean": self.mean, "sd": self.sd}


def student_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean by Student's t; None of a single value, of width 0 where all are equal."""
    if len(values) < 2:
        return None
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
    if sd < ROUNDING:
        return mean, mean
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * sd / math.sqrt(len(values))
    return mean - half, mean + half


def summarise(values: Sequence[float]) -> Summary:
    """Return mean and sample standard deviation."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Summary(float(np.mean(values)), sd, len(values))


class PairedTest(NamedTuple):
    """Result of the paired tests between two experiments, seed by seed."""

    seeds: tuple[int, ...]
    difference: float
    """Mean of first minus second."""
    interval: tuple[float, float]
    """95 % interval of the mean difference (Student's t); of width 0 where all differences are equal."""
    t_test: float | None
    """Two-sided p-value of the paired t test; None where all differences are equal."""
    wilcoxon: float | None
    """Two-sided p-value of Wilcoxon's signed-rank test; None below WILCOXON_PAIRS pairs or where all are 0."""


def paired_test(first: Mapping[int, float], second: Mapping[int, float]) -> PairedTest | None:
    """Compare two experiments over the seeds that both have; None if these are fewer than two.

    Parameters
    ----------
    first, second : seed -> result
    """
    seeds = tuple(sorted(first.keys() & second.keys()))
    if len(seeds) < 2:
        return None
    differences = np.array([first[seed] - second[seed] for seed in seeds])
    interval = student_interval(differences.tolist())
    assert interval is not None  # there are two seeds at least
    varied = interval[0] < interval[1]
    t_test = float(stats.ttest_1samp(differences, 0.0).pvalue) if varied else None
    enough = len(seeds) >= WILCOXON_PAIRS and bool(np.any(differences != 0))
    wilcoxon = float(stats.wilcoxon(differences).pvalue) if enough else None
    return PairedTest(
        seeds=seeds, difference=float(differences.mean()), interval=interval, t_test=t_test, wilcoxon=wilcoxon
    )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number (Holm 1979, Scand. J. Stat. 6:65); None stays and does not count."""
    known = sorted((p, number) for number, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, number) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        corrected[number] = largest
    return corrected
