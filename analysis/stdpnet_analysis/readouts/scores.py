"""Scores of answers: accuracy with its interval, confusion matrix, reliability; the best of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from stdpnet.errors import DataError
from stdpnet_analysis.readouts import names_of
from stdpnet_analysis.readouts.base import NO_ANSWER
from stdpnet_analysis.readouts.reliability import Reliability, reliability


@dataclass(frozen=True)
class Score:
    """The score of one read-out on one set of images."""

    accuracy: float
    """Share of the images answered with their class; one without an answer counts as wrong."""
    interval: tuple[float, float]
    """95 % Wilson interval of the accuracy over the choice of images (not over training seeds)."""
    n: int
    """Images."""
    no_answer: float
    """Share of the images answered -1."""
    confusion: list[list[int]]
    """Images by class (row) and answer (column); the last column is "no answer"."""
    reliability: Reliability | None = None
    """How far the probabilities of the answers can be trusted; None of a read-out without probabilities."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain lists and numbers, ready for JSON; without reliability where there is none."""
        fields = {**asdict(self), "interval": list(self.interval)}
        del fields["reliability"]
        return fields if self.reliability is None else fields | {"reliability": self.reliability.to_dict()}


def wilson_interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22:209).

    Parameters
    ----------
    correct, n : int
        Successes, trials.
    confidence : float
        Coverage.
    """
    if n < 1:
        raise DataError("n: an interval needs at least one image, got none")
    interval = binomtest(int(correct), int(n)).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def confusion(labels: NDArray[Any], predicted: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
    """Return how many images of each class got each answer.

    Parameters
    ----------
    labels : (n_images,) int
        Classes, 0 to n_classes - 1.
    predicted : (n_images,) int
        Answers, -1 (none) to n_classes - 1.
    n_classes : int
        Number of classes.

    Returns
    -------
    counts : (n_classes, n_classes + 1) int
        Row: class; column: answer; the last column counts the images without one.
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.shape != predicted.shape:
        raise DataError(f"predicted: shape {predicted.shape}, labels: shape {labels.shape}; give one answer per image")
    for name, values, lowest in (("labels", labels, 0), ("predicted", predicted, NO_ANSWER)):
        if values.size and not (lowest <= values.min() and values.max() < n_classes):
            raise DataError(f"{name}: values are outside {lowest}..{n_classes - 1}; number the classes from 0")
    counts = np.zeros((n_classes, n_classes + 1), np.int64)
    np.add.at(counts, (labels, predicted), 1)  # column -1 is the last one
    return counts


def score(
    labels: NDArray[Any], predicted: NDArray[Any], n_classes: int, confidence: NDArray[np.floating] | None = None
) -> Score:
    """Return the score of answers.

    Parameters
    ----------
    labels, predicted, n_classes : see `confusion`
    confidence : (n_images,) float
        The probability of the class that was answered; None of a read-out without probabilities.
    """
    counts = confusion(labels, predicted, n_classes)
    n, correct = int(counts.sum()), int(counts.trace())
    interval = wilson_interval(correct, n)
    answered = np.asarray(predicted) != NO_ANSWER
    right = (np.asarray(predicted) == np.asarray(labels))[answered]
    return Score(
        accuracy=correct / n,
        interval=interval,
        n=n,
        no_answer=int(counts[:, NO_ANSWER].sum()) / n,
        confusion=counts.tolist(),
        reliability=None if confidence is None else reliability(right, confidence[answered]),
    )


def accuracies(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return read-out -> accuracy of scores as `stdpnet evaluate` writes them (`readouts.<name>.accuracy`)."""
    return {name: float(readout["accuracy"]) for name, readout in scores["readouts"].items()}


def best_of(column: str, *tables: Mapping[str, float]) -> str | None:
    """Return the read-out of a column with the best mean accuracy, the first of equals; None where no table has one.

    Parameters
    ----------
    column : vote, which has three read-outs, or any other role or read-out
    tables : read-out -> accuracy, one table for each seed
    """
    names = [name for name in names_of(column) if tables and all(name in table for table in tables)]
    return max(names, key=lambda name: sum(table[name] for table in tables), default=None)


def best_vote(*tables: Mapping[str, float]) -> str:
    """Return the voting rule with the best mean accuracy, as the thesis reports its best voting method.

    Parameters
    ----------
    tables : read-out -> accuracy, one table for each seed

    Raises
    ------
    DataError
        If no voting rule is in all tables.
    """
    best = best_of("vote", *tables)
    if best is None:
        raise DataError(f"accuracies: none is of a voting rule; give at least one of {', '.join(names_of('vote'))}")
    return best
