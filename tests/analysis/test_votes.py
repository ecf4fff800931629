"""The votes and the voting rules: by hand, against a slow obvious twin, and as scikit-learn classifiers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from sklearn.naive_bayes import MultinomialNB
from sklearn.utils.estimator_checks import parametrize_with_checks

from stdpnet.errors import ConfigError, DataError
from stdpnet_analysis.readouts import votes as votes_module
from stdpnet_analysis.readouts.base import answers
from stdpnet_analysis.readouts.rules import RULES, THESIS_RULES
from stdpnet_analysis.readouts.votes import VoteClassifier, class_means, class_sums, vote_scores
from tests.analysis.estimators import negative_data, passes


def naive_class_means(responses, labels, n_classes):
    votes = [[0.0] * len(responses[0]) for _ in range(n_classes)]
    for c in range(n_classes):
        images = [image for image, label in zip(responses, labels, strict=True) if label == c]
        for neuron in range(len(responses[0])):
            if images:
                votes[c][neuron] = sum(int(image[neuron]) for image in images) / len(images)
    return votes


def naive_weights(rule, sums, images):
    """Return what a rule makes of the sums of counts of each class, by docs/model.md."""
    n_classes, n_neurons = len(sums), len(sums[0])
    votes = [[sums[c][i] / images[c] for i in range(n_neurons)] for c in range(n_classes)]
    weights = [[0.0] * n_neurons for _ in range(n_classes)]
    best = [max(range(n_classes), key=lambda c: (votes[c][i], -c)) for i in range(n_neurons)]
    for c in range(n_classes):
        equal = [vote * sum(images) / n_classes for vote in votes[c]]
        members = [i for i in range(n_neurons) if best[i] == c and votes[c][i] > 0]
        for i in range(n_neurons):
            total = sum(votes[q][i] for q in range(n_classes))
            if rule == "log_evidence":
                weights[c][i] = math.log((equal[i] + 0.1) / sum(each + 0.1 for each in equal))
            elif rule == "naive_bayes":
                weights[c][i] = math.log((sums[c][i] + 0.1) / sum(each + 0.1 for each in sums[c]))
            elif rule == "proportion":
                weights[c][i] = votes[c][i] / total if total > 0 else 0.0
            elif rule == "assigned":
                weights[c][i] = 1 / len(members) if i in members else 0.0
            else:
                weights[c][i] = votes[c][i]
    return weights


def naive_score(rule, counts, vote, n_positions):
    """Return one image's score for one class from the weights of the neurons for this class."""
    channels = len(counts) // n_positions
    total = 0
    for position in range(n_positions):
        neurons = range(position * channels, (position + 1) * channels)
        if rule in ("all", "naive_bayes", "proportion", "assigned"):
            total += sum(counts[i] * vote[i] for i in neurons)
        elif rule == "log_evidence":
            spikes = sum(counts[i] for i in neurons)
            total += sum(counts[i] / spikes * vote[i] for i in neurons) if spikes else 0
        elif rule == "patch":
            total += max(counts[i] * vote[i] for i in neurons)
        else:
            winner = neurons[0]
            for i in neurons:
                if counts[i] > counts[winner]:
                    winner = i
            total += counts[winner] * vote[winner]
    return total


def naive_answer(scores):
    best = 0
    for c, value in enumerate(scores):
        if value > scores[best]:
            best = c
    return best if any(score != 0 for score in scores) else -1


@st.composite
def networks(draw):
    """Return small counts and votes of a network; whole votes, so that sums are exact and ties are ties."""
    n_images, n_positions, channels, n_classes = (draw(st.integers(1, top)) for top in (6, 4, 4, 4))
    n_neurons = n_positions * channels
    responses = draw(arrays(np.uint16, (n_images, n_neurons), elements=st.integers(0, 3)))
    votes = draw(arrays(np.float64, (n_classes, n_neurons), elements=st.integers(0, 3).map(float)))
    return responses, votes, n_positions


# Each network is tried with every rule: it takes longer to draw one than to score it.
@settings(deadline=None)
@given(network=networks())
def test_scores_and_answers_equal_the_twin(network):
    responses, votes, n_positions = network
    for rule in RULES:
        expected = [
            [naive_score(rule, image, vote, n_positions) for vote in votes.tolist()] for image in responses.tolist()
        ]
        scores = vote_scores(responses, votes, n_positions, rule)
        if rule == "log_evidence":  # it divides, so that sums are no whole numbers
            np.testing.assert_allclose(scores, expected, rtol=1e-13)
        else:
            assert scores.tolist() == expected, rule
        assert answers(np.array(expected)).tolist() == [naive_answer(image) for image in expected], rule


@settings(deadline=None)
@given(network=networks(), data=st.data())
def test_the_classifier_equals_the_twin_from_counts_to_answers(network, data):
    responses, _, n_positions = network
    labels = data.draw(arrays(np.int64, len(responses), elements=st.integers(0, 2)))
    classes, number = np.unique(labels, return_inverse=True)
    sums, images = class_sums(responses, number, len(classes))
    counts = responses.tolist()
    for rule in RULES:
        weights = naive_weights(rule, sums.tolist(), images.tolist())
        expected = np.array([[naive_score(rule, image, row, n_positions) for row in weights] for image in counts])
        classifier = VoteClassifier(rule, n_positions).fit(responses, labels)
        np.testing.assert_allclose(classifier.weights_, weights, rtol=1e-13, atol=1e-15, err_msg=rule)
        np.testing.assert_allclose(classifier._scores(responses), expected, rtol=1e-12, atol=1e-14, err_msg=rule)
        for given_answer, image in zip(classifier.predict(responses), expected, strict=True):
            runner_up = np.sort(image)[-2] if len(classes) > 1 else -np.inf
            if not image.any():
                assert given_answer == -1, rule
            elif image.max() - runner_up > 1e-9:  # else it is a tie but for rounding
                assert given_answer == classes[naive_answer(image)], rule


@settings(deadline=None)
@given(
    responses=arrays(np.uint16, (5, 3), elements=st.integers(0, 65535)),
    labels=arrays(np.int64, 5, elements=st.integers(0, 2)),
)
def test_class_means_equal_the_twin(responses, labels):
    np.testing.assert_allclose(class_means(responses, labels, 3), naive_class_means(responses, labels, 3), rtol=1e-14)


def test_a_vote_is_the_mean_count_over_the_images_of_the_class():
    responses = np.array([[2, 0], [4, 1], [1, 8]], np.uint16)
    assert class_means(responses, np.array([0, 0, 2]), 4).tolist() == [[3, 0.5], [0, 0], [1, 8], [0, 0]]


def test_means_of_full_counts_do_not_overflow():
    responses = np.full((300, 2), 65535, np.uint16)
    assert class_means(responses, np.zeros(300, int), 1).tolist() == [[65535, 65535]]


@pytest.mark.parametrize("labels", [[0, 3], [0, -1], [0]])
def test_labels_that_do_not_fit_are_refused(labels):
    with pytest.raises(DataError, match="labels:"):
        class_means(np.ones((2, 2)), np.array(labels), 3)


# Two positions of two channels, two classes. Results of the image: 6, 0 | 0, 2 for class 0; 3, 5 | 0, 6 for class 1.
COUNTS = np.array([[3, 1, 0, 2]], np.uint16)
VOTES = np.array([[2.0, 0.0, 9.0, 1.0], [1.0, 5.0, 9.0, 3.0]])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("all", [6 + 0 + 0 + 2, 3 + 5 + 0 + 6]), ("patch", [6 + 2, 5 + 6]), ("spikes_first", [6 + 2, 3 + 6])],
)
def test_each_rule_sums_the_results_it_names(rule, expected):
    assert vote_scores(COUNTS, VOTES, 2, rule).tolist() == [expected]


def test_patch_sums_over_positions_where_the_literal_maximum_would_decide_otherwise():
    votes = np.array(
        [[5.0, 0.0], [4.0, 4.0]]
    )  # largest result overall: class 0; sum of the positions' largest: class 1
    assert answers(vote_scores(np.array([[1, 1]]), votes, 2, "patch")).tolist() == [1]


def test_spikes_first_takes_the_lowest_channel_among_equal_counts():
    votes = np.array([[0.0, 7.0, 1.0], [0.0, 1.0, 7.0]])
    assert vote_scores(np.array([[0, 2, 2]]), votes, 1, "spikes_first").tolist() == [[14, 2]]


@pytest.mark.parametrize("rule", RULES)
def test_a_silent_position_adds_nothing(rule):
    silent_second = np.array([[3, 1, 0, 0]])
    alone = vote_scores(silent_second[:, :2], VOTES[:, :2], 1, rule)
    assert vote_scores(silent_second, VOTES, 2, rule).tolist() == alone.tolist()


@pytest.mark.parametrize("rule", RULES)
def test_an_image_without_any_result_is_answered_minus_one(rule):
    votes = np.array([[1.0, 0.0], [2.0, 0.0]])
    responses = np.array([[0, 0], [0, 5], [1, 0]])  # silent; only a neuron without votes; answered
    assert answers(vote_scores(responses, votes, 1, rule)).tolist() == [-1, -1, 1]


def test_equal_scores_go_to_the_lowest_class():
    assert answers(np.array([[0.0, 2.0, 2.0], [3.0, 1.0, 3.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("rule", THESIS_RULES)
def test_a_class_without_calibration_images_is_never_answered(rule):
    rng = np.random.default_rng(0)
    responses, labels = rng.poisson(2, (40, 6)), np.repeat([0, 2], 20)
    votes = class_means(responses, labels, 4)
    assert set(answers(vote_scores(responses, votes, 3, rule))) == {0, 2}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("chunk", [1, 24, 50])
def test_scores_do_not_depend_on_the_chunks(rule, chunk, monkeypatch):
    rng = np.random.default_rng(0)
    responses, votes = rng.poisson(1, (11, 12)).astype(np.uint16), rng.integers(0, 8, (3, 12)) / 4
    whole = vote_scores(responses, votes, 4, rule)
    monkeypatch.setattr(votes_module, "_CHUNK", chunk)
    rounding = 1e-14 if rule == "log_evidence" else 0  # which divides
    np.testing.assert_allclose(vote_scores(responses, votes, 4, rule), whole, rtol=rounding)


def test_no_images_give_no_answers():
    assert answers(vote_scores(np.empty((0, 4), np.uint16), VOTES, 2)).shape == (0,)


def test_the_number_of_positions_must_divide_the_neurons():
    with pytest.raises(ConfigError, match="n_positions: 4 neurons do not divide into 3 positions"):
        vote_scores(COUNTS, VOTES, 3)
    with pytest.raises(ConfigError, match="n_positions"):
        VoteClassifier(n_positions=3).fit(COUNTS, [0])


def test_an_unknown_rule_is_refused_with_the_valid_ones():
    with pytest.raises(ConfigError, match=r"rule: 'most' is unknown; choose one of all, patch, spikes_first"):
        VoteClassifier(rule="most").fit(COUNTS, [0])


def test_votes_of_another_network_are_refused():
    with pytest.raises(DataError, match="weights: 3 neurons, but 4"):
        vote_scores(COUNTS, VOTES[:, :3])


@parametrize_with_checks([VoteClassifier(rule) for rule in RULES])
def test_vote_classifier_is_a_scikit_learn_classifier(estimator, check):
    passes(check, estimator, negative_data(estimator))


@pytest.mark.parametrize("rule", RULES)
def test_the_classifier_answers_as_the_functions_do(rule):
    rng = np.random.default_rng(0)
    responses, labels = rng.poisson(0.3, (60, 8)).astype(np.uint16), rng.integers(0, 3, 60)
    responses[:2] = 0
    scores = vote_scores(responses, RULES[rule].weigh(*class_sums(responses, labels, 3)), 4, rule)
    classifier = VoteClassifier(rule, 4).fit(responses, labels)
    np.testing.assert_array_equal(classifier.decision_function(responses), scores)
    np.testing.assert_array_equal(classifier.predict(responses), answers(scores))
    assert -1 in answers(scores)
    few = csr_array(responses)
    np.testing.assert_array_equal(VoteClassifier(rule, 4).fit(few, labels).votes_, classifier.votes_)
    np.testing.assert_array_equal(classifier.decision_function(few), scores)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([3, 7], np.uint8), [3, 7, -1]),
        (np.array(["a", "b"]), ["a", "b", "-1"]),
        (np.array(["a", "b"], dtype=object), ["a", "b", "-1"]),
    ],
)
def test_the_classifier_keeps_the_names_of_the_classes(labels, expected):
    classifier = VoteClassifier().fit(np.eye(2, 3), labels)
    assert classifier.predict(np.eye(3)).tolist() == expected


def test_naive_bayes_is_scikit_learns_image_for_image(digits):
    X, y = digits
    X[0] = 0
    few = np.concatenate([np.flatnonzero(y == label)[: 20 + 10 * label] for label in range(10)])  # unequal classes
    reference = MultinomialNB(alpha=0.1, fit_prior=False).fit(X[few], y[few])
    readout = VoteClassifier("naive_bayes", n_positions=4).fit(X[few], y[few])
    np.testing.assert_array_equal(readout.predict(X)[1:], reference.predict(X)[1:])
    np.testing.assert_allclose(readout.predict_proba(X), reference.predict_proba(X), rtol=1e-9, atol=1e-12)
    assert readout.predict(X)[0] == -1, "the one difference: an image without spikes has no answer"


def test_log_evidence_of_one_position_answers_as_naive_bayes_of_equal_classes(digits):
    X, y = digits
    few = np.concatenate([np.flatnonzero(y == label)[:50] for label in range(10)])
    answers_of = [VoteClassifier(rule).fit(X[few], y[few]).predict(X) for rule in ("log_evidence", "naive_bayes")]
    np.testing.assert_array_equal(*answers_of)


def test_log_evidence_does_not_depend_on_the_number_of_calibration_images_of_a_class(digits):
    X, y = digits
    twice = np.concatenate([np.arange(len(y)), np.flatnonzero(y == 3)])
    once, more = (VoteClassifier("log_evidence", 4).fit(X[part], y[part]) for part in (np.arange(len(y)), twice))
    p, q = (np.exp(each.weights_) for each in (once, more))
    np.testing.assert_allclose(p, q, atol=1e-4)  # the smoothing weighs a little less where there are more images
    other = VoteClassifier("naive_bayes", 4)
    assert np.abs(np.exp(other.fit(X, y).weights_) - np.exp(other.fit(X[twice], y[twice]).weights_)).max() < 1e-4


def test_in_log_evidence_a_position_weighs_the_same_however_many_spikes_it_has():
    X, y = np.array([[4, 0, 0, 4], [0, 4, 4, 0]]), [0, 1]
    readout = VoteClassifier("log_evidence", n_positions=2).fit(X, y)
    few, many = readout._scores(np.array([[1, 0, 1, 0], [9, 0, 1, 0]]))
    np.testing.assert_allclose(few, many, rtol=1e-14)
    assert VoteClassifier("naive_bayes", 2).fit(X, y).predict(np.array([[9, 0, 1, 0]])) == [0]


@pytest.mark.parametrize("rule", RULES)
def test_only_log_likelihoods_have_probabilities(rule, digits):
    X, y = digits
    X[0] = 0
    readout = VoteClassifier(rule, 4).fit(X[:1000], y[:1000])
    assert hasattr(readout, "predict_proba") == (rule in ("log_evidence", "naive_bayes"))
    if hasattr(readout, "predict_proba"):
        probabilities = readout.predict_proba(X)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        np.testing.assert_allclose(probabilities[0], 0.1, err_msg="an image without spikes says nothing")
        np.testing.assert_array_equal(readout.classes_[probabilities[1:].argmax(axis=1)], readout.predict(X)[1:])


def test_a_neuron_is_assigned_to_its_best_class_and_one_that_was_silent_to_none():
    X, y = np.array([[4, 1, 0, 2], [0, 3, 0, 2], [0, 0, 0, 0]]), np.array([0, 1, 2])
    weights = VoteClassifier("assigned").fit(X, y).weights_
    assert weights.tolist() == [[0.5, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 0, 0]]  # of equal votes the first class


def test_proportion_divides_the_votes_of_a_neuron_by_their_sum():
    X, y = np.array([[4, 1, 0], [0, 3, 0]]), np.array([0, 1])
    assert VoteClassifier("proportion").fit(X, y).weights_.tolist() == [[1, 0.25, 0], [0, 0.75, 0]]
