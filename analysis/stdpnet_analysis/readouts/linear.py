"""The linear read-out of the spike counts: logistic regression, or the stochastic gradient descent of the thesis."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from stdpnet.errors import ConfigError
from stdpnet_analysis.readouts.votes import CountsClassifier, dense

LinearKind = Literal["logistic", "sgd"]


def _linear_model(kind: LinearKind, C: float, random_state: Any) -> Pipeline:
    """Return the unfitted model; float32 halves its matrix and moves accuracy at C = 0.01 by <= 3 images in 10 000."""
    if kind == "logistic":
        # Without their means taken away, silent counts stay zeros that need not be stored or multiplied; the intercept,
        # which is not regularised, makes up for the means: the optimum is the same classifier.
        return make_pipeline(
            FunctionTransformer(_roots, accept_sparse=True),
            StandardScaler(with_mean=False, copy=False),
            LogisticRegression(C=C, max_iter=2000),
        )
    if kind == "sgd":
        return make_pipeline(
            FunctionTransformer(_dense_float32, accept_sparse=True),  # sparse input would change scikit-learn's steps
            SGDClassifier(random_state=random_state),
        )
    raise ConfigError(f"kind: '{kind}' is unknown; choose 'logistic' or 'sgd'")


def _roots(counts: Any) -> csr_array:
    """Return the square roots of counts (n_images, n_neurons), sparse and in float32."""
    roots = csr_array(counts, dtype=np.float32)
    np.sqrt(roots.data, out=roots.data)
    return roots


def _dense_float32(counts: Any) -> NDArray[np.float32]:
    """Return counts (n_images, n_neurons) as a dense array of float32."""
    return np.asarray(dense(counts), np.float32, order="C")


class LinearReadout(CountsClassifier):
    """A linear classifier of spike counts, fitted on the calibration activity.

    Parameters
    ----------
    kind : {"logistic", "sgd"}
        logistic: multinomial logistic regression on square roots of the counts, scaled to unit variance; the root
        makes the variance of a Poisson count independent of its mean (Anscombe 1948). sgd: the thesis's,
        scikit-learn's SGDClassifier with its defaults (hinge loss, one class against the rest) on the raw counts.
    C : float
        Inverse strength of the regularisation; only for logistic.
    random_state : int, RandomState instance or None
        Order of the images; only for sgd.

    Attributes
    ----------
    classes_ : (n_classes,)
        The classes of the calibration images, in order.
    model_ : sklearn.pipeline.Pipeline
        The fitted steps.
    n_features_in_ : int
        Neurons.

    Notes
    -----
    It always answers: an image without spikes gets the class its intercepts favour.
    """

    def __init__(self, kind: LinearKind = "logistic", C: float = 0.01, random_state: Any = None) -> None:
        self.kind = kind
        self.C = C
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to the calibration counts X (n_images, n_neurons) and their classes y (n_images,)."""
        X, y = self._calibration(X, y)
        self.model_ = _linear_model(self.kind, self.C, self.random_state).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each image, (n_images,)."""
        counts = self._counts(X)
        return np.asarray(self.model_.predict(counts))

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the linear scores, (n_images, n_classes), or (n_images,) of two classes."""
        counts = self._counts(X)
        return np.asarray(self.model_.decision_function(counts))
