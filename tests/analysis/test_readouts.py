"""The linear read-out, and the set of read-outs of a table."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from stdpnet.errors import ConfigError
from stdpnet_analysis.readouts import make_readouts
from stdpnet_analysis.readouts.linear import LinearReadout
from stdpnet_analysis.readouts.votes import VoteClassifier


@pytest.fixture(scope="module")
def digits():
    """Return Poisson counts (1797, 64) with scikit-learn's digits as means (some always 0), and their labels."""
    X, y = load_digits(return_X_y=True)
    return np.random.default_rng(0).poisson(X).astype(np.uint16), y


@parametrize_with_checks([LinearReadout(), LinearReadout("sgd")])
def test_linear_readout_is_a_scikit_learn_classifier(estimator, check):
    check(estimator)


def test_logistic_equals_its_formula_in_double_precision(digits):
    X, y = digits
    roots = np.sqrt(X.astype(np.float64))
    spread = roots.std(axis=0)
    Z = (roots - roots.mean(axis=0)) / np.where(spread > 0, spread, 1)
    reference = LogisticRegression(C=0.01, tol=1e-6, max_iter=10_000).fit(Z, y)
    scores = LinearReadout().fit(X, y).decision_function(X)
    np.testing.assert_allclose(
        scores, reference.decision_function(Z), atol=0.05
    )  # scores of +-5; the gap is tol = 1e-4


def test_sgd_is_the_default_classifier_on_raw_counts(digits):
    X, y = digits
    reference = SGDClassifier(random_state=3).fit(X.astype(np.float32), y)
    readout = LinearReadout("sgd", random_state=3).fit(X, y)
    np.testing.assert_array_equal(readout.decision_function(X), reference.decision_function(X.astype(np.float32)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["logistic", "sgd"])
def test_both_kinds_converge_without_a_warning(kind, digits):
    X, y = digits
    assert LinearReadout(kind, random_state=0).fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.8


@pytest.mark.parametrize("kind", ["logistic", "sgd"])
def test_sparse_counts_give_the_same_classifier(kind, digits):
    X, y = digits
    array, few = LinearReadout(kind, random_state=0).fit(X, y), LinearReadout(kind, random_state=0).fit(csr_array(X), y)
    np.testing.assert_array_equal(few.decision_function(csr_array(X)), array.decision_function(X))


def test_logistic_works_in_single_precision(digits):
    readout = LinearReadout().fit(*digits)
    assert readout.model_[:-1].transform(digits[0]).dtype == readout.model_[-1].coef_.dtype == np.float32


def test_many_silent_neurons_cost_no_memory_and_no_time(digits):
    X, y = digits
    wide = np.hstack([X, np.zeros((len(X), 5000), np.uint16)])
    readout = LinearReadout().fit(wide, y)
    assert readout.model_[:-1].transform(wide).nnz == np.count_nonzero(X)
    np.testing.assert_allclose(
        readout.decision_function(wide), LinearReadout().fit(X, y).decision_function(X), atol=0.05
    )


def test_a_count_at_the_limit_of_uint16_keeps_its_root():
    roots = LinearReadout().fit(np.array([[0, 65535], [1, 0]], np.uint16), [0, 1]).model_[0].transform
    np.testing.assert_array_equal(
        roots(np.array([[65535, 4]], np.uint16)).toarray(), np.sqrt([[65535, 4]], dtype=np.float32)
    )


@pytest.mark.filterwarnings("error")
def test_a_silent_network_gives_the_most_frequent_class():
    X, y = np.zeros((6, 4), np.uint16), np.array([0, 1, 1, 1, 2, 2])
    assert LinearReadout().fit(X, y).predict(X).tolist() == [1] * 6


def test_the_counts_are_left_as_they_were(digits):
    X = digits[0].astype(np.float32)
    before = X.copy()
    LinearReadout().fit(X, digits[1]).predict(X)
    np.testing.assert_array_equal(X, before)


def test_an_unknown_kind_is_refused_with_the_valid_ones():
    with pytest.raises(ConfigError, match="kind: 'svm' is unknown; choose 'logistic' or 'sgd'"):
        LinearReadout("svm").fit(np.eye(2), [0, 1])


def test_make_readouts_gives_the_four_of_a_table(digits):
    readouts = make_readouts(n_positions=4, linear="sgd", C=0.5, seed=7)
    assert list(readouts) == ["all", "patch", "spikes_first", "linear"]
    assert all(
        isinstance(readouts[rule], VoteClassifier) and readouts[rule].rule == rule for rule in list(readouts)[:3]
    )
    assert readouts["patch"].n_positions == 4
    assert readouts["linear"].get_params() == {"kind": "sgd", "C": 0.5, "random_state": 7}
    X, y = digits
    for readout in make_readouts(n_positions=4).values():
        assert readout.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.2  # chance: 0.1
