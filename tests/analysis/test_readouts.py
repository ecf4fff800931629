"""The linear read-out and CoLaNET as one, and the set of read-outs of a table."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from stdpnet.errors import ConfigError, DataError
from stdpnet_analysis.readouts import DEFAULT, READOUTS, ReadoutSettings, make_readouts, names_of
from stdpnet_analysis.readouts.colanet import ColaNETClassifier
from stdpnet_analysis.readouts.linear import LinearCVReadout, LinearReadout
from stdpnet_analysis.readouts.votes import VoteClassifier
from tests.analysis.estimators import negative_data, passes


@parametrize_with_checks([LinearReadout(), LinearReadout("sgd"), LinearCVReadout(folds=2, grid=[{"C": [0.01]}])])
def test_linear_readout_is_a_scikit_learn_classifier(estimator, check):
    passes(check, estimator, negative_data(estimator))


@parametrize_with_checks([ColaNETClassifier(microcolumns=2, random_state=0)])
def test_colanet_is_a_scikit_learn_classifier(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "readout",
    [
        LinearReadout(),
        LinearCVReadout(folds=2, grid=[{"C": [0.01]}]),
        VoteClassifier("log_evidence", 4),
        VoteClassifier("naive_bayes", 4),
    ],
)
def test_of_two_classes_probability_and_decision_have_the_same_order(readout, digits):
    X, y = digits[0][digits[1] < 2], digits[1][digits[1] < 2]
    readout = readout.fit(X, y)
    p, decision = readout.predict_proba(X)[:, 1], readout.decision_function(X)
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-decision)), rtol=1e-4, atol=1e-6)


def test_logistic_equals_its_formula_in_double_precision(digits):
    X, y = digits[0][:600], digits[1][:600]
    roots = np.sqrt(X.astype(np.float64))
    spread = roots.std(axis=0)
    Z = (roots - roots.mean(axis=0)) / np.where(spread > 0, spread, 1)
    reference = LogisticRegression(C=0.01, tol=1e-6, max_iter=10_000).fit(Z, y)
    scores = LinearReadout().fit(X, y).decision_function(X)
    np.testing.assert_allclose(
        scores, reference.decision_function(Z), atol=0.05
    )  # scores of +-5; the gap is tol = 1e-4


def test_colanet_reads_out_what_its_rule_learns(digits):
    X, y = digits[0][:1000], digits[1][:1000]
    readout = ColaNETClassifier(microcolumns=3, random_state=4).fit(X, y)
    assert readout.score(digits[0][1000:], digits[1][1000:]) > 0.8
    potentials = (X @ readout.weights_).reshape(len(X), 10, 3)
    np.testing.assert_array_equal(readout.predict(X), potentials.max(axis=2).argmax(axis=1))
    again, few = (ColaNETClassifier(microcolumns=3, random_state=4).fit(form(X), y) for form in (np.array, csr_array))
    np.testing.assert_array_equal(again.weights_, readout.weights_)
    np.testing.assert_array_equal(few.weights_, readout.weights_)
    larger = ColaNETClassifier(microcolumns=3, random_state=4).fit(4 * X, y)
    np.testing.assert_allclose(larger.weights_, readout.weights_)
    assert readout.predict(np.zeros((1, X.shape[1]), np.uint16)).tolist() == [-1]
    assert readout.settings == {"microcolumns": 3, "threshold": 0.2, "reward": 0.05, "passes": 5}


def test_sgd_is_the_default_classifier_on_raw_counts(digits):
    X, y = digits[0][:600], digits[1][:600]
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
    X, y = digits[0][:600], digits[1][:600]
    array, few = LinearReadout(kind, random_state=0).fit(X, y), LinearReadout(kind, random_state=0).fit(csr_array(X), y)
    np.testing.assert_array_equal(few.decision_function(csr_array(X)), array.decision_function(X))


def test_logistic_works_in_single_precision(digits):
    readout = LinearReadout().fit(*digits)
    assert readout.model_[:-1].transform(digits[0]).dtype == readout.model_[-1].coef_.dtype == np.float32


def test_many_silent_neurons_cost_no_memory_and_no_time(digits):
    X, y = digits[0][:600], digits[1][:600]
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


@pytest.mark.parametrize(("scaling", "scaled"), [("roots", np.sqrt), ("none", lambda counts: counts)])
def test_other_scalings_equal_their_formula(scaling, scaled, digits):
    X, y = digits[0][:600], digits[1][:600]
    Z = scaled(X.astype(np.float64))
    reference = LogisticRegression(C=1e-4, tol=1e-6, max_iter=10_000).fit(Z, y)
    readout = LinearReadout(C=1e-4, scaling=scaling).fit(X, y)
    np.testing.assert_allclose(readout.decision_function(X), reference.decision_function(Z), atol=0.05)
    np.testing.assert_allclose(readout.predict_proba(X), reference.predict_proba(Z), atol=0.01)
    assert readout.settings == {"kind": "logistic", "C": 1e-4, "scaling": scaling}


def test_only_the_logistic_read_out_has_probabilities(digits):
    X, y = digits[0][:600], digits[1][:600]
    assert not hasattr(LinearReadout("sgd").fit(X, y), "predict_proba")
    np.testing.assert_allclose(LinearReadout().fit(X, y).predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_cross_validation_chooses_what_a_plain_loop_over_folds_finds(digits):
    X, y = digits[0][:120], digits[1][:120]
    grid = [{"scaling": ["roots", "none"], "C": [0.001, 0.01]}, {"scaling": ["standardised_roots"], "C": [0.01]}]
    readout = LinearCVReadout(folds=3, grid=grid, random_state=4).fit(X, y)
    accuracy = {}
    parts = list(StratifiedKFold(3, shuffle=True, random_state=4).split(X, y))
    for scaling, C in [(scaling, C) for part in grid for scaling in part["scaling"] for C in part["C"]]:
        right = [
            LinearReadout(C=C, scaling=scaling).fit(X[fitted], y[fitted]).score(X[held], y[held])
            for fitted, held in parts
        ]
        accuracy[scaling, C] = np.mean(right)
    assert {(each["scaling"], each["C"]): each["accuracy"] for each in readout.trials_} == pytest.approx(accuracy)
    best = max(accuracy, key=accuracy.get)
    assert (readout.settings["scaling"], readout.settings["C"]) == best
    assert readout.settings["folds"] == 3
    chosen = LinearReadout(scaling=best[0], C=best[1]).fit(X, y)
    np.testing.assert_array_equal(readout.predict(digits[0]), chosen.predict(digits[0]))
    np.testing.assert_array_equal(readout.predict_proba(X), chosen.predict_proba(X))


def test_cross_validation_needs_two_images_of_each_class_and_has_no_more_parts_than_that():
    X = np.arange(12).reshape(6, 2)
    with pytest.raises(DataError, match="needs two calibration images of each of two classes, and class 2 has 1"):
        LinearCVReadout().fit(X, [0, 0, 1, 1, 1, 2])
    assert LinearCVReadout(grid=[{"C": [0.01]}]).fit(X, [0, 0, 0, 1, 1, 1]).folds_ == 3


def test_an_unknown_scaling_is_refused_with_the_valid_ones():
    with pytest.raises(ConfigError, match="scaling: 'logs' is unknown; choose among standardised_roots, roots, none"):
        LinearReadout(scaling="logs").fit(np.eye(2), [0, 1])


def test_make_readouts_gives_those_of_a_table(digits):
    readouts = make_readouts(settings=ReadoutSettings(n_positions=4, linear="sgd", C=0.5, seed=7))
    assert list(readouts) == list(DEFAULT) == ["all", "patch", "spikes_first", "log_evidence", "linear"]
    assert all(
        isinstance(readouts[rule], VoteClassifier) and readouts[rule].rule == rule for rule in list(readouts)[:4]
    )
    assert readouts["patch"].n_positions == 4
    assert readouts["linear"].get_params() == {
        "kind": "sgd", "C": 0.5, "scaling": "standardised_roots", "random_state": 7,
    }  # fmt: skip
    X, y = digits
    for name, readout in make_readouts({*READOUTS} - {"linear_cv"}, ReadoutSettings(n_positions=4)).items():
        assert readout.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.2, name  # chance: 0.1


def test_a_column_stands_for_its_read_outs_and_a_read_out_is_a_column():
    assert names_of("vote") == ("all", "patch", "spikes_first")
    assert names_of("patch") == ("patch",)
    assert names_of("loudest") == ()
    assert list(make_readouts(["linear", "vote", "patch"])) == ["all", "patch", "spikes_first", "linear"]
    assert make_readouts(["own"]) == {}
    with pytest.raises(ConfigError, match="--readouts: 'loudest' is unknown; choose among vote, log_evidence, naive_b"):
        make_readouts(["all", "loudest"])
    with pytest.raises(ConfigError, match="--readouts: names no read-out"):
        make_readouts([])


def test_a_neuron_that_spikes_equally_often_in_all_images_but_one_is_no_larger_than_the_others():
    labels = np.arange(2000) % 4
    counts = np.random.default_rng(3).poisson(1 + 3 * (labels[:, np.newaxis] == np.arange(20) % 4))
    steady = np.full((2000, 1), 100)
    steady[7] = 99
    readout = LinearReadout().fit(np.hstack([counts, steady]).astype(np.uint16), labels)
    scaled = readout.model_[:-1].transform(np.hstack([counts, steady]))
    assert scaled[:, [-1]].max() == pytest.approx(1, abs=1e-3)
    assert scaled[:, :-1].max() > 2
