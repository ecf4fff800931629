"""Votes of neurons for classes, and the classifier that counts them by one of the rules.

A neuron's vote for a class is its mean spike count over the calibration images of that class. A rule
(stdpnet_analysis.readouts.rules) makes weights of the votes, and its *result* for an image is count * weight.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.utils.metaestimators import available_if

from stdpnet.arrays import Float64s
from stdpnet.errors import ConfigError, DataError
from stdpnet_analysis.readouts.base import Counts, ScoringClassifier, dense
from stdpnet_analysis.readouts.rules import RULES, means

_CHUNK = 2**18  # counts computed at a time: 2 MB of float64 stay in the cache (`patch` takes twice as long with 18 MB)


def class_sums(responses: Counts, labels: NDArray[Any], n_classes: int) -> tuple[Float64s, Float64s]:
    """Return the sum of each neuron's spike counts over the images of each class, and the numbers of these images.

    Parameters
    ----------
    responses : (n_images, n_neurons)
        Spike counts of the calibration images, as a dense or sparse array.
    labels : (n_images,) int
        Class of each image, 0 to n_classes - 1.
    n_classes : int
        Number of classes.

    Returns
    -------
    sums : (n_classes, n_neurons) float
    images : (n_classes,) float
    """
    if len(labels) != responses.shape[0]:
        raise DataError(f"labels: {len(labels)} labels for {responses.shape[0]} images; give one for each")
    sums, images = np.zeros((n_classes, responses.shape[1])), np.zeros(n_classes)
    for label in np.unique(labels):
        if not 0 <= label < n_classes:
            raise DataError(f"labels: class {label} is outside 0..{n_classes - 1}; number the classes from 0")
        of_class = responses[labels == label]
        sums[label], images[label] = of_class.sum(axis=0, dtype=np.float64), of_class.shape[0]
    return sums, images


def class_means(responses: Counts, labels: NDArray[Any], n_classes: int) -> Float64s:
    """Return the votes (n_classes, n_neurons): the mean count of each neuron over the images of each class.

    A class without images has vote 0 (docs/model.md, Reading the activity).

    Parameters
    ----------
    responses, labels, n_classes : see `class_sums`
    """
    return means(*class_sums(responses, labels, n_classes))


def vote_scores(responses: Counts, weights: Float64s, n_positions: int = 1, rule: str = "all") -> Float64s:
    """Return each image's score for each class under a voting rule (docs/model.md, Reading the activity).

    Parameters
    ----------
    responses : (n_images, n_neurons)
        Spike counts, as a dense or sparse array; neuron = position * channels + channel.
    weights : (n_classes, n_neurons) float
        The weights of the rule; for all, patch and spikes_first the votes themselves, see `class_means`.
    n_positions : int
        Positions P; the channels are n_neurons / P.
    rule : str
        A name in `rules.RULES`: how count * weight is combined.

    Returns
    -------
    scores : (n_images, n_classes) float
    """
    (n_images, n_neurons), n_classes = responses.shape, len(weights)
    if weights.shape[1] != n_neurons:
        raise DataError(
            f"weights: {weights.shape[1]} neurons, but {n_neurons} in responses; take both from one network"
        )
    _check_rule(rule, n_positions, n_neurons)
    by_position = np.asarray(weights, np.float64).reshape(n_classes, n_positions, -1)
    scores = np.empty((n_images, n_classes))
    step = max(1, _CHUNK // n_neurons)
    for start in range(0, n_images, step):
        counts = dense(responses[start : start + step]).astype(np.float64).reshape(-1, *by_position.shape[1:])
        scores[start : start + step] = RULES[rule].combine(counts, by_position)
    return scores


def _check_rule(rule: str, n_positions: int, n_neurons: int) -> None:
    if rule not in RULES:
        raise ConfigError(f"rule: '{rule}' is unknown; choose one of {', '.join(RULES)}")
    if n_positions < 1 or n_neurons % n_positions:
        raise ConfigError(f"n_positions: {n_neurons} neurons do not divide into {n_positions} positions of equal size")


def _has_likelihoods(classifier: VoteClassifier) -> bool:
    return classifier.rule in RULES and RULES[classifier.rule].log_likelihood


class VoteClassifier(ScoringClassifier):
    """A voting rule as a scikit-learn classifier of spike counts.

    Parameters
    ----------
    rule : {"all", "patch", "spikes_first", "log_evidence", "naive_bayes", "proportion", "assigned"}
        How the neurons vote (docs/readouts.md).
    n_positions : int
        Positions P of the network; must divide the number of neurons.

    Attributes
    ----------
    classes_ : (n_classes,)
        The classes of the calibration images, in order.
    votes_ : (n_classes, n_neurons) float
        Mean count over the calibration images of each class.
    weights_ : (n_classes, n_neurons) float
        The weights that the rule makes of them.
    n_features_in_ : int
        Neurons.

    Notes
    -----
    An image without any result is answered -1 ("-1" where the classes are strings), so do not name a class that.
    Only log_evidence and naive_bayes have `predict_proba`, as their scores are logarithms of likelihoods. Sums of votes
    are products of counts: divided by their sum they would look like probabilities, but say little of how often an
    answer is right.
    """

    def __init__(self, rule: str = "all", n_positions: int = 1) -> None:
        self.rule = rule
        self.n_positions = n_positions

    def fit(self, X: Any, y: Any) -> Self:
        """Take the votes from the calibration counts X (n_images, n_neurons) and their classes y (n_images,)."""
        X, y = self._calibration(X, y)
        _check_rule(self.rule, self.n_positions, X.shape[1])
        self.classes_, labels = np.unique(y, return_inverse=True)
        sums, images = class_sums(X, labels, len(self.classes_))
        self.votes_ = means(sums, images)
        self.weights_ = RULES[self.rule].weigh(sums, images)
        return self

    @available_if(_has_likelihoods)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Float64s:
        """Return the probability of each class, (n_images, n_classes), if all have the same prior probability.

        It is the likelihood of each class divided by their sum; equal for an image without spikes. For log_evidence a
        position counts as one spike, for naive_bayes every spike as independent of the others.
        """
        probabilities: Float64s = softmax(self._scores(X), axis=1)
        return probabilities

    def _scores(self, X: Any) -> Float64s:
        counts = self._counts(X)
        return vote_scores(counts, self.weights_, self.n_positions, self.rule)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # no bias: of two proportional votes the larger always wins
        return tags
