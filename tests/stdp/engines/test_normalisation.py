"""plasticity.normalise: which neurons are normalised after a presentation, and what runs older than the key do."""

import contextlib
import tomllib

import h5py
import numpy as np
import pytest

from stdpnet.api import as_split
from stdpnet.errors import RunError
from stdpnet.runs import Run
from stdpnet.runs.files import write_sealed
from stdpnet.spec.load import dump_config, load_config
from stdpnet.stdp.engines.compiled.engine import NumbaEngine
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.learner import STDPLearner
from stdpnet.stdp.model import initial
from stdpnet.stdp.network import initial_network
from stdpnet.training import resume, train
from tests.naive import NaiveEngine
from tests.stdp.engines.networks import ARCHITECTURES, ENGINES, TRAINING, as_trains, build, lively, random_trains

NORMALISE = ("spiked", "all")
KEY = 'normalise = "all"\n'


def sparse(architecture, normalise, **changes):
    """Return a spec in whose presentations only some neurons spike, with weights that clipping holds below the norm."""
    competition = {"c_w": -60.0, "w_min": -80.0, **changes.pop("competition", {})}
    return lively(
        architecture,
        topology={"channels": 9},
        neuron={"theta_plus": 0.05, "tau_refrac": 0.0},
        plasticity={"normalise": normalise, "A_plus": 0.05, "A_minus": 0.01},
        competition=competition,
        **changes,
    )


def trains_for(spec, presentations=3, seed=0):
    return random_trains(np.random.default_rng(seed), presentations, spec.simulation.steps, 36, 0.05)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("rule", ["none", "fixed", "anti_stdp", "rate_target", "anti_hebbian"])
@pytest.mark.parametrize("normalise", NORMALISE)
def test_sparse_activity_equals_the_naive_twin_and_only_what_spiked_or_all_is_normalised(
    engine_keys, architecture, rule, normalise
):
    spec = sparse(architecture, normalise, competition={"rule": rule})
    engine, twin = build(spec, engine_keys), NaiveEngine(spec, initial_network(spec))
    before, trains = initial_network(spec).weights, trains_for(spec)
    first = engine.present(trains._replace(offsets=trains.offsets[:1]), TRAINING)
    spiked = (first.counts[0] > 0).any(axis=0, keepdims=True) if spec.geometry.shared else first.counts[0] > 0
    assert (spiked.any() and not spiked.all()) or rule == "none"
    changed = (engine.network.weights != before).any(axis=1)
    np.testing.assert_array_equal(changed, spiked if normalise == "spiked" else True)
    others, expected = (
        engine.present(trains._replace(offsets=trains.offsets[1:]), TRAINING),
        twin.present(trains, TRAINING),
    )
    counts = np.concatenate([first.counts, others.counts])
    np.testing.assert_array_equal(counts, expected.counts)
    assert first.unnormalised + others.unnormalised == expected.unnormalised
    assert engine.network.changed_arrays(twin.network) == []
    assert 0 < np.count_nonzero(counts) < counts.size or rule == "none"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("normalise", NORMALISE)
def test_images_shown_again_equal_the_naive_twin(engine_keys, architecture, normalise):
    training = {"images": 3, "min_spikes": 40, "max_retries": 2, "retry_rate": 60.0}
    spec = sparse(architecture, normalise, training=training, encoder={"max_rate": 20.0}, simulation=engine_keys)
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 6)).astype(np.uint8)
    states = []
    for make in (make_engine, lambda spec, network, threads: NaiveEngine(spec, network)):
        learner = STDPLearner(spec, as_split(images), initial(spec), threads=1, make=make)
        while learner.advance(3):
            pass
        states.append(learner.state)
    assert states[0].changed_arrays(states[1]) == []
    assert 3 < states[0].presentations == states[1].presentations
    np.testing.assert_array_equal(states[0].interval["counts"], states[1].interval["counts"])


SHAPES = {"float32": [(1, 1), (None, 1), (1, 2), (None, 3)], "float64": [(None, 1), (None, 2)]}
"""Lanes of a register, and threads."""


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("normalise", NORMALISE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_strips_of_any_width_and_any_threads_equal_single_neurons(architecture, normalise, dtype):
    spec = sparse(architecture, normalise, simulation={"dtype": dtype}).updated({"topology.channels": 45})
    engines = [NumbaEngine(spec, initial_network(spec), threads, lanes) for lanes, threads in SHAPES[dtype]]
    trains = trains_for(spec, 9)
    first, *others = ((engine.present(trains, TRAINING), engine.network) for engine in engines)
    assert 0 < np.count_nonzero(first[0].counts) < first[0].counts.size
    for outcome, network in others:
        np.testing.assert_array_equal(outcome.counts, first[0].counts)
        assert network.changed_arrays(first[1]) == []


@pytest.mark.parametrize(("dtype", "lanes"), [("float32", 1), ("float32", None), ("float64", None)])
def test_neurons_without_weights_or_spikes_stay_as_they_are(dtype, lanes):
    spec = lively("fully_connected", topology={"channels": 19}, plasticity={"A_plus": 0.0, "w_min": -5.0, "w_max": 5.0})
    spec = spec.updated({"simulation.dtype": dtype, "competition.c_w": 0.0, "neuron.theta_plus": 0.0})
    engine = NumbaEngine(spec, initial_network(spec), 1, lanes)
    weights = engine.network.weights[0]
    spiked = np.arange(19) % 3 > 0
    weights[:] = 0.0
    weights[0, spiked] = 4.0  # mV: enough for a spike
    weights[1] = -4.0  # a sum of 0, or below where there are no spikes
    weights[2, 5] = 2.0
    before, raster = weights.copy(), np.zeros((1, 40, 36))
    raster[0, 2, 0] = 1
    outcome = engine.present(as_trains(raster), TRAINING)
    np.testing.assert_array_equal(outcome.counts[0, 0] > 0, spiked)
    assert outcome.unnormalised == spiked.sum() - 1
    np.testing.assert_array_equal(np.delete(weights, 5, axis=1), np.delete(before, 5, axis=1))
    np.testing.assert_array_equal(weights[:3, 5], [5.0, -5.0, 5.0])


def without_key(text):
    """Return a written configuration as versions before plasticity.normalise wrote it."""
    assert text.count(KEY) == 1
    return text.replace(KEY, "")


@contextlib.contextmanager
def older_version(monkeypatch):
    """Let run directories and checkpoints be written as before there was the key."""
    for module in ("checkpoint", "directory"):
        monkeypatch.setattr(
            f"stdpnet.runs.{module}.dump_config", lambda *of, **how: without_key(dump_config(*of, **how))
        )
    yield
    monkeypatch.undo()


def keys_of(architecture, engine="numba", images=10):
    kernel = "none" if architecture == "fully_connected" else 4
    keys = {"architecture": architecture, "kernel": kernel, "channels": 8}
    simulation = {**ENGINES[engine], "duration": 60.0}
    return [
        *(f"topology.{key}={value}" for key, value in keys.items()),
        *(f"simulation.{key}={value}" for key, value in simulation.items()),
        "dataset.crop=8",
        "topology.stride=4",
        f"training.images={images}",
        "encoder.max_rate=500",
        "health.action=ignore",
    ]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("engine", ["numba", "brian2-numpy"])
def test_a_run_of_an_older_version_goes_on_to_normalise_all(tmp_path, monkeypatch, architecture, engine):
    keys = keys_of(architecture, engine)
    straight = train(load_config("digits", [*keys, "plasticity.normalise=all"]), tmp_path / "straight")
    other = train(load_config("digits", keys), tmp_path / "other")
    assert straight.load_state().changed_arrays(other.load_state()), "else the rules could not be told apart"
    with older_version(monkeypatch):
        train(load_config("digits", [*keys, "plasticity.normalise=all", "training.images=5"]), tmp_path / "run")
    assert "normalise" not in tomllib.loads((tmp_path / "run/config.toml").read_text())["plasticity"]
    run = Run.open(tmp_path / "run")
    assert run.spec.plasticity.normalise == "all"
    resume(run, 10)
    assert (run.path / "checkpoint.h5").read_bytes() == (straight.path / "checkpoint.h5").read_bytes()
    assert KEY in (run.path / "config.toml").read_text(), "now it is written down"


def test_a_checkpoint_of_version_2_goes_on_to_normalise_all(tmp_path, monkeypatch):
    keys = [*keys_of("locally_connected"), "plasticity.normalise=all"]
    straight = train(load_config("digits", keys), tmp_path / "straight")
    with older_version(monkeypatch):
        run = train(load_config("digits", [*keys, "training.images=5"]), tmp_path / "run")
    state = run.load_state()

    def fill(file):
        file.attrs["config"] = without_key(dump_config(run.spec)).replace('model = "stdp"\n', "")
        file.attrs["images"], file.attrs["presentations"] = state.images, state.presentations
        for name, array in state.arrays.items():
            file[name] = array
        group = file.create_group("interval")
        for name, value in state.interval.items():
            group[name] = value

    write_sealed(run.path / "checkpoint.h5", ("stdpnet-checkpoint", 2), fill)
    resume(Run.open(run.path), 10)
    assert (run.path / "checkpoint.h5").read_bytes() == (straight.path / "checkpoint.h5").read_bytes()


def test_an_older_run_is_trained_again_under_its_own_rule_and_a_file_of_ones_own_under_the_new_one(tmp_path):
    spec = load_config("digits", [*keys_of("locally_connected", images=1), "plasticity.normalise=all"])
    run = train(spec, tmp_path / "run")
    text = without_key((run.path / "config.toml").read_text())
    (run.path / "config.toml").write_text(text)
    (tmp_path / "mine.toml").write_text(text)
    assert load_config(run.path / "config.toml").plasticity.normalise == "all"
    assert load_config(tmp_path / "mine.toml").plasticity.normalise == "spiked"
    assert load_config(run.path / "config.toml", ["plasticity.normalise=spiked"]).plasticity.normalise == "spiked"


def test_a_run_does_not_change_its_rule_on_the_way(tmp_path, monkeypatch):
    with older_version(monkeypatch):
        run = train(load_config("digits", [*keys_of("fully_connected"), "plasticity.normalise=all"]), tmp_path / "run")
    path = run.path / "config.toml"
    path.write_text(path.read_text().replace("[plasticity]\n", '[plasticity]\nnormalise = "spiked"\n'))
    with pytest.raises(
        RunError, match=r"trained with plasticity\.normalise = all, config\.toml now says spiked; restore"
    ):
        resume(Run.open(run.path), 30)


def test_new_runs_write_the_rule_down(tmp_path):
    run = train(load_config("digits", keys_of("locally_connected", images=1)), tmp_path / "run")
    assert 'normalise = "spiked"\n' in (run.path / "config.toml").read_text()
    with h5py.File(run.path / "checkpoint.h5") as file:
        assert 'normalise = "spiked"\n' in file.attrs["config"]
