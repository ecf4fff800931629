"""The n-gram read-out: by hand, against a slow obvious twin, and as a scikit-learn classifier."""

import itertools
from collections import Counter, defaultdict

import numpy as np
from scipy.sparse import csr_array
from sklearn.utils.estimator_checks import parametrize_with_checks

from stdpnet_analysis.readouts.ngram import NGramClassifier, pairs_of
from tests.analysis.estimators import passes

# One of their images has no pair that the calibration images had, and is answered -1.
UNKNOWN = {"check_classifiers_classes": r"got '.*, -1,", "check_classifiers_train": "Mismatched elements: 1 / 200"}


@parametrize_with_checks([NGramClassifier()])
def test_it_is_a_scikit_learn_classifier(estimator, check):
    passes(check, estimator, UNKNOWN)


def pairs_of_one(first):
    order = sorted((int(step), neuron) for neuron, step in enumerate(first) if step > 0)
    return [(a, b) for (_, a), (_, b) in itertools.pairwise(order)]


def naive_answers(known, labels, asked):
    occurrences = defaultdict(Counter)
    for first, label in zip(known, labels, strict=True):
        for pair in pairs_of_one(first):
            occurrences[pair][int(label)] += 1
    found = []
    for first in asked:
        scores = sum((occurrences[pair] for pair in pairs_of_one(first)), Counter())
        found.append(min(scores, key=lambda label: (-scores[label], label), default=-1))
    return found


def test_pairs_follow_the_steps_and_in_one_step_the_neurons():
    images, pairs = pairs_of(np.array([[3, 0, 1, 3], [0, 0, 0, 0], [0, 0, 7, 0], [5, 2, 0, 0]]))
    np.testing.assert_array_equal(images, [0, 0, 3])
    np.testing.assert_array_equal(pairs, [2 * 4 + 0, 0 * 4 + 3, 1 * 4 + 0])


def test_it_answers_as_its_naive_twin_and_nothing_where_no_pair_is_known():
    rng = np.random.default_rng(0)
    known, asked = (rng.integers(1, 12, (n, 9)) * (rng.random((n, 9)) < 0.4) for n in (60, 40))
    labels = rng.integers(0, 3, 60)
    asked[::7] = 0
    readout = NGramClassifier().fit(known, labels)
    found = readout.predict(asked)
    assert found.tolist() == naive_answers(known, labels, asked)
    assert (found == -1).any()
    assert len(set(found.tolist())) == 4
    np.testing.assert_array_equal(NGramClassifier().fit(csr_array(known), labels).predict(csr_array(asked)), found)
    names = np.array(["a", "b", "c"])
    assert set(NGramClassifier().fit(known, names[labels]).predict(asked)) == {"a", "b", "c", "-1"}
