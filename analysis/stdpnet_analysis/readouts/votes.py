"""Votes of neurons for classes, and three rules to count them (docs/model.md, Reading the activity).

A neuron's vote for a class is its mean spike count over the calibration images of that class; its *result* for an image
is count * vote. The rules differ in whose results are summed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from stdpnet.errors import ConfigError, DataError

Rule = Literal["all", "patch", "spikes_first"]
Counts = Any  # an array or a scipy.sparse.csr_array of any integer or floating type, never negative
Floats = NDArray[np.float64]

NO_ANSWER = -1
_CHUNK = 2**18  # counts computed at a time: 2 MB of float64 stay in the cache (`patch` takes twice as long with 18 MB)


def dense(counts: Counts) -> NDArray[Any]:
    """Return counts as an array."""
    array: NDArray[Any] = counts.toarray() if hasattr(counts, "toarray") else counts
    return array


def class_means(responses: Counts, labels: NDArray[Any], n_classes: int) -> Floats:
    """Return the votes: the mean spike count of each neuron over the calibration images of each class.

    Parameters
    ----------
    responses : (n_images, n_neurons)
        Spike counts of the calibration images, an array or a sparse one.
    labels : (n_images,) int
        Class of each image, 0 to n_classes - 1.
    n_classes : int
        Number of classes; one without images has vote 0 (docs/model.md, Reading the activity).

    Returns
    -------
    votes : (n_classes, n_neurons) float
    """
    if len(labels) != responses.shape[0]:
        raise DataError(f"labels: {len(labels)} labels for {responses.shape[0]} images; give one for each")
    votes = np.zeros((n_classes, responses.shape[1]))
    for label in np.unique(labels):
        if not 0 <= label < n_classes:
            raise DataError(f"labels: class {label} is outside 0..{n_classes - 1}; number the classes from 0")
        of_class = responses[labels == label]
        votes[label] = of_class.sum(axis=0, dtype=np.float64) / of_class.shape[0]
    return votes


def _all(counts: Floats, votes: Floats) -> Floats:
    """Return the sum of the results of all neurons."""
    scores: Floats = np.einsum("npc,kpc->nk", counts, votes, optimize=True)  # a BLAS product
    return scores


def _patch(counts: Floats, votes: Floats) -> Floats:
    """Return the sum over positions of each class's largest result there.

    So does the code of the thesis; its text says maximum.
    """
    results = np.empty_like(counts)
    return np.stack([np.multiply(counts, vote, out=results).max(axis=2).sum(axis=1) for vote in votes], axis=1)


def _spikes_first(counts: Floats, votes: Floats) -> Floats:
    """Return the sum over positions of the results of the neuron with most spikes there; of equals the first."""
    winner = counts.argmax(axis=2)
    most = np.take_along_axis(counts, winner[:, :, np.newaxis], axis=2)[:, :, 0]  # 0 where the position is silent
    votes_of_winner = votes.transpose(1, 2, 0)[np.arange(counts.shape[1]), winner]
    scores: Floats = np.einsum("np,npk->nk", most, votes_of_winner)
    return scores


_RULES: dict[Rule, Callable[[Floats, Floats], Floats]] = {"all": _all, "patch": _patch, "spikes_first": _spikes_first}
RULES: tuple[Rule, ...] = tuple(_RULES)


def vote_scores(responses: Counts, votes: Floats, n_positions: int = 1, rule: Rule = "all") -> Floats:
    """Return each image's score for each class under a voting rule (docs/model.md, Reading the activity).

    all           sum over neurons of count * vote
    patch         sum over positions of the largest count * vote of the position's channels, for each class
    spikes_first  sum over positions of count * vote of the channel with most spikes

    Parameters
    ----------
    responses : (n_images, n_neurons)
        Spike counts, an array or a sparse one; neuron = position * channels + channel.
    votes : (n_classes, n_neurons) float
        See `class_means`.
    n_positions : int
        Positions P; the channels are n_neurons / P.
    rule : {"all", "patch", "spikes_first"}
        Whose results are summed.

    Returns
    -------
    scores : (n_images, n_classes) float
    """
    (n_images, n_neurons), n_classes = responses.shape, len(votes)
    if votes.shape[1] != n_neurons:
        raise DataError(f"votes: {votes.shape[1]} neurons, but {n_neurons} in responses; take both from one network")
    _check_rule(rule, n_positions, n_neurons)
    by_position = np.asarray(votes, np.float64).reshape(n_classes, n_positions, -1)
    scores = np.empty((n_images, n_classes))
    step = max(1, _CHUNK // n_neurons)
    for start in range(0, n_images, step):
        counts = dense(responses[start : start + step]).astype(np.float64).reshape(-1, *by_position.shape[1:])
        scores[start : start + step] = _RULES[rule](counts, by_position)
    return scores


def answers(scores: Floats) -> NDArray[np.intp]:
    """Return the class of the highest score, the lowest among equals; -1 for an image without any result.

    Parameters
    ----------
    scores : (n_images, n_classes) float
        See `vote_scores`; equal means equal in float64.

    Returns
    -------
    answers : (n_images,) int
    """
    return np.where(scores.any(axis=1), scores.argmax(axis=1), NO_ANSWER)


def _check_rule(rule: str, n_positions: int, n_neurons: int) -> None:
    if rule not in RULES:
        raise ConfigError(f"rule: '{rule}' is unknown; choose one of {', '.join(RULES)}")
    if n_positions < 1 or n_neurons % n_positions:
        raise ConfigError(f"n_positions: {n_neurons} neurons do not divide into {n_positions} positions of equal size")


class CountsClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the read-outs: scikit-learn classifiers that refuse negative counts."""

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


class VoteClassifier(CountsClassifier):
    """A voting rule as a scikit-learn classifier of spike counts.

    Parameters
    ----------
    rule : {"all", "patch", "spikes_first"}
        See `vote_scores`.
    n_positions : int
        Positions P of the network; must divide the number of neurons.

    Attributes
    ----------
    classes_ : (n_classes,)
        The classes of the calibration images, in order.
    votes_ : (n_classes, n_neurons) float
        Mean count over the calibration images of each class.
    n_features_in_ : int
        Neurons.

    Notes
    -----
    An image without any result is answered -1 ("-1" where the classes are strings), so do not name a class that.
    """

    def __init__(self, rule: Rule = "all", n_positions: int = 1) -> None:
        self.rule = rule
        self.n_positions = n_positions

    def fit(self, X: Any, y: Any) -> Self:
        """Take the votes from the calibration counts X (n_images, n_neurons) and their classes y (n_images,)."""
        X, y = self._calibration(X, y)
        _check_rule(self.rule, self.n_positions, X.shape[1])
        self.classes_, labels = np.unique(y, return_inverse=True)
        self.votes_ = class_means(X, labels, len(self.classes_))
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each image, (n_images,)."""
        best = answers(self._scores(X))
        no_answer = np.int64(NO_ANSWER) if self.classes_.dtype.kind in "biuf" else str(NO_ANSWER)
        return np.where(best == NO_ANSWER, no_answer, self.classes_[best])

    def decision_function(self, X: Any) -> Floats:
        """Return the scores, (n_images, n_classes); of two classes the second's minus the first's, (n_images,)."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def _scores(self, X: Any) -> Floats:
        counts = self._counts(X)
        return vote_scores(counts, self.votes_, self.n_positions, self.rule)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # no bias: of two proportional votes the larger always wins
        return tags
