"""The spiking CoLaNET: the compiled code equals a plain version exactly, and the rules are as defined."""

import numpy as np
import pytest

import stdpnet
from stdpnet.api import as_split
from stdpnet.baselines.colanet.network import ColaNET, initial_arrays, spiking_constants
from stdpnet.baselines.colanet.plasticity import Constants, columns_of
from stdpnet.baselines.colanet.spiking import Noise, answer, learn
from stdpnet.model import facts_of, open_model
from stdpnet.random import Stream
from tests.models.cases import images, labels, spiking_colanet
from tests.models.naive_colanet import Naive, weights_of

CONSTANTS = Constants(
    microcolumns=3,
    steps=10,
    threshold=0.8,
    excess=0.2,
    w_min=-0.253,
    w_max=0.0924,
    decay=2 / 3,
    noise=0.2,
    forcing=0.7,
    anti_hebbian=0.1,
    reward=0.2,
    stability=0.5,
    presynaptic_window=10,
    reward_window=10,
    longest_interval=10,
    silent=5,
    conserve=True,
)
RESOURCE = 0.253 * 0.3454 / 0.0924
"""Of weight 0."""
KEY = (np.uint32(7), np.uint32(0))


def noise(count, stream=Stream.TRAIN):
    return Noise(int(stream), np.arange(count) + 2**33, KEY)


def trained(c, count=60, seed=0):
    """Return columns before and after they have learned, and the counts and classes they saw."""
    random = np.random.default_rng(seed)
    counts, classes = random.integers(0, 15, (count, 36)).astype(np.uint16), random.integers(0, 2, count)
    counts[random.random(counts.shape) < 0.4] = 0
    resources = random.normal(RESOURCE + 0.3, 0.2, (36, 6))
    columns = columns_of(resources.copy(), np.zeros(6), c)
    learn(columns, c, counts, classes, noise(count))
    return resources, columns, counts, classes


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"noise": 0.0, "conserve": False},
        {"longest_interval": 2, "presynaptic_window": 3, "reward_window": 4, "decay": 0.9},
        {"steps": 25, "stability": 5.0, "excess": 0.0},
    ],
    ids=["default", "without noise", "short windows", "more steps"],
)
def test_the_compiled_columns_equal_the_plain_ones_exactly(changes):
    c = CONSTANTS._replace(**changes)
    start, columns, counts, classes = trained(c)
    naive = Naive(start.copy(), np.zeros(6), c, seed=7)
    fired = 0
    for number, (seen, label) in enumerate(zip(counts.astype(int), classes, strict=True)):
        spikes, _ = naive.show(seen, number + 2**33, Stream.TRAIN, learns=True)
        naive.teach(label, number + 2**33, Stream.TRAIN)
        fired += spikes.sum()
    assert fired > 30, "there is something to compare"
    assert (columns.stability > 0).any()
    np.testing.assert_array_equal(columns.resources, naive.resources)
    np.testing.assert_array_equal(columns.stability, naive.stability)
    scores, spikes = np.empty((9, 2)), np.empty((9, 6), np.uint16)
    answer(columns, c, counts[:9], noise(9, Stream.TEST), scores, spikes)
    for number, seen in enumerate(counts[:9].astype(int)):
        expected = naive.show(seen, number + 2**33, Stream.TEST, learns=False)
        np.testing.assert_array_equal(spikes[number], expected[0])
        np.testing.assert_array_equal(scores[number], expected[1])


def test_the_resources_of_a_neuron_and_its_silent_synapses_are_conserved():
    start, columns, _, _ = trained(CONSTANTS._replace(silent=0))
    np.testing.assert_allclose(columns.resources.sum(axis=0), start.sum(axis=0), atol=1e-10)
    assert (columns.resources != start).any()
    start, columns, _, _ = trained(CONSTANTS._replace(silent=0, conserve=False))
    assert np.abs(columns.resources.sum(axis=0) - start.sum(axis=0)).max() > 0.1


def one_image(count, label, weight, **changes):
    """Return the changes of resources and stabilities by one image; every second input has spikes."""
    c = CONSTANTS._replace(noise=0.0, conserve=False, excess=0.0, **changes)
    span, counts = c.w_max - c.w_min, np.zeros((1, 36), np.uint16)
    counts[0, ::2] = count
    resources = np.full((36, 6), span * (weight - c.w_min) / (c.w_max - weight))
    resources[:, ::3] += 0.1  # the first neuron of each column wins
    columns = columns_of(resources.copy(), np.ones(6), c)
    learn(columns, c, counts, np.array([label]), noise(1))
    return columns.resources - resources, columns.stability - 1


def test_a_neuron_that_fires_by_itself_loses_and_the_winner_of_the_right_column_is_rewarded():
    change, stability = one_image(count=10, label=0, weight=0.06)
    assert not change[1::2].any(), "inputs without spikes have not contributed"
    half = 0.5  # 2**-stability
    expected = half * (np.array([0.2, 0, 0, 0, 0, 0]) - 0.1)
    np.testing.assert_allclose(change[::2], np.tile(expected, (18, 1)), atol=1e-12)
    assert stability[0] > 0
    assert not stability[1:].any()


def test_a_silent_column_is_forced_and_its_winner_learns_without_a_loss():
    change, stability = one_image(count=10, label=1, weight=0.001)
    expected = 0.5 * np.array([0, 0, 0, 0.2, 0, 0])
    np.testing.assert_allclose(change[::2], np.tile(expected, (18, 1)), atol=1e-12)
    np.testing.assert_allclose(stability, [0, 0, 0, -0.5 * 0.2, 0, 0])


@pytest.mark.parametrize(("longest_interval", "losses"), [(10, 1), (1, 10)])
def test_a_tight_sequence_of_spikes_loses_once(longest_interval, losses):
    change, _ = one_image(count=10, label=0, weight=0.06, longest_interval=longest_interval)
    assert -change[0, 5] / 0.05 == pytest.approx(losses), "the neuron of the wrong column spikes in all 10 steps"


@pytest.mark.parametrize(("window", "contributes"), [(0, False), (1, True)])
def test_an_input_that_spiked_before_the_window_does_not_contribute(window, contributes):
    change, _ = one_image(count=10, label=1, weight=0.001, presynaptic_window=window)
    assert change.any() == contributes, "the label forces a spike one step after the last input"


def test_a_column_that_fired_long_before_the_label_is_forced():
    change, stability = one_image(count=10, label=0, weight=0.06, reward_window=1, steps=30, forcing=1.0)
    assert stability[0] < 0
    assert change[0, 0] == pytest.approx(0.5 * (0.2 - 0.1))


def test_training_learns_two_classes_that_differ():
    pictures = images(200) // 4
    pictures[labels(200) == 0, :3] += 150
    pictures[labels(200) == 1, 3:] += 150
    spec = spiking_colanet(training={"images": 400, "classes": 2})
    state = stdpnet.fit(spec, pictures, labels(200), threads=1)
    answered = open_model(spec).respond(spec, state, as_split(pictures, labels(200)), Stream.TEST)
    assert np.mean(answered.scores.argmax(axis=1) == labels(200)) > 0.95
    weights = weights_of(state.arrays["resources"], spec.columns)
    assert (weights >= spec.columns.w_min).all()
    assert (weights < spec.columns.w_max).all()
    assert (np.floor(answered.scores).max(axis=1) <= spec.input.steps).all()


def test_spiking_columns_learn_behind_kernels():
    kernels = {"channels": 4, "kernel": 3, "stride": 1, "images": 10, "threshold": 0.01}
    spec = spiking_colanet(kernels=kernels, training={"images": 30, "classes": 2})
    start, state = initial_arrays(spec), stdpnet.fit(spec, images(), labels(), threads=1, progress=False)
    assert set(state.changed_arrays(stdpnet.State(start))) == {"resources", "stability", "kernel_resources"}


def test_the_digital_columns_have_no_stability_and_the_spiking_ones_have():
    spec = spiking_colanet()
    assert "stability" in initial_arrays(spec)
    digital = spec.updated({"columns.plasticity": "digital"})
    assert set(initial_arrays(digital)) == {"resources"}
    assert facts_of(spec).label == "spiking CoLaNET 3"
    assert facts_of(spec).synapses == facts_of(digital).synapses
    assert ColaNET(digital, initial_arrays(digital)).inputs(images(2)).shape == (2, 36)
    assert spiking_constants(spec).steps == spec.input.steps


def test_a_threshold_that_nothing_reaches_is_refused():
    with pytest.raises(stdpnet.ConfigError, match=r"columns\.threshold: 28 is above .* raise spiking\.forcing"):
        spiking_colanet(columns={"threshold": 28.0})
