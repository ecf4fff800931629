"""CoLaNET and locally learned kernels: resources are conserved, and the rules are those of their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stdpnet
from stdpnet.api import as_split
from stdpnet.baselines.colanet import convolution
from stdpnet.baselines.colanet.columns import Constants, columns_of, learn
from stdpnet.baselines.colanet.network import KERNELS, kernel_constants, kernel_weights, spikes_of
from stdpnet.baselines.colanet.resource import resource_of, weights_of
from stdpnet.model import facts_of, open_model
from tests.models.cases import colanet, images, labels

BOUNDS = (-0.253, 0.0924)
CONSTANTS = Constants(
    microcolumns=3, threshold=2.0, w_min=-0.253, w_max=0.0924, reward=0.18, excess=0.1, silent=5, conserve=True
)


def mapped(resources):
    resources = np.atleast_2d(np.asarray(resources, float))
    weights = np.empty_like(resources)
    weights_of(resources, *BOUNDS, weights)
    return weights


@settings(max_examples=30, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(-0.25, 0.09))
def test_weights_stay_in_their_bounds_and_have_an_inverse(resource, weight):
    found = mapped(resource)[0, 0]
    assert BOUNDS[0] <= found <= BOUNDS[1]
    assert mapped(resource_of(weight, *BOUNDS))[0, 0] == pytest.approx(weight, abs=1e-9)


def naive_learn(resources, constants, counts, labels):
    """The rule, neuron by neuron, as docs/colanet.md says it."""
    for n, label in zip(counts.astype(float), labels, strict=True):
        weights = mapped(resources)
        potentials = n @ weights - constants.excess * np.maximum(weights, 0).sum(axis=0)
        for column in range(resources.shape[1] // constants.microcolumns):
            neurons = np.arange(constants.microcolumns) + column * constants.microcolumns
            winner = neurons[potentials[neurons].argmax()]
            fires = potentials[winner] > constants.threshold
            if fires == (column == label):
                continue
            change = (constants.reward if column == label else -constants.reward) * (n > 0)
            if constants.conserve:
                change = change - change.sum() / (len(n) + constants.silent)
            resources[:, winner] += change


@pytest.mark.parametrize("conserve", [True, False])
def test_columns_learn_as_defined(conserve):
    random, constants = np.random.default_rng(0), CONSTANTS._replace(conserve=conserve)
    counts, classes = random.integers(0, 11, (60, 36)).astype(np.uint16), random.integers(0, 2, 60)
    counts[random.random(counts.shape) < 0.6] = 0
    start = random.normal(resource_of(0.0, *BOUNDS), 0.01, (36, 6))
    expected, columns = start.copy(), columns_of(start, constants)
    naive_learn(expected, constants, counts, classes)
    _, changes, _ = learn(columns, constants, counts, classes)
    assert changes > 10
    np.testing.assert_allclose(columns.resources, expected, atol=1e-12)
    np.testing.assert_array_equal(columns.weights, mapped(columns.resources))


def test_the_resources_of_a_neuron_and_its_silent_synapses_are_conserved():
    random, constants = np.random.default_rng(1), CONSTANTS._replace(silent=0)
    counts, classes = random.integers(0, 11, (40, 36)).astype(np.uint16), random.integers(0, 2, 40)
    start = random.normal(resource_of(0.0, *BOUNDS), 0.01, (36, 6))
    columns = columns_of(start.copy(), constants)
    assert learn(columns, constants, counts, classes)[1] > 0
    np.testing.assert_allclose(columns.resources.sum(axis=0), start.sum(axis=0), atol=1e-10)


def test_spike_counts_of_pixels():
    pixels = np.array([0, 25, 26, 254, 255], np.uint8)
    np.testing.assert_array_equal(spikes_of(pixels, 10), [0, 0, 1, 9, 10])


def kernels_of(threshold=0.02):
    spec = colanet(kernels={"channels": 4, "kernel": 3, "stride": 1, "images": 12, "threshold": threshold})
    return spec, open_model(spec).initial(spec).arrays[KERNELS]


@pytest.mark.parametrize("gain", [1, 40])
def test_a_kernel_learns_once_an_image_and_conserves_its_resources(gain):
    spec, resources = kernels_of()
    weights, constants = gain * kernel_weights(spec, resources), kernel_constants(spec)  # a gain makes strong matches
    found, learned = np.empty((4, 16)), np.empty(4, np.bool_)
    for picture in images(10) / 255:
        before = resources.copy()
        updates = convolution.learn(picture, resources, weights, constants, found, learned)
        changed = (resources != before).any(axis=(1, 2))
        assert 0 < changed.sum() <= updates == learned.sum() <= 4
        np.testing.assert_allclose((resources - before).sum(axis=(1, 2)), 0, atol=1e-12)
        grown = (resources - before)[changed].max(axis=(1, 2))
        np.testing.assert_allclose(grown, spec.kernels.learning_rate, rtol=1e-9)
    bounds = (spec.kernels.w_min, spec.kernels.w_max)
    assert ((kernel_weights(spec, resources) >= bounds[0]) & (kernel_weights(spec, resources) < bounds[1])).all()


def test_a_strong_match_grows_only_the_brightest_pixels_it_needs():
    spec, resources = kernels_of()
    tile = np.linspace(0.1, 0.9, 9).reshape(3, 3)
    weights, one = np.full((1, 3, 3), 0.6), resources[:1].copy()
    convolution.learn(tile, one, weights, kernel_constants(spec), np.empty((1, 1)), np.empty(1, np.bool_))
    grown = (one - resources[:1])[0] > 0  # 0.6 * (0.9 + 0.8) = 1.02
    np.testing.assert_array_equal(grown, tile >= 0.79)


def test_the_convolution_fires_the_floor_of_its_drive_and_pools_are_sums():
    spec, resources = kernels_of(threshold=0.1)
    weights = 5 * kernel_weights(spec, np.random.default_rng(2).random(resources.shape) * 0.5)
    spikes = spikes_of(images(1)[0], 10)
    counts = np.empty((4, 2, 2), np.uint16)
    convolution.pooled(spikes / 10, weights, kernel_constants(spec), counts)
    tiles = np.lib.stride_tricks.sliding_window_view(spikes, (3, 3))
    drive = np.einsum("pqij,cij->cpq", tiles, weights)
    each = np.minimum(np.floor(np.maximum(drive, 0) / 0.1), 10)
    np.testing.assert_array_equal(counts, each.reshape(4, 2, 2, 2, 2).sum(axis=(2, 4)))
    assert counts.any()


def test_training_learns_two_classes_that_differ():
    pictures = images(200) // 4
    pictures[labels(200) == 0, :3] += 150
    pictures[labels(200) == 1, 3:] += 150
    spec = colanet(training={"images": 400, "classes": 2})
    state = stdpnet.fit(spec, pictures, labels(200), threads=1)
    answered = open_model(spec).respond(spec, state, as_split(pictures, labels(200)), stdpnet.random.Stream.TEST)
    assert np.mean(answered.scores.argmax(axis=1) == labels(200)) > 0.95
    weights = np.empty_like(state.arrays["resources"])
    weights_of(state.arrays["resources"], spec.columns.w_min, spec.columns.w_max, weights)
    assert (weights >= spec.columns.w_min).all()
    assert (weights < spec.columns.w_max).all()


def test_kernels_learn_first_and_then_stay():
    spec, _ = kernels_of()
    model = open_model(spec)
    learner = model.learner(spec, as_split(images(), labels()), model.initial(spec))
    learner.advance(12)
    kernels, columns = (learner.state.arrays[name].copy() for name in (KERNELS, "resources"))
    np.testing.assert_array_equal(columns, model.initial(spec).arrays["resources"])
    learner.advance(18)
    np.testing.assert_array_equal(learner.state.arrays[KERNELS], kernels)
    assert (learner.state.arrays["resources"] != columns).any()


def test_kernels_and_pools_that_do_not_fit_are_refused():
    with pytest.raises(stdpnet.ConfigError, match=r"kernels\.kernel: 7 is larger than the image, 6"):
        colanet(kernels={"channels": 4, "kernel": 7})
    with pytest.raises(stdpnet.ConfigError, match=r"kernels\.pool: 3 is larger"):
        colanet(kernels={"channels": 4, "kernel": 5, "stride": 1, "pool": 3})


def test_labels_name_the_kernels():
    assert facts_of(colanet()).label == "CoLaNET 3"
    assert facts_of(kernels_of()[0]).label == "CoLaNET 3 on 4/3"
