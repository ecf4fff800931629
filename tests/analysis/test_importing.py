"""Weights that other programs have learned: every layout is the same network, what does not fit is one sentence."""

import json

import numpy as np
import pytest

import stdpnet
from stdpnet.errors import ConfigError, DataError
from stdpnet.stdp.network import initial_network
from stdpnet_analysis.importing import as_theta, as_weights, import_run, read_arrays
from tests.stdp.engines.networks import lively

LOCAL, SHARED, FULL = map(lively, ("locally_connected", "convolutional", "fully_connected"))


def dense(spec, weights):
    """Return weights as BindsNET's LocalConnection has them, by its loops: w[location, filter * P + position]."""
    sizes = spec.geometry
    matrix = np.zeros((sizes.pixels, sizes.channels * sizes.positions))
    for position in range(sizes.positions):
        row, column = divmod(position, sizes.positions_per_side)
        for k in range(sizes.fan_in):
            i, j = divmod(k, sizes.kernel)
            pixel = (row * sizes.stride + i) * sizes.side + column * sizes.stride + j
            for channel in range(sizes.channels):
                matrix[pixel, channel * sizes.positions + position] = weights[position, k, channel]
    return matrix


@pytest.mark.parametrize("spec", [LOCAL, FULL], ids=["local", "full"])
def test_every_layout_of_weights_is_the_same_network(spec):
    weights = initial_network(spec).weights
    matrix = dense(spec, weights)
    listed = np.array([(i, j, matrix[i, j]) for i, j in np.argwhere(matrix)])
    for given in (weights, matrix, listed):
        np.testing.assert_array_equal(as_weights(spec, given), weights)


def test_shared_kernels_and_thetas():
    weights = initial_network(SHARED).weights
    sizes = SHARED.geometry
    kernels = weights[0].T.reshape(sizes.channels, 1, sizes.kernel, sizes.kernel)
    np.testing.assert_array_equal(as_weights(SHARED, kernels), weights)
    theta = np.arange(sizes.neurons, dtype=float).reshape(sizes.positions, sizes.channels)
    side = sizes.positions_per_side
    for given in (theta, theta.T.ravel(), theta.T.reshape(sizes.channels, side, side)):
        np.testing.assert_array_equal(as_theta(SHARED, given), theta)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[:, :5], r"weights: have the shape .*this configuration needs"),
        (lambda w: w + 1, r"weights: lie between .*w_max = 0\.7; scale"),
        (lambda w: np.where(w > 0.1, np.nan, w), "weights: hold values that are not finite"),
        (lambda w: np.full((36, 12), 0.1), "outside of the receptive field"),
        (lambda w: np.array([(36, 0, 0.1)]), "a pixel of the list is no whole number from 0 to 35"),
    ],
)
def test_weights_that_do_not_fit_are_one_sentence(change, message):
    with pytest.raises(DataError, match=message):
        as_weights(LOCAL, change(initial_network(LOCAL).weights))


def test_arrays_that_are_missing_or_wrong_are_one_sentence(tmp_path):
    weights = initial_network(LOCAL).weights
    thetas = {
        "theta: has the shape": np.zeros(5),
        "theta: holds values": -np.ones(12),
        "no finite float64 numbers": np.full(12, 1e308),
        "theta: is an array of <U1; give real numbers": np.array(["1"]),
    }
    for message, theta in thetas.items():
        with pytest.raises(DataError, match=message):
            import_run(LOCAL, {"weights": weights, "theta": theta}, tmp_path / "run", theta_scale=2.0)
    with pytest.raises(ConfigError, match="--theta-scale nan: is no finite factor"):
        import_run(LOCAL, {}, tmp_path / "run", theta_scale=float("nan"))
    with pytest.raises(DataError, match="theta: is missing"):
        import_run(LOCAL, {"weights": weights}, tmp_path / "run")
    with pytest.raises(ConfigError, match="model: 'features' takes no weights"):
        import_run(stdpnet.load_config("features-digits"), {}, tmp_path / "run")
    (tmp_path / "text.npz").write_text("no array")
    (tmp_path / "header.npy").write_bytes(b"\x93NUMPY\x01\0\x10\0" + b"(" * 16)
    named = {"text.npz": "not a readable", "header.npy": "not a readable", "absent.npy": "no such file"}
    named |= {"folder.npz": "is no regular file", "twice.npz": "theta and theta_A are both theta; keep one of them"}
    (tmp_path / "folder.npz").mkdir()
    np.savez(tmp_path / "twice.npz", theta=np.ones(2), theta_A=np.ones(2))
    for name, message in {**named, f"{'a' * 5000}.npy": "no such file"}.items():
        with pytest.raises(DataError, match=message):
            read_arrays(tmp_path / name)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("architecture", ["locally_connected", "fully_connected"])
def test_an_imported_network_is_scored_as_the_one_it_is(architecture, tmp_path, stdpnet_command):
    keys = [f"topology.architecture={architecture}", "topology.channels=4", "competition.rule=fixed"]
    keys += ["topology.kernel=20"] if architecture == "fully_connected" else []
    spec = stdpnet.load_config("digits", keys)
    network = initial_network(spec)
    theta = np.random.default_rng(0).random(spec.geometry.neurons) / 1000
    np.savez(tmp_path / "others.npz", w=dense(spec, network.weights))
    np.save(tmp_path / "theta.npy", theta)
    options = [part for key in keys for part in ("--set", key)]
    error = stdpnet_command("import", "digits", "others.npz", "--run", "r", *options, code=2).stderr
    assert "has no theta" in error
    assert "--theta zero" in error
    order = ("--theta", "theta.npy", "--theta-scale", "1000", "--run", "r")
    stdpnet_command("import", "digits", "others.npz", *order, *options)
    run = stdpnet.Run.open(tmp_path / "runs/r")
    state = run.load_state()
    np.testing.assert_array_equal(state.arrays["weights"], network.weights)
    np.testing.assert_array_equal(state.arrays["theta"], as_theta(spec, theta * 1000).astype(network.dtype))
    assert (run.status, run.complete) == ("finished", True)
    scores = json.loads(stdpnet_command("evaluate", "r", "--json", "--readouts", "all").stdout)
    assert 0 <= scores["readouts"]["all"]["accuracy"] <= 1
    assert "nothing to do, trained on 0 images (imported)" in stdpnet_command("resume", "r").stdout
    stdpnet_command("resume", "r", "--images", "2")
    assert (run.load_state().images, run.status) == (2, "finished")
    assert not np.array_equal(run.load_state().arrays["theta"], state.arrays["theta"])
