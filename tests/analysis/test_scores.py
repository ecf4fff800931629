"""Accuracy, its interval, and the confusion matrix."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from stdpnet.errors import DataError
from stdpnet_analysis.baselines import kept
from stdpnet_analysis.readouts import READOUTS, ROLES
from stdpnet_analysis.readouts.reliability import Bin, reliability
from stdpnet_analysis.readouts.scores import best_of, best_vote, confusion, score, wilson_interval

LABELS = np.array([0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 1, 1, -1, -1, -1])


@pytest.mark.parametrize(
    ("correct", "n", "expected"),
    [
        (0, 10, (0.0, 0.2775)),  # Brown, Cai & DasGupta 2001: z^2/(n + z^2)
        (5, 10, (0.2366, 0.7634)),
        (81, 263, (0.2553, 0.3662)),  # Newcombe 1998, Table I, method 3
        (15, 148, (0.0624, 0.1605)),
        (9230, 10_000, (0.9176, 0.9281)),
    ],
)
def test_wilson_interval_has_the_published_values(correct, n, expected):
    assert wilson_interval(correct, n) == pytest.approx(expected, abs=5e-5)


def test_wilson_interval_follows_its_formula_and_widens_with_confidence():
    p, n, z = 0.9, 50, 2.5758293
    centre, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n),
    )
    assert wilson_interval(45, 50, 0.99) == pytest.approx((centre - half, centre + half), abs=1e-7)
    assert wilson_interval(45, 50, 0.99)[0] < wilson_interval(45, 50)[0]


def test_confusion_counts_answers_and_their_absence():
    assert confusion(LABELS, PREDICTED, 3).tolist() == [[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 2]]


def test_confusion_keeps_classes_that_do_not_occur():
    assert confusion(np.array([1], np.uint8), np.array([0]), 3).tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("labels", "predicted", "message"),
    [([0, 3], [0, 0], "labels:"), ([0, -1], [0, 0], "labels:"), ([0], [3], "predicted:"), ([0], [-2], "predicted:"),
     ([0, 1], [0], "predicted: shape")],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(labels, predicted, message):
    with pytest.raises(DataError, match=message):
        confusion(np.array(labels), np.array(predicted), 3)


def test_an_image_without_an_answer_counts_as_wrong_and_is_reported():
    result = score(LABELS, PREDICTED, 3)
    assert (result.accuracy, result.n, result.no_answer) == (pytest.approx(2 / 6), 6, 0.5)
    assert result.interval == wilson_interval(2, 6)
    assert result.confusion == confusion(LABELS, PREDICTED, 3).tolist()


def test_a_score_is_frozen_and_survives_json():
    result = score(LABELS, PREDICTED, 3)
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    with pytest.raises(FrozenInstanceError):
        result.accuracy = 1.0


def test_no_images_have_no_score():
    with pytest.raises(DataError, match="at least one image"):
        score(np.array([], int), np.array([], int), 3)


def test_the_best_vote_is_the_rule_with_the_best_mean_over_seeds():
    first, second = {"all": 0.9, "patch": 0.8, "linear": 1.0}, {"all": 0.5, "patch": 0.7, "linear": 1.0}
    assert best_vote(first) == "all"
    assert best_vote(first, second) == "patch"
    assert best_vote({"all": 0.0, "patch": 0.0, "spikes_first": 0.0}) == "all", "a silent network, the first of equals"
    assert best_of("vote", {"own": 0.9, "linear": 0.8}) is None
    assert best_of("linear", first) == "linear"
    with pytest.raises(DataError, match="none is of a voting rule; give at least one of all, patch, spikes_first"):
        best_vote({"linear": 0.9})


def test_every_read_out_has_a_role_and_only_a_models_own_answers_need_no_maker():
    voting = {name for name, each in READOUTS.items() if each.role == "vote"}
    assert voting == {"all", "patch", "spikes_first"}, "the thesis's best vote is the best of these"
    assert all(each.role == name for name, each in READOUTS.items() if name not in voting)
    assert [name for name, each in READOUTS.items() if each.make is None] == ["own"]
    assert tuple(READOUTS) == ("all", "patch", "spikes_first", *ROLES[1:])


def naive_error(right, confidence, bins=15):
    """Return the expected calibration error in plain loops, Guo et al. 2017, eq. 3."""
    error = 0.0
    for m in range(bins):
        inside = [i for i, p in enumerate(confidence) if m / bins < p <= (m + 1) / bins]
        if inside:
            accuracy = sum(right[i] for i in inside) / len(inside)
            error += len(inside) / len(right) * abs(accuracy - sum(confidence[i] for i in inside) / len(inside))
    return error


def test_the_calibration_error_equals_the_twin():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.1, 1, 500)
    right = rng.random(500) < confidence**2
    found = reliability(right, confidence)
    assert found.expected_calibration_error == pytest.approx(naive_error(right.tolist(), confidence.tolist()))
    assert found.expected_calibration_error > 0.05
    assert sum(each.images for each in found.bins) == 500
    assert all(each.above < each.confidence <= each.above + 1 / 15 for each in found.bins)


def test_answers_that_are_as_often_right_as_they_say_have_no_calibration_error():
    assert reliability(np.array([1, 1, 1, 0], bool), np.full(4, 0.75)).expected_calibration_error == 0
    assert reliability(np.array([True]), np.array([1.0])).bins == (Bin(14 / 15, 1, 1.0, 1.0),)
    assert reliability(np.array([], bool), np.array([])) is None


def test_images_without_an_answer_do_not_count_for_the_reliability():
    confidence = np.array([0.9, 0.9, 0.9, 0.5, 0.5, 0.5])
    result = score(LABELS, PREDICTED, 3, confidence)
    assert result.reliability == reliability(np.array([True, False, True]), confidence[:3])
    assert result.to_dict()["reliability"]["bins"][0]["images"] == 3
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    assert "reliability" not in score(LABELS, PREDICTED, 3).to_dict()


def test_scores_of_a_baseline_are_the_same_bytes_when_they_come_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    score = {"n": 3, "no_answer": 0.0, "accuracy": 0.5, "role": "vote", "interval": [0.1, 0.9]}
    first, again = (kept({"a": 1}, lambda: {"silent_images": 0.0, "readouts": {"all": score}}) for _ in range(2))
    assert json.dumps(first) == json.dumps(again)
