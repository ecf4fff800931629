"""The plasticity windows, measured on every engine, are the exponentials of docs/model.md, Plasticity."""

import numpy as np
import pytest

from stdpnet.errors import EngineError
from stdpnet_analysis.figures.learning import exponential_window
from stdpnet_analysis.plasticity_windows import measure_window
from tests.stdp.engines.networks import ENGINES, lively


@pytest.fixture(params=("numba", "brian2-numpy"))
def engine_keys(request):
    return ENGINES[request.param]


def experiment(engine_keys, architecture="locally_connected", **changes):
    """Return a spec with four different amplitudes and time constants."""
    return lively(
        architecture,
        plasticity={"A_plus": 0.013, "A_minus": 0.0071, "tau_plus": 21.0, "tau_minus": 33.0, "mean_weight": 0.3},
        competition={"rule": "anti_stdp", "A_plus": -1.626, "A_minus": -0.0556, "tau_plus": 17.7, "tau_minus": 16.5},
        simulation={**engine_keys, "dt": 1.0, **changes},
    )


def assert_exponential(window, rule, tolerance=1e-12):
    t = window.intervals
    after = rule.A_plus * np.exp(-t[t > 0] / rule.tau_plus)
    before = -rule.A_minus * np.exp(t[t < 0] / rule.tau_minus)
    assert np.abs(window.changes[t > 0] - after).max() <= tolerance
    assert np.abs(window.changes[t < 0] - before).max() <= tolerance
    assert abs(window.changes[t == 0][0] - (rule.A_plus - rule.A_minus)) <= tolerance


def test_the_feedforward_window_is_exponential(engine_keys):
    spec = experiment(engine_keys)
    window = measure_window(spec, "XY", 60.0)
    assert window.intervals.tolist() == list(range(-60, 61))
    assert_exponential(window, spec.plasticity)


def test_the_competition_window_is_exponential(engine_keys):
    spec = experiment(engine_keys)
    window = measure_window(spec, "YY", 40.0)
    assert_exponential(window, spec.competition)
    assert (window.changes[window.intervals > 0] < 0).all(), "pre before post strengthens the inhibition"
    assert (window.changes[window.intervals < 0] > 0).all(), "post before pre weakens it"


def test_the_window_of_a_rate_target_is_symmetric_around_what_a_pre_spike_changes_alone(engine_keys):
    keys = {"rule": "rate_target", "eta": 0.4, "target_rate": 5.0, "tau_plus": 20.0, "tau_minus": 20.0}
    spec = experiment(engine_keys)
    window = measure_window(spec.updated({"competition": keys}), "YY", 30.0)
    alpha, t = 5.0 * 0.04, window.intervals
    expected = 0.4 * alpha - 0.4 * np.exp(-np.abs(t) / 20.0)
    expected[t == 0] -= 0.4  # pre and post together
    np.testing.assert_allclose(window.changes, expected, atol=1e-12)
    competition = spec.competition.updated(keys)
    np.testing.assert_allclose(exponential_window(competition, t), expected, atol=1e-12)


def test_a_rule_without_pairs_has_no_window():
    spec = lively(competition={"rule": "anti_hebbian"})
    with pytest.raises(EngineError, match=r"competition\.rule: anti_hebbian has no window"):
        measure_window(spec, "YY")
    assert_exponential(measure_window(spec, "XY"), spec.plasticity)


@pytest.mark.parametrize("architecture", ["convolutional", "fully_connected"])
@pytest.mark.parametrize("rule", ["XY", "YY"])
def test_every_architecture_has_the_same_window(architecture, rule):
    for keys in (ENGINES["numba"], ENGINES["brian2-numpy"]):
        spec = experiment(keys, architecture)
        assert_exponential(measure_window(spec, rule, 20.0), spec.plasticity if rule == "XY" else spec.competition)


def test_other_time_steps_are_measured_in_milliseconds():
    spec = experiment(ENGINES["numba"], dt=0.5, duration=20.0)
    window = measure_window(spec, "XY", 10.0)
    assert (window.intervals[0], window.intervals[-1], len(window.intervals)) == (-10.0, 10.0, 41)
    assert_exponential(window, spec.plasticity)


def test_bounds_drift_and_schedules_of_the_run_do_not_disturb_the_measurement():
    spec = experiment(ENGINES["numba"])
    spec = spec.updated(
        {
            "plasticity": {"w_min": 0.0, "w_max": 0.001, "half_life": 10.0},
            "competition": {"w_min": -0.5, "w_max": -0.4, "drift": 0.3},
            "neuron.target_rate": 5.0,
        }
    )
    assert_exponential(measure_window(spec, "XY", 20.0), spec.plasticity)
    assert_exponential(measure_window(spec, "YY", 20.0), spec.competition)


def test_float32_is_measured_as_it_computes():
    spec = experiment({"engine": "numba", "dtype": "float32"})
    assert_exponential(measure_window(spec, "XY", 20.0), spec.plasticity, 1e-8)
    with pytest.raises(AssertionError):
        assert_exponential(measure_window(spec, "XY", 20.0), spec.plasticity)


def test_a_protocol_that_cannot_make_single_spikes_is_refused():
    spec = experiment(ENGINES["numba"])
    deaf = spec.updated({"neuron.v_thresh": 2e6})
    with pytest.raises(EngineError, match="one spike of each neuron, got 0 to 0"):
        measure_window(deaf, "XY", 5.0)
