"""A network as a NIR graph: read back and simulated, its spikes are the engine's wherever the export says so."""

import h5py
import numpy as np
import pytest

import stdpnet
from stdpnet.errors import ConfigError
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import FROZEN
from stdpnet.stdp.network import initial_network
from stdpnet_analysis.nir_graph import parts, to_nir
from tests.stdp.engines.networks import ARCHITECTURES, as_trains, lively, show

pytest.importorskip("nir", reason="needs the extra: pip install 'stdpnet[nir]'")

import nir

from tests.analysis.nir_simulator import simulate

RASTER = np.random.default_rng(1).random((2, 40, 36)) < 0.2


def trained(spec):
    """Return a network whose neurons have different thresholds."""
    network = initial_network(spec)
    network.theta[...] = np.random.default_rng(0).random(network.theta.shape)
    return network


def read_back(graph, folder):
    nir.write(folder / "network.nir", graph)
    return nir.read(folder / "network.nir")


def simulated(graph, raster):
    """Return spikes and potentials (T, P, C) for input spikes (T, pixels)."""
    shape = (graph.metadata["positions"], graph.metadata["channels"])
    inputs = raster.reshape(len(raster), *graph.nodes["input"].input_type["input"])
    found = simulate(graph, inputs, graph.metadata["dt"])
    if graph.metadata["neuron"].startswith("channel"):
        return [each.reshape(-1, *shape[::-1]).transpose(0, 2, 1) for each in found]
    return [each.reshape(-1, *shape) for each in found]


def raster_of(group):
    """Return (50, 400) the spikes of a population of a SONATA file."""
    raster = np.zeros((50, 400), bool)
    raster[group["timestamps"][()].astype(int), group["node_ids"][()].astype(int)] = True
    return raster


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("rule", ["none", "fixed", "anti_stdp"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_spikes_and_potentials_are_the_engine_s(tmp_path, architecture, rule, dtype):
    spec = lively(
        architecture, competition={"rule": rule}, simulation={"dtype": dtype}, neuron={"tau_refrac": 0, "v_reset": -66}
    )
    network = trained(spec)
    graph = read_back(to_nir(spec, network), tmp_path)
    assert ("competition" in graph.nodes) == (rule != "none")
    outcome, recording = show(make_engine(spec, network.copy(), 1), as_trains(RASTER), FROZEN)
    assert outcome.counts.sum() > 20
    for number, raster in enumerate(RASTER):
        spikes, potentials = simulated(graph, raster)
        np.testing.assert_array_equal(spikes, recording.spikes[number])
        np.testing.assert_array_equal(potentials, recording.v[number])


def test_a_potential_at_the_threshold_spikes(tmp_path):
    spec = lively("fully_connected", topology={"channels": 1}, neuron={"v_rest": 0.0, "v_reset": 0.0, "v_thresh": 2.0})
    network = initial_network(spec)
    network.weights[...], network.theta[...] = 1.0, 1.0
    for pixels, expected in ((2, 0), (3, 1)):  # 3 pulses of 1 mV reach v_thresh + theta exactly
        raster = np.zeros((3, 36), bool)
        raster[0, :pixels] = True
        spikes, _ = simulated(read_back(to_nir(spec, network), tmp_path), raster)
        assert spikes.sum() == expected


def test_what_is_called_unsupported_is_left_out(tmp_path):
    spec = lively(neuron={"tau_refrac": 3})
    labels = {name: part.label for name, part in parts(spec).items()}
    assert labels["refractory time"] == "unsupported"
    assert parts(spec.updated({"neuron.tau_refrac": 0}))["refractory time"].label == "faithful"
    assert "retries" not in labels
    assert parts(spec.updated({"training.min_spikes": 5}))["retries"].label == "unsupported"
    network = trained(spec)
    graph = read_back(to_nir(spec, network), tmp_path)
    assert {name: text.partition(":")[0] for name, text in graph.metadata["parts"].items()} == labels
    spikes, _ = simulated(graph, RASTER[0])
    outcome, _ = show(make_engine(spec, network, 1), as_trains(RASTER[:1]), FROZEN)
    assert spikes.sum() > outcome.counts.sum()


def test_the_command_writes_a_run_and_says_what_is_faithful(tmp_path, stdpnet_command):
    keys = ["training.images=20", "topology.channels=4", "simulation.duration=50", "neuron.tau_refrac=0"]
    spec = stdpnet.load_config("digits", keys)
    run = stdpnet.train(spec, tmp_path / "run")
    printed = stdpnet_command("export", run.path, tmp_path / "network.nir").stdout.splitlines()
    assert [line.split()[0] for line in printed[1:]] == [part.label for part in parts(spec).values()]
    graph = nir.read(tmp_path / "network.nir")
    (tmp_path / "config.toml").write_text(graph.metadata["config"])
    assert stdpnet.load_config(str(tmp_path / "config.toml")) == spec
    stdpnet_command("export", run.path, tmp_path / "spikes.h5", "--images", "1")
    with h5py.File(tmp_path / "spikes.h5") as file:
        rasters = {name: raster_of(file[f"spikes/{name}"]) for name in ("input", "neurons")}
    spikes, _ = simulated(graph, rasters["input"])
    assert spikes.sum() > 0
    np.testing.assert_array_equal(np.nonzero(spikes.reshape(50, -1)), np.nonzero(rasters["neurons"]))


def test_other_models_and_other_networks_are_one_sentence(tmp_path, stdpnet_command):
    with pytest.raises(ConfigError, match=r"network: its weights are .* this spec needs"):
        to_nir(lively("fully_connected"), initial_network(lively()))
    with pytest.raises(ConfigError, match="spec: is a "):
        to_nir(stdpnet.load_config("bptt-mnist"), initial_network(lively()))
    stdpnet.train(stdpnet.load_config("features-digits", ["training.images=20"]), tmp_path / "run")
    said = stdpnet_command("export", tmp_path / "run", tmp_path / "network.nir", code=2).stderr
    assert "its model, features, has no NIR form; use a file .npz" in said
