import numpy as np
import pytest

from stdpnet.stdp.network import initial_network
from stdpnet_analysis.competition_weights import associate, clamp, off_diagonal, reciprocal, similarity
from tests.stdp.engines.networks import lively


@pytest.fixture
def network():
    spec = lively(topology={"architecture": "locally_connected", "channels": 12, "kernel": 4, "stride": 2})
    return initial_network(spec.updated({"competition.rule": "anti_stdp"}))


def test_pairs_are_those_of_a_position_without_the_diagonal(network):
    assert off_diagonal(network.competition).shape == (4, 12 * 11)
    assert (off_diagonal(network.competition) < 0).all()
    forth, back = reciprocal(network.competition)
    assert forth.shape == back.shape == (4, 66)
    assert forth[2, 0] == network.competition[2, 0, 1]
    assert back[2, -1] == network.competition[2, 11, 10]


def test_similarity_is_the_cosine_of_receptive_fields(network):
    a, b = network.weights[1, :, 3], network.weights[1, :, 7]
    assert similarity(network)[1, 3, 7] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    network.weights[1, :, 3] = 0
    assert similarity(network)[1, 3, 7] == 0
    shared = initial_network(lively("convolutional", competition={"rule": "anti_stdp"}))
    assert similarity(shared).shape == shared.competition.shape


def test_competition_that_follows_similarity_is_found(network):
    network.competition[...] = (
        -10 * similarity(network) - np.random.default_rng(0).random(network.competition.shape) / 10
    )
    found = associate(network, permutations=199)
    assert found.correlation > 0.9
    assert found.p_value == 1 / 200
    network.competition[...] = 10 * similarity(network) - 20
    opposite = associate(network, permutations=199)
    assert opposite.correlation == pytest.approx(-1)
    assert opposite.p_value == 1 / 200


def test_the_correlation_is_pearsons_and_the_test_is_reproducible(network):
    found, again = associate(network, 50, seed=3), associate(network, 50, seed=3)
    per_position = [np.corrcoef(a, b)[0, 1] for a, b in zip(found.similarity, found.strength, strict=True)]
    assert found.correlation == pytest.approx(np.mean(per_position))
    np.testing.assert_array_equal(found.null, again.null)
    assert not np.array_equal(found.null, associate(network, 50, seed=4).null)


def test_unrelated_competition_is_significant_as_rarely_as_the_level_says(network):
    random, p_values = np.random.default_rng(1), []
    for _ in range(60):
        network.competition[...] = -random.random(network.competition.shape)
        p_values.append(associate(network, 39).p_value)
    assert np.mean(np.array(p_values) <= 0.05) < 0.2  # 60 draws at 5 %: more than 11 would be a chance of 1e-4
    assert 0.35 < np.mean(p_values) < 0.65


def test_neurons_that_share_pairs_do_not_make_the_test_too_sure(network):
    """A neuron that inhibits everybody gives correlated pairs; a test on independent pairs takes them for evidence."""
    random, p_values = np.random.default_rng(2), []
    for _ in range(60):
        loud = np.exp(random.normal(size=(4, 12)))
        network.competition[...] = -loud[:, :, np.newaxis] * loud[:, np.newaxis, :]
        p_values.append(associate(network, 39).p_value)
    assert np.mean(np.array(p_values) <= 0.05) < 0.2


def test_many_channels_are_tested_on_a_seeded_part_of_them(monkeypatch, network):
    monkeypatch.setattr("stdpnet_analysis.competition_weights.MOST_CHANNELS", 6)
    network.competition[...] = -10 * similarity(network)
    found = associate(network, permutations=99)
    assert found.similarity.shape == (4, 66), "all pairs are drawn"
    assert found.correlation == pytest.approx(1)
    assert found.p_value < 0.05


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.0), (-np.inf, -2.0), (-2.0, -1.0), (0.0, 0.0)])
def test_clamping_keeps_weights_in_bounds_and_the_diagonal_at_exactly_zero(network, low, high):
    before = network.copy()
    clamped = clamp(network, low, high)
    pairs = off_diagonal(clamped.competition)
    assert (pairs >= low).all()
    assert (pairs <= high).all()
    assert (np.einsum("pii->pi", clamped.competition) == 0).all()
    assert network.changed_arrays(before) == [], "the network itself stays as it is"
    inside = (off_diagonal(before.competition) >= low) & (off_diagonal(before.competition) <= high)
    np.testing.assert_array_equal(pairs[inside], off_diagonal(before.competition)[inside])


def test_competition_clamped_in_training_keeps_its_diagonal_at_exactly_zero():
    from tests.stdp.engines.networks import ENGINES, build, random_trains, show

    for keys in (ENGINES["numba"], ENGINES["brian2-numpy"]):
        spec = lively(competition={"rule": "anti_stdp", "w_min": -3.0, "w_max": -1.5, "drift": 0.1})
        engine = build(spec, keys)
        outcome, _ = show(engine, random_trains(np.random.default_rng(0), 3, 40, 36, 0.3))
        assert outcome.counts.sum() > 0
        pairs = off_diagonal(engine.network.competition)
        assert (np.einsum("pii->pi", engine.network.competition) == 0).all()
        assert pairs.min() >= -3.0
        assert pairs.max() <= -1.5
