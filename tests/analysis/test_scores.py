"""Accuracy, its interval, and the confusion matrix."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from stdpnet.errors import DataError
from stdpnet_analysis.readouts import READOUTS
from stdpnet_analysis.readouts.scores import best_of_role, best_vote, confusion, score, wilson_interval

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
    assert best_of_role("vote", {"own": 0.9, "linear": 0.8}) is None
    assert best_of_role("linear", first) == "linear"
    with pytest.raises(DataError, match="none is of a voting rule; give at least one of all, patch, spikes_first"):
        best_vote({"linear": 0.9})


def test_every_read_out_has_a_role_and_only_a_models_own_answers_need_no_maker():
    assert [(each.name, each.role) for each in READOUTS.values()] == [
        *((name, "vote") for name in ("all", "patch", "spikes_first")),
        ("linear", "linear"),
        ("own", "own"),
    ]
    assert [name for name, each in READOUTS.items() if each.make is None] == ["own"]
