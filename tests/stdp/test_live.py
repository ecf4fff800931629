"""A network as a live Brian2 network: the spikes and the learning of the engines, monitors, clear errors."""

import brian2
import numpy as np
import pytest

import stdpnet
from stdpnet.encoding import Encoder
from stdpnet.errors import ConfigError, DataError
from stdpnet.random import Stream
from stdpnet.stdp.engines.brian.process import quick_collection
from stdpnet.stdp.network import initial_network
from tests.stdp.engines.networks import ARCHITECTURES, TRAINING, lively

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 6, 6)).astype(np.uint8)


@pytest.fixture(autouse=True)
def _numpy_target():
    before = brian2.prefs["codegen.target"]
    brian2.prefs["codegen.target"] = "numpy"
    with quick_collection():
        yield
    brian2.prefs["codegen.target"] = before


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("rule", ["fixed", "anti_stdp"])
def test_its_spikes_are_those_of_respond_and_monitors_see_them(architecture, rule):
    spec = lively(architecture, competition={"rule": rule})
    network = initial_network(spec)
    before = network.copy()
    live = stdpnet.to_brian2(spec, network, IMAGES)
    monitor = brian2.SpikeMonitor(live["Y"])
    live.add(monitor)
    live.run(len(IMAGES) * spec.simulation.duration * brian2.ms)
    image = (monitor.t / (spec.simulation.duration * brian2.ms) + 1e-9).astype(int)
    counts = np.zeros((len(IMAGES), spec.geometry.neurons), int)
    np.add.at(counts, (image, np.asarray(monitor.i)), 1)
    answered = stdpnet.respond(spec, network.state(), IMAGES).counts
    assert answered.sum() > 20
    np.testing.assert_array_equal(counts, answered)
    assert not network.changed_arrays(before)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_learns_what_the_compiled_engine_learns(architecture):
    spec = lively(architecture, competition={"rule": "fixed"}, training={"images": 3})
    live = stdpnet.to_brian2(spec, initial_network(spec), IMAGES, learn=True, stream=Stream.TRAIN)
    live.run(len(IMAGES) * spec.simulation.duration * brian2.ms + spec.simulation.dt * brian2.ms)
    learned = "W" if spec.geometry.shared else "XY"
    engine = stdpnet.make_engine(spec, initial_network(spec), 1)
    encoder = Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)
    trains = encoder.encode(IMAGES, Stream.TRAIN, np.arange(3))
    engine.present(trains, TRAINING)
    np.testing.assert_array_equal(live[learned].w[:].ravel(), engine.network.weights.ravel())
    assert engine.network.changed_arrays(initial_network(spec)) == ["weights", "theta"]


def test_it_runs_on_after_the_last_image_with_spikes_of_ones_own():
    spec = lively(competition={"rule": "none"})
    live = stdpnet.to_brian2(spec, initial_network(spec))
    counts = brian2.SpikeMonitor(live["Y"])
    live.add(counts)
    live.run(2 * spec.simulation.duration * brian2.ms)
    assert counts.num_spikes == 0
    times = live.t + np.repeat(np.arange(1, 30), 36) * brian2.ms
    live["X"].set_spikes(np.tile(np.arange(36), 29), times)
    live.run(30 * brian2.ms)
    assert counts.num_spikes > 0


def test_what_does_not_fit_is_one_sentence():
    spec = lively()
    with pytest.raises(DataError, match=r"images: are uint8 \(3, 5, 5\); give uint8 \(N, 6, 6\)"):
        stdpnet.to_brian2(spec, initial_network(spec), IMAGES[:, :5, :5])
    with pytest.raises(ConfigError, match=r"network: its weights are .* this spec needs"):
        stdpnet.to_brian2(lively("fully_connected"), initial_network(spec))
    with pytest.raises(ConfigError, match="spec: is a "):
        stdpnet.to_brian2(stdpnet.load_config("bptt-mnist"), initial_network(spec))
