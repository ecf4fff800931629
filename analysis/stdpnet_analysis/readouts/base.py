"""Base of the read-outs: scikit-learn classifiers of spike counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from stdpnet.arrays import Float64s

Counts = Any  # an array or a scipy.sparse.csr_array of any integer or floating type, never negative

NO_ANSWER = -1
"""The answer to an image without any result."""


def dense(counts: Counts) -> NDArray[Any]:
    """Return counts as an array."""
    array: NDArray[Any] = counts.toarray() if hasattr(counts, "toarray") else counts
    return array


def answers(scores: Float64s) -> NDArray[np.intp]:
    """Return the class of the highest score, the lowest of equal ones; -1 for an image without any result.

    Parameters
    ----------
    scores : (n_images, n_classes) float64

    Returns
    -------
    answers : (n_images,) int
    """
    return np.where(scores.any(axis=1), scores.argmax(axis=1), NO_ANSWER)


def named(answers: NDArray[np.intp], classes: NDArray[Any]) -> NDArray[Any]:
    """Return the classes of answers (n_images,) by their names; -1, or "-1" among strings, where there is none."""
    no_answer = np.int64(NO_ANSWER) if classes.dtype.kind in "biuf" else str(NO_ANSWER)
    return np.where(answers == NO_ANSWER, no_answer, classes[answers])


class CountsClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the read-outs: scikit-learn classifiers that refuse negative counts."""

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of a fitted read-out that its scores record, ready for JSON; empty where there are none."""
        return {}

    def _calibration(self, X: Any, y: Any) -> tuple[Counts, NDArray[Any]]:
        X, y = validate_data(self, X, y, accept_sparse="csr")
        check_non_negative(X, f"X of {type(self).__name__}")
        check_classification_targets(y)
        return X, y

    def _counts(self, X: Any) -> Counts:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse="csr")
        check_non_negative(X, f"X of {type(self).__name__}")
        return X

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = tags.input_tags.sparse = True
        return tags


class ScoringClassifier(CountsClassifier):
    """A read-out that answers the class with the highest score; -1 ("-1" among strings) where all scores are 0."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each image, (n_images,)."""
        return named(answers(self._scores(X)), self.classes_)

    def decision_function(self, X: Any) -> Float64s:
        """Return the scores, (n_images, n_classes); of two classes the second's minus the first's, (n_images,)."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def _scores(self, X: Any) -> Float64s:
        """Return the score of each class, (n_images, n_classes)."""
        raise NotImplementedError
