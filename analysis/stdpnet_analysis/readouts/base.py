"""What all read-outs share: they are scikit-learn classifiers of spike counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

Counts = Any  # an array or a scipy.sparse.csr_array of any integer or floating type, never negative
Floats = NDArray[np.float64]

NO_ANSWER = -1
"""The answer to an image without any result."""


def dense(counts: Counts) -> NDArray[Any]:
    """Return counts as an array."""
    array: NDArray[Any] = counts.toarray() if hasattr(counts, "toarray") else counts
    return array


class CountsClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the read-outs: scikit-learn classifiers that refuse negative counts."""

    @property
    def settings(self) -> dict[str, Any]:
        """What scores say of a fitted read-out beside its name, ready for JSON; empty where there is nothing to set."""
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
