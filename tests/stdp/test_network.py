import numpy as np
import pytest

from stdpnet.errors import ConfigError
from stdpnet.random import Purpose, generator
from stdpnet.stdp.network import initial_network, normalise
from stdpnet.stdp.spec.plasticity import PlasticitySpec
from tests.stdp.engines.networks import ARCHITECTURES, lively


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_initial_network_is_seeded_normalised_and_within_bounds(architecture, dtype):
    spec = lively(architecture, plasticity={"w_max": 5.0}, simulation={"dtype": dtype})
    network = initial_network(spec)
    assert network.changed_arrays(initial_network(spec)) == []
    assert "weights" in network.changed_arrays(initial_network(spec.updated({"seed": 4})))
    assert network.dtype == dtype
    np.testing.assert_allclose(network.weights.mean(axis=1), 0.4, rtol=1e-5)
    assert (network.theta == 0).all()


def test_initial_weights_are_uniform_before_the_normalisation():
    weights = initial_network(lively(topology={"channels": 400}, plasticity={"w_max": 9.0})).weights
    relative = weights / weights.max(axis=1, keepdims=True)
    assert np.quantile(relative, [0.25, 0.5, 0.75]) == pytest.approx([0.265, 0.53, 0.8], abs=0.02)


@pytest.fixture
def kernels(tmp_path):
    """Return the path of a file with weights (16, 3), some of them negative, and these weights."""
    weights = np.random.default_rng(0).normal(0.02, 0.05, (16, 3))
    np.save(tmp_path / "kernels.npy", weights)
    return str(tmp_path / "kernels.npy"), weights


@pytest.mark.parametrize("architecture", ["locally_connected", "convolutional"])
def test_initial_weights_of_a_file_keep_their_shape_and_get_the_usual_mean(architecture, kernels):
    path, weights = kernels
    network = initial_network(lively(architecture, plasticity={"initial": path, "w_max": 5.0}))
    positive = np.maximum(weights, 0)
    for own in network.weights:
        np.testing.assert_allclose(own, 0.4 * positive / positive.mean(axis=0), rtol=1e-5)
    usual = initial_network(lively(architecture, plasticity={"w_max": 5.0}))
    assert network.changed_arrays(usual) == ["weights"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.ones((9, 3)), r"holds float64 \(9, 3\); numbers of shape \(16, 3\) or \(4, 16, 3\) are needed"),
        (np.full((16, 3), np.nan), "not all weights are finite"),
        (-np.ones((16, 3)), "neuron 0 has no sum of weights above 0"),
        (np.full((16, 3), "a"), "holds <U1"),
        (b"no array", r"cannot be read \(it is no NumPy file of numbers\)"),
        (None, r"cannot be read \(No such file or directory\)"),
    ],
)
def test_a_file_without_such_weights_is_refused(tmp_path, content, words):
    path = tmp_path / "kernels.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    with pytest.raises(ConfigError, match=rf"plasticity\.initial: .*kernels\.npy: {words}"):
        initial_network(lively(plasticity={"initial": str(path)}))


def test_fixed_competition_is_one_number():
    network = initial_network(lively(competition={"c_w": -7.0}))
    assert network.competition.shape == ()
    assert network.competition[()] == -7.0


def test_learned_competition_may_begin_constant():
    keys = {"rule": "anti_stdp", "c_w": -7.0, "initial": "constant", "w_min": -np.inf, "w_max": 0.0}
    network = initial_network(lively(competition=keys))
    for matrix in network.competition:
        np.testing.assert_array_equal(matrix, -7.0 * (1 - np.eye(3)))


def test_learned_competition_begins_uniform_between_c_w_and_zero():
    keys = {"rule": "anti_stdp", "c_w": -100.0, "w_min": -200.0, "w_max": 0.0}
    network = initial_network(lively(topology={"channels": 100}, competition=keys))
    off_diagonal = network.competition[:, ~np.eye(100, dtype=bool)]
    assert off_diagonal.min() >= -100
    assert off_diagonal.max() < 0
    assert np.quantile(off_diagonal, [0.25, 0.5, 0.75]) == pytest.approx([-75, -50, -25], abs=2)
    assert (network.competition[:, np.eye(100, dtype=bool)] == 0).all()


def test_normalisation_scales_to_the_sum_clips_and_leaves_dead_neurons_alone():
    weights = np.array([[[1.0, 0.0, 9.0], [3.0, 0.0, 1.0]]])  # (1 set, 2 pixels, 3 neurons)
    plasticity, original = PlasticitySpec(mean_weight=4.0, w_max=7.0), weights.copy()
    assert normalise(weights, plasticity, np.array([[False, True, True]])) == 1
    np.testing.assert_array_equal(weights, [[[1.0, 0.0, 7.0], [3.0, 0.0, 0.8]]])
    assert normalise(original, plasticity, np.array([[True, True, False]])) == 1
    np.testing.assert_array_equal(original, [[[2.0, 0.0, 9.0], [6.0, 0.0, 1.0]]])


def test_generators_of_other_purposes_and_numbers_differ():
    draws = [generator(1, Purpose.WEIGHTS), generator(1, Purpose.COMPETITION), generator(2, Purpose.WEIGHTS),
             generator(1, Purpose.IMAGE_ORDER, 0), generator(1, Purpose.IMAGE_ORDER, 1)]  # fmt: skip
    assert len({float(draw.random()) for draw in draws}) == len(draws)
