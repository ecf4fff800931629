"""The linear read-out of the spike counts: logistic regression, or the stochastic gradient descent of the thesis."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.metaestimators import available_if

from stdpnet.arrays import Float64s
from stdpnet.errors import ConfigError, DataError, remedy_for
from stdpnet_analysis.readouts.base import CountsClassifier, dense

LinearKind = Literal["logistic", "sgd"]
Scaling = Literal["standardised_roots", "roots", "none"]

GRID: list[dict[str, list[Any]]] = [
    {"scaling": ["standardised_roots"], "C": [0.001, 0.003, 0.01, 0.03]},
    {"scaling": ["roots"], "C": [0.01, 0.03, 0.1, 0.3]},
    {"scaling": ["none"], "C": [0.003, 0.01, 0.03, 0.1]},
]
"""What `LinearCVReadout` tries: each scaling, with values of C around the best ones for networks of the thesis."""
STEADY = 1000
"""Ratio of mean to standard deviation above which the counts of a neuron are taken to be constant."""


def _linear_model(kind: str, C: float, scaling: str, random_state: Any) -> Pipeline:
    """Return the unfitted model; float32 halves its matrix and moves accuracy at C = 0.01 by <= 3 images in 10 000."""
    if kind == "sgd":
        return make_pipeline(
            FunctionTransformer(_dense_float32, accept_sparse=True),  # sparse input would change scikit-learn's steps
            SGDClassifier(random_state=random_state),
        )
    if kind != "logistic":
        raise ConfigError(f"kind: '{kind}' is unknown; choose 'logistic' or 'sgd'")
    # Means are not subtracted: silent counts stay zeros, which need not be stored or multiplied. The intercept, which
    # is not regularised, makes up for the means, so that the optimum is the same classifier.
    steps = {
        "standardised_roots": (_transformer(_roots), _Scaler(with_mean=False, copy=False)),
        "roots": (_transformer(_roots),),
        "none": (_transformer(_sparse_float32),),
    }
    if scaling not in steps:
        raise ConfigError(f"scaling: '{scaling}' is unknown; {remedy_for(scaling, steps)}")
    return make_pipeline(*steps[scaling], LogisticRegression(C=C, max_iter=2000))


class _Scaler(StandardScaler):  # type: ignore[misc]
    """Divides counts by their standard deviation, but by their mean where they are almost constant.

    Divided by their tiny deviation, such counts would be so much larger than all others that the optimiser stops.
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the divisor of each neuron."""
        super().fit(X, y, sample_weight)
        steady = (self.var_ > 0) & (self.mean_ > STEADY * np.sqrt(self.var_))
        self.scale_[steady] = self.mean_[steady]
        return self


def _transformer(function: Any) -> FunctionTransformer:
    return FunctionTransformer(function, accept_sparse=True)


def _sparse_float32(counts: Any) -> csr_array:
    """Return a copy of counts (n_images, n_neurons), sparse and in float32."""
    return csr_array(counts, dtype=np.float32, copy=True)


def _roots(counts: Any) -> csr_array:
    """Return the square roots of counts (n_images, n_neurons), sparse and in float32."""
    roots = _sparse_float32(counts)
    np.sqrt(roots.data, out=roots.data)
    return roots


def _dense_float32(counts: Any) -> NDArray[np.float32]:
    """Return counts (n_images, n_neurons) as a dense array of float32."""
    return np.asarray(dense(counts), np.float32, order="C")


class _LinearClassifier(CountsClassifier):
    """A read-out that answers by its fitted `model_`; of the kind sgd it has no probabilities."""

    kind: LinearKind = "logistic"

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each image, (n_images,)."""
        counts = self._counts(X)
        return np.asarray(self.model_.predict(counts))

    @available_if(lambda readout: readout.kind == "logistic")  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Float64s:
        """Return the probability of each class, (n_images, n_classes), by logistic regression."""
        counts = self._counts(X)
        return np.asarray(self.model_.predict_proba(counts), np.float64)

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the linear scores, (n_images, n_classes), or (n_images,) of two classes."""
        counts = self._counts(X)
        return np.asarray(self.model_.decision_function(counts))


class LinearReadout(_LinearClassifier):
    """A linear classifier of spike counts, fitted on the calibration activity.

    Parameters
    ----------
    kind : {"logistic", "sgd"}
        logistic: multinomial logistic regression on scaled counts. sgd: the thesis's, scikit-learn's SGDClassifier with
        its defaults (hinge loss, one class against the rest) on the raw counts.
    C : float
        Inverse strength of the regularisation; only for logistic.
    scaling : {"standardised_roots", "roots", "none"}
        What is done to the counts, only for logistic. roots: square roots, which make the variance of a Poisson count
        independent of its mean (Anscombe 1948); standardised_roots: these, scaled to unit variance over the
        calibration images; none: the counts as they are.
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

    def __init__(
        self,
        kind: LinearKind = "logistic",
        C: float = 0.01,
        scaling: Scaling = "standardised_roots",
        random_state: Any = None,
    ) -> None:
        self.kind = kind
        self.C = C
        self.scaling = scaling
        self.random_state = random_state

    @property
    def settings(self) -> dict[str, Any]:
        """Kind, and for logistic C and scaling."""
        if self.kind != "logistic":
            return {"kind": self.kind}
        return {"kind": self.kind, "C": self.C, "scaling": self.scaling}

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to the calibration counts X (n_images, n_neurons) and their classes y (n_images,)."""
        X, y = self._calibration(X, y)
        self.model_ = _linear_model(self.kind, self.C, self.scaling, self.random_state).fit(X, y)
        self.classes_ = self.model_.classes_
        return self


class LinearCVReadout(_LinearClassifier):
    """Logistic regression whose C and scaling are chosen by cross-validation on the calibration images.

    The combination with the best mean accuracy over the folds, the first of equal ones, is fitted to all images.

    Parameters
    ----------
    folds : int
        Parts of the calibration images, stratified by class, each of which is scored once; fewer where a class has
        fewer images.
    grid : list of dict, or None
        The combinations to try, as for scikit-learn's GridSearchCV: parameters of `LinearReadout`. None: `GRID`.
    random_state : int, RandomState instance or None
        Which images are in which part.

    Attributes
    ----------
    classes_ : (n_classes,)
        The classes of the calibration images, in order.
    model_ : LinearReadout
        The chosen read-out, fitted.
    trials_ : list of dict
        C, scaling and mean accuracy over the folds of every combination.
    folds_ : int
        Parts that the images were divided into.
    n_features_in_ : int
        Neurons.
    """

    def __init__(
        self, folds: int = 5, grid: list[dict[str, list[Any]]] | None = None, random_state: Any = None
    ) -> None:
        self.folds = folds
        self.grid = grid
        self.random_state = random_state

    @property
    def settings(self) -> dict[str, Any]:
        """The chosen settings, and the accuracy of every combination."""
        return {**self.model_.settings, "folds": self.folds_, "trials": self.trials_}

    def fit(self, X: Any, y: Any) -> Self:
        """Choose and fit by the calibration counts X (n_images, n_neurons) and their classes y (n_images,)."""
        X, y = self._calibration(X, y)
        self.classes_, images = np.unique(y, return_counts=True)
        if images.min() < 2 or len(images) < 2:
            smallest = (
                f"class {self.classes_[images.argmin()]} has {images.min()}"
                if len(images) > 1
                else "there is one class"
            )
            raise DataError(
                f"linear_cv: cross-validation needs two calibration images of each of two classes, and {smallest}; "
                "take more images, or another read-out"
            )
        self.folds_ = int(min(self.folds, images.min()))
        parts = StratifiedKFold(self.folds_, shuffle=True, random_state=self.random_state)
        search = GridSearchCV(LinearReadout(), self.grid or GRID, cv=parts, scoring="accuracy").fit(X, y)
        self.model_ = search.best_estimator_
        tried = zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
        self.trials_ = [{**params, "accuracy": float(accuracy)} for params, accuracy in tried]
        return self
