"""The contract of all engines: one suite, run over each of them, against the naive twin."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stdpnet.stdp.engines.protocol import FROZEN, Switches
from stdpnet.stdp.network import initial_network
from tests.naive import NaiveEngine
from tests.stdp.engines.networks import (
    ARCHITECTURES,
    ENGINES,
    TRAINING,
    as_trains,
    assert_same,
    build,
    lively,
    random_trains,
    show,
)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("rule", ["fixed", "anti_stdp"])
@pytest.mark.parametrize("traces", ["nearest", "all_to_all"])
def test_training_equals_the_naive_twin(engine_keys, architecture, rule, traces):
    competition = {"rule": rule, "traces": traces, "drift": 0.05}
    spec = lively(architecture, competition=competition, plasticity={"traces": traces})
    trains = random_trains(np.random.default_rng(1), 3, spec.simulation.steps, 36, 0.15)
    outcome, _ = assert_same(spec, engine_keys, trains)
    assert outcome.counts.sum() > 20, "a silent network proves nothing"


def test_training_from_weights_of_a_file_equals_the_naive_twin(engine_keys, tmp_path):
    np.save(tmp_path / "kernels.npy", np.random.default_rng(0).normal(0.02, 0.05, (16, 3)))
    spec = lively("convolutional", plasticity={"initial": str(tmp_path / "kernels.npy")})
    trains = random_trains(np.random.default_rng(1), 3, spec.simulation.steps, 36, 0.15)
    outcome, _ = assert_same(spec, engine_keys, trains)
    assert outcome.counts.sum() > 20


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("rule", ["rate_target", "anti_hebbian"])
@pytest.mark.parametrize("traces", ["nearest", "all_to_all"])
def test_other_rules_of_the_competition_equal_the_naive_twin(engine_keys, architecture, rule, traces):
    keys = {"rule": rule, "eta": 0.05, "target_rate": 60.0, "w_min": -4.5, "w_max": -0.01}
    spec = lively(architecture, competition={"traces": traces, "drift": 0.02, **keys})
    trains = random_trains(np.random.default_rng(6), 4, spec.simulation.steps, 36, 0.15)
    outcome, network = assert_same(spec, engine_keys, trains)
    assert outcome.counts.sum() > 20
    off_diagonal = ~np.eye(3, dtype=bool)
    learned = network.competition[:, off_diagonal]
    assert (learned != initial_network(spec).competition[:, off_diagonal]).all()
    assert ((learned > -4.5) & (learned < -0.01)).any(), "a rule that only clips proves nothing"


def test_a_convolution_with_a_single_position_equals_the_naive_twin(engine_keys):
    spec = lively("convolutional", topology={"channels": 4, "kernel": 6}, plasticity={"A_minus": 0.2})
    assert_same(spec, engine_keys, random_trains(np.random.default_rng(8), 3, spec.simulation.steps, 36, 0.3))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_first_spikes_are_those_of_the_naive_twin(engine_keys, architecture):
    spec = lively(architecture)
    trains = random_trains(np.random.default_rng(1), 3, spec.simulation.steps, 36, 0.15)
    engine, twin = build(spec, engine_keys), NaiveEngine(spec, initial_network(spec))
    first = np.zeros((3, *engine.network.theta.shape), np.int32)
    counts = engine.present(trains, FROZEN, first_spikes=first).counts
    spikes = show(twin, trains, FROZEN)[1].spikes
    np.testing.assert_array_equal(first, np.where(spikes.any(axis=1), spikes.argmax(axis=1) + 1, 0))
    assert (counts > 1).any(), "else every spike is a first one"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_homeostasis_of_theta_and_a_changing_learning_rate_equal_the_naive_twin(engine_keys, architecture):
    spec = lively(architecture, neuron={"target_rate": 40.0}, competition={"rule": "anti_stdp"})
    trains = random_trains(np.random.default_rng(7), 4, spec.simulation.steps, 36, 0.2)
    rates = np.array([1.0, 0.3, 0.7, 0.1])
    _, relaxed = assert_same(spec, engine_keys, trains, learning_rates=rates)
    free = build(lively(architecture, competition={"rule": "anti_stdp"}), engine_keys)
    free.present(trains, TRAINING, learning_rates=rates)
    assert (relaxed.theta < free.network.theta).any()
    assert relaxed.theta.min() >= 0


@pytest.mark.parametrize("switches", [Switches(*on) for on in itertools.product([False, True], repeat=3)], ids=str)
def test_each_switch_changes_only_what_it_names(switches):
    spec = lively(competition={"rule": "anti_stdp", "drift": 0.01})
    trains = random_trains(np.random.default_rng(2), 2, spec.simulation.steps, 36, 0.2)
    before = initial_network(spec)
    for engine_keys in (ENGINES["numba"], ENGINES["brian2-numpy"]):
        outcome, network = assert_same(spec, engine_keys, trains, switches)
        assert outcome.counts.sum() > 0
        expected = [name for name, on in zip(("weights", "competition", "theta"), switches, strict=True) if on]
        assert sorted(network.changed_arrays(before)) == sorted(expected)


def test_a_frozen_network_never_changes(engine_keys):
    spec = lively(competition={"rule": "anti_stdp", "drift": 0.01})
    engine = build(spec, engine_keys)
    before = engine.network.copy()
    outcome = engine.present(random_trains(np.random.default_rng(3), 3, 40, 36, 0.2), FROZEN)
    assert outcome.counts.sum() > 0
    assert engine.network.changed_arrays(before) == []


def test_presentations_together_equal_one_by_one(engine_keys):
    spec = lively(competition={"rule": "anti_stdp"})
    trains = random_trains(np.random.default_rng(4), 4, 40, 36, 0.2)
    together, single = build(spec, engine_keys), build(spec, engine_keys)
    counts = together.present(trains, TRAINING).counts
    ones = [single.present(trains._replace(offsets=trains.offsets[i : i + 1]), TRAINING).counts for i in range(4)]
    np.testing.assert_array_equal(counts, np.concatenate(ones))
    assert together.network.changed_arrays(single.network) == []


@pytest.mark.parametrize("architecture", ["locally_connected", "convolutional"])
@pytest.mark.parametrize("silent", ["A_plus", "A_minus"])
def test_an_amplitude_of_zero_equals_the_naive_twin(engine_keys, architecture, silent):
    spec = lively(architecture, plasticity={silent: 0.0}, competition={"rule": "anti_stdp", silent: 0.0})
    trains = random_trains(np.random.default_rng(12), 2, spec.simulation.steps, 36, 0.2)
    outcome, _ = assert_same(spec, engine_keys, trains)
    assert outcome.counts.sum() > 0


@pytest.mark.parametrize("dt", [0.5, 0.1, 3.0])
def test_other_time_steps_equal_the_naive_twin(engine_keys, dt):
    spec = lively(simulation={"dt": dt, "duration": 60 * dt}, competition={"rule": "anti_stdp"})
    assert_same(spec, engine_keys, random_trains(np.random.default_rng(5), 3, 60, 36, 0.15))


@pytest.mark.parametrize(("normalise", "unnormalised"), [("spiked", 0), ("all", 2)])
def test_a_network_without_input_is_silent_and_a_dead_row_is_reported(engine_keys, normalise, unnormalised):
    spec = lively(plasticity={"w_min": -0.1, "w_max": 0.5, "normalise": normalise})
    engine = build(spec, engine_keys)
    engine.network.weights[0, :, 1] = 0
    outcome = engine.present(as_trains(np.zeros((2, 40, 36))), TRAINING)
    assert outcome.counts.sum() == 0
    assert outcome.unnormalised == unnormalised
    assert (engine.network.weights[0, :, 1] == 0).all()


specs = st.builds(
    lambda architecture, rule, traces, yy_traces, refrac, a_minus, yy_amplitudes, w_max, normalise, drift, seed: lively(
        architecture,
        seed=seed,
        neuron={"tau_refrac": refrac},
        plasticity={"A_minus": a_minus, "traces": traces, "w_max": w_max, "normalise": normalise},
        competition={
            "rule": rule,
            "target_rate": 20.0,
            "eta": abs(yy_amplitudes[0]),
            "traces": yy_traces,
            "A_plus": yy_amplitudes[0],
            "A_minus": yy_amplitudes[1],
            "drift": drift,
        },
    ),
    st.sampled_from(ARCHITECTURES),
    st.sampled_from(["none", "fixed", "anti_stdp", "rate_target", "anti_hebbian"]),
    st.sampled_from(["nearest", "all_to_all"]),
    st.sampled_from(["nearest", "all_to_all"]),
    st.integers(0, 4),
    st.sampled_from([0.0, 0.05, -0.02]),
    st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    st.sampled_from([0.3, 0.7, 5.0]),
    st.sampled_from(["spiked", "all"]),
    st.sampled_from([0.0, 0.05, -0.02]),
    st.integers(0, 1000),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(specs, st.floats(0.01, 0.4), st.integers(0, 1000))
def test_any_small_spec_equals_the_naive_twin_on_numba(spec, probability, seed):
    assert_same(spec, ENGINES["numba"], random_trains(np.random.default_rng(seed), 2, 40, 36, probability))


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(specs, st.floats(0.05, 0.4), st.integers(0, 1000))
def test_any_small_spec_equals_the_naive_twin_on_brian2(spec, probability, seed):
    assert_same(spec, ENGINES["brian2-numpy"], random_trains(np.random.default_rng(seed), 2, 40, 36, probability))
