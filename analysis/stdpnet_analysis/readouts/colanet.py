"""CoLaNET as a read-out: columns of neurons that learn from their errors (docs/colanet.md, Columns)."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state

from stdpnet.arrays import Float64s
from stdpnet_analysis.readouts.base import ScoringClassifier, dense

CHUNK = 1000
"""Images made dense at a time; results do not depend on it."""


class ColaNETClassifier(ScoringClassifier):
    """The digital CoLaNET algorithm as a scikit-learn classifier of spike counts.

    Each class has a column of neurons. The neuron of a column with the largest input (weights times counts) wins, and
    fires above a threshold. If a wrong column fires, the active inputs of its winner lose; if the right column is
    silent, the active inputs of its winner gain. The answer is the class of the column with the largest input.

    Parameters
    ----------
    microcolumns : int
        Neurons of each class. One is the best for features that are specific; pixels need more, such as 15.
    threshold : float
        Input above which a winner fires, relative to w_max times the mean number of spikes of a calibration image, so
        that it fits any number of spikes. The published threshold for the pixels of MNIST is 1/3.
    reward : float
        Change of the resource of an active input.
    passes : int
        How often each calibration image is shown, each time in an order of its own.
    random_state : int, RandomState instance or None
        Initial resources and order of the images.

    Attributes
    ----------
    classes_ : (n_classes,)
        The classes of the calibration images, in order.
    weights_ : (n_neurons, n_classes * microcolumns) float
        Of each neuron of the network for each neuron of the columns, column by column.
    n_features_in_ : int
        Neurons of the network.

    Notes
    -----
    Bounds of weights, noise and silent synapses are the defaults of `model = "colanet"`. An image without spikes is
    answered -1 ("-1" where the classes are strings).
    """

    def __init__(
        self,
        microcolumns: int = 1,
        threshold: float = 0.2,
        reward: float = 0.05,
        passes: int = 5,
        random_state: Any = None,
    ) -> None:
        self.microcolumns = microcolumns
        self.threshold = threshold
        self.reward = reward
        self.passes = passes
        self.random_state = random_state

    @property
    def settings(self) -> dict[str, Any]:
        """Microcolumns, threshold, reward and passes."""
        return {name: getattr(self, name) for name in ("microcolumns", "threshold", "reward", "passes")}

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from the calibration counts X (n_images, n_neurons) and their classes y (n_images,)."""
        from stdpnet.baselines.colanet.columns import columns_of, learn  # loads numba
        from stdpnet.baselines.colanet.network import column_constants
        from stdpnet.baselines.colanet.resource import resource_of
        from stdpnet.baselines.colanet.spec import ColumnsSpec

        X, y = self._calibration(X, y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        spec, random = ColumnsSpec(), check_random_state(self.random_state)
        constants = column_constants(spec)._replace(
            microcolumns=self.microcolumns,
            threshold=self.threshold * spec.w_max * float(X.sum()) / X.shape[0],
            reward=self.reward,
        )
        start = resource_of(0.0, spec.w_min, spec.w_max)
        shape = (X.shape[1], len(self.classes_) * self.microcolumns)
        columns = columns_of(random.normal(start, spec.noise, shape), constants)
        for _ in range(self.passes):
            order = random.permutation(X.shape[0])
            for places in (order[first : first + CHUNK] for first in range(0, len(order), CHUNK)):
                learn(columns, constants, dense(X[places]).astype(np.float64), labels[places])
        self.weights_ = columns.weights
        return self

    def _scores(self, X: Any) -> Float64s:
        """Return each column's largest input."""
        potentials = self._counts(X) @ self.weights_
        scores: Float64s = potentials.reshape(-1, len(self.classes_), self.microcolumns).max(axis=2)
        return scores

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # inputs that are always active say nothing
        return tags
