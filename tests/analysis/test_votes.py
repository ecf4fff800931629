"""The votes and the voting rules: by hand, against a slow obvious twin, and as scikit-learn classifiers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from sklearn.utils.estimator_checks import parametrize_with_checks

from stdpnet.errors import ConfigError, DataError
from stdpnet_analysis.readouts import votes as votes_module
from stdpnet_analysis.readouts.votes import RULES, VoteClassifier, answers, class_means, vote_scores


def naive_class_means(responses, labels, n_classes):
    votes = [[0.0] * len(responses[0]) for _ in range(n_classes)]
    for c in range(n_classes):
        images = [image for image, label in zip(responses, labels, strict=True) if label == c]
        for neuron in range(len(responses[0])):
            if images:
                votes[c][neuron] = sum(int(image[neuron]) for image in images) / len(images)
    return votes


def naive_score(rule, counts, vote, n_positions):
    """Return one image's score for one class."""
    channels = len(counts) // n_positions
    total = 0
    for position in range(n_positions):
        neurons = range(position * channels, (position + 1) * channels)
        if rule == "all":
            total += sum(counts[i] * vote[i] for i in neurons)
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
    return best if scores[best] > 0 else -1


@st.composite
def networks(draw):
    """Return small counts and votes of a network; whole votes, so that sums are exact and ties are ties."""
    n_images, n_positions, channels, n_classes = (draw(st.integers(1, top)) for top in (6, 4, 4, 4))
    n_neurons = n_positions * channels
    responses = draw(arrays(np.uint16, (n_images, n_neurons), elements=st.integers(0, 3)))
    votes = draw(arrays(np.float64, (n_classes, n_neurons), elements=st.integers(0, 3).map(float)))
    return responses, votes, n_positions


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None)
@given(network=networks())
def test_scores_and_answers_equal_the_twin(rule, network):
    responses, votes, n_positions = network
    expected = [
        [naive_score(rule, image, vote, n_positions) for vote in votes.tolist()] for image in responses.tolist()
    ]
    scores = vote_scores(responses, votes, n_positions, rule)
    assert scores.tolist() == expected
    assert answers(scores).tolist() == [naive_answer(image) for image in expected]


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


@pytest.mark.parametrize("rule", RULES)
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
    np.testing.assert_array_equal(vote_scores(responses, votes, 4, rule), whole)


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
    with pytest.raises(DataError, match="votes: 3 neurons, but 4"):
        vote_scores(COUNTS, VOTES[:, :3])


@parametrize_with_checks([VoteClassifier(rule) for rule in RULES])
def test_vote_classifier_is_a_scikit_learn_classifier(estimator, check):
    check(estimator)


@pytest.mark.parametrize("rule", RULES)
def test_the_classifier_answers_as_the_functions_do(rule):
    rng = np.random.default_rng(0)
    responses, labels = rng.poisson(0.3, (60, 8)).astype(np.uint16), rng.integers(0, 3, 60)
    responses[:2] = 0
    scores = vote_scores(responses, class_means(responses, labels, 3), 4, rule)
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
