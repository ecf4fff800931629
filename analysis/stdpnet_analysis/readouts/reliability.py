"""Reliability of probabilities: expected calibration error and reliability curve."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Intervals of equal width into which confidence is divided (as many as in Guo et al. 2017)."""


class Bin(NamedTuple):
    """The answers whose confidence lies in one interval."""

    above: float
    """Lower end of the interval, not included; the upper end, 1/15 higher, is included."""
    images: int
    confidence: float
    """Mean of these answers' confidence."""
    accuracy: float
    """Share of these answers that are right."""


class Reliability(NamedTuple):
    """How the confidence of answers compares with how often they are right."""

    expected_calibration_error: float
    """Mean over the answers of |accuracy - confidence| of their bin."""
    bins: tuple[Bin, ...]
    """The bins that have answers, from the least confidence to the most."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists, ready for JSON."""
        return {**self._asdict(), "bins": [each._asdict() for each in self.bins]}


def reliability(right: NDArray[np.bool_], confidence: NDArray[np.floating]) -> Reliability | None:
    """Return the reliability of answers (Naeini et al. 2015; Guo et al. 2017, eq. 2 and 3); None if there are none.

    Parameters
    ----------
    right : (n_answers,) bool
        Whether each answer is right; images without an answer are not among them.
    confidence : (n_answers,) float
        The probability of the class that was answered, 0 to 1.
    """
    if len(right) == 0:
        return None
    number = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    bins = []
    for index in np.unique(number):
        inside = number == index
        bins.append(
            Bin(
                above=int(index) / BINS,
                images=int(inside.sum()),
                confidence=float(confidence[inside].mean(dtype=np.float64)),
                accuracy=float(right[inside].mean()),
            )
        )
    gap = sum(each.images * abs(each.accuracy - each.confidence) for each in bins)
    return Reliability(gap / len(right), tuple(bins))
