"""The n-gram read-out of Saunders et al. 2019 (arXiv 1904.06269), for pairs: which neuron spiked after which."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from stdpnet.arrays import Float64s
from stdpnet_analysis.readouts.base import Counts, ScoringClassifier


class NGramClassifier(ScoringClassifier):
    """A scikit-learn classifier of the order in which neurons spike first.

    The neurons that spike in a presentation stand in the order of their first spikes, those of one step in ascending
    order. Two neurons that follow each other are a pair. Calibration counts how often each pair occurs in the images of
    each class; the score of a class is the sum of these counts over the pairs of an image.

    Attributes
    ----------
    classes_ : (n_classes,)
        The classes of the calibration images, in order.
    pairs_ : (n_pairs,) int
        The pairs that occurred, ascending: first neuron * number of neurons + second neuron.
    occurrences_ : (n_pairs, n_classes) float
        How often each pair occurred in each class.
    n_features_in_ : int
        Neurons.

    Notes
    -----
    X is (n_images, n_neurons): the step of each neuron's first spike, counted from 1; 0 where it did not spike. An
    image without any pair that occurred in the calibration is answered -1 ("-1" where the classes are strings).
    Saunders et al. order all spikes, not only the first of each neuron.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Count the pairs in the first spikes X (n_images, n_neurons) of images of the classes y (n_images,)."""
        X, y = self._calibration(X, y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        images, pairs = pairs_of(X)
        self.pairs_, places = np.unique(pairs, return_inverse=True)
        self.occurrences_ = np.zeros((len(self.pairs_), len(self.classes_)))
        np.add.at(self.occurrences_, (places, labels[images]), 1)
        return self

    def _scores(self, X: Any) -> Float64s:
        X = self._counts(X)
        images, pairs = pairs_of(X)
        known = np.isin(pairs, self.pairs_)
        places = np.searchsorted(self.pairs_, pairs[known])
        occurs = coo_array((np.ones(len(places)), (images[known], places)), shape=(X.shape[0], len(self.pairs_)))
        scores: Float64s = occurs.tocsr() @ self.occurrences_
        return scores

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # pairs of few features say nothing
        return tags


def pairs_of(first_spikes: Counts) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return which neurons follow one another in the order of first spikes.

    Parameters
    ----------
    first_spikes : (n_images, n_neurons)
        Step of each neuron's first spike, counted from 1, as a dense or sparse array; 0: none.

    Returns
    -------
    images : (n_pairs,) int
        The image in which a pair occurs, ascending.
    pairs : (n_pairs,) int
        First neuron * n_neurons + second neuron.
    """
    found = coo_array(first_spikes)
    found.sum_duplicates()
    spiked = found.data > 0
    images, neurons, steps = found.row[spiked], found.col[spiked].astype(np.int64), found.data[spiked]
    order = np.lexsort((neurons, steps, images))
    images, neurons = images[order], neurons[order]
    follows = images[1:] == images[:-1]
    return images[1:][follows], neurons[:-1][follows] * found.shape[1] + neurons[1:][follows]
