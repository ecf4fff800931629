"""The theory of how CoLaNET learns: its closed forms solve its equations, and a simulation follows them."""

import json

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from stdpnet.baselines.colanet.resource import resource_of
from stdpnet.errors import ConfigError
from stdpnet_analysis.colanet_theory import Setting, compared, gaussian, simulate, theory
from stdpnet_analysis.figures.colanet_theory import figure_of

SETTING = Setting()


@pytest.fixture(scope="module")
def simulation():
    return simulate(SETTING, 3000)


def test_the_simulation_follows_the_theory(simulation):
    expected = theory(SETTING, simulation.chi)
    assert abs(len(simulation.fits) - expected.N) <= 1
    apart = np.abs(simulation.accuracy - expected.accuracy(simulation.t))
    assert apart.max() < 0.13
    assert apart.mean() < 0.04
    learned = simulation.resource - simulation.resource[0]
    predicted = expected.resource(simulation.t) - expected.resource(np.array(0.0))
    assert np.abs(learned - predicted).max() < 0.2 * predicted.max()


def test_the_simulation_ends_with_gaussian_profiles(simulation):
    for profile, fit in zip(simulation.profiles, simulation.fits, strict=True):
        positive = np.maximum(profile, 0)
        assert np.corrcoef(positive, gaussian(simulation.positions, *fit))[0, 1] > 0.95


def test_a_threshold_is_reached_by_the_weight_of_the_formula():
    expected, m = theory(SETTING, 0.03), (np.arange(200) + 0.5) / 200
    rates = SETTING.spikes * np.exp(-((m - 0.5) ** 2) / (2 * SETTING.sigma**2))
    assert rates @ gaussian(m, expected.w_t0, 0.5, 0.03) == pytest.approx(SETTING.threshold, rel=1e-6)
    away = 0.5 + expected.response_width(np.array(1.5 * expected.w_t0)) / 2  # where the response just ends
    rates = SETTING.spikes * np.exp(-((m - away) ** 2) / (2 * SETTING.sigma**2))
    assert rates @ gaussian(m, 1.5 * expected.w_t0, 0.5, 0.03) == pytest.approx(SETTING.threshold, rel=1e-6)


def test_the_closed_forms_solve_the_equation_of_learning():
    expected = theory(SETTING, 0.05)
    pace = SETTING.reward * expected.l / SETTING.share
    start = resource_of(0.0, SETTING.w_min, SETTING.w_max)

    def change(_, resource):
        weight = SETTING.w_min + SETTING.span * resource / (SETTING.span + resource)
        return pace * (1 - expected.response_width(weight) / (2 * expected.l))

    def fires(_, resource):
        return resource[0] - resource_of(expected.w_t0, SETTING.w_min, SETTING.w_max)

    end_of_time = expected.t_0 + 12 * expected.t_1
    solved = solve_ivp(change, (0, end_of_time), [start], events=fires, rtol=1e-9, atol=1e-12, dense_output=True)
    assert solved.t_events[0][0] == pytest.approx(expected.t_0, rel=1e-3)
    end = resource_of(expected.w_1, SETTING.w_min, SETTING.w_max)
    assert solved.y[0, -1] == pytest.approx(end, rel=1e-3)
    late = expected.t_0 + np.array([5.0, 6.0]) * expected.t_1  # near the end the approach is exponential
    gaps = end - solved.sol(late)[0]
    assert np.log(gaps[0] / gaps[1]) == pytest.approx(1, rel=0.02)
    assert expected.accuracy(np.array([0.0, 1e9])).tolist() == pytest.approx([1 - SETTING.share, 1])


def test_the_figure_has_both_curves(simulation):
    expected = theory(SETTING, simulation.chi)
    profiles, resource, accuracy = figure_of(expected, simulation).axes
    assert len(profiles.lines) == 2 * len(simulation.fits)
    np.testing.assert_array_equal(resource.lines[1].get_ydata(), expected.resource(simulation.t))
    np.testing.assert_array_equal(accuracy.lines[0].get_ydata(), simulation.accuracy)
    np.testing.assert_array_equal(accuracy.lines[1].get_ydata(), expected.accuracy(simulation.t))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spikes": 1.0}, "spikes: 1.0 is not possible; choose a number above 1"),
        ({"spikes": 1e20}, "spikes: 1e\\+20 is not possible; choose a number above 1, at most 10000"),
        ({"sigma": float("nan")}, "sigma: nan is not possible; choose a number above 0"),
        ({"a": 0.8}, "choose 0 <= a < b <= 1"),
        ({"threshold": 9.0}, "above w_max = 0.0924; lower it"),
    ],
)
def test_settings_without_an_answer_are_refused(change, words):
    with pytest.raises(ConfigError, match=words):
        theory(SETTING._replace(**change), 0.03)


def test_the_command_prints_the_numbers_and_draws_the_figure(stdpnet_command, tmp_path, simulation, monkeypatch):
    monkeypatch.setattr("stdpnet_analysis.colanet_theory.simulate", lambda *_: simulation)
    found = stdpnet_command("reproduce", "colanet-theory", "--dir", str(tmp_path / "new"), "--json")
    numbers = json.loads(found.stdout)
    assert numbers["figure"] == str(tmp_path / "new" / "colanet-theory.png")
    assert (tmp_path / "new" / "colanet-theory.png").read_bytes()[:4] == b"\x89PNG"
    assert numbers["N"] == pytest.approx(4.216, abs=1e-3)
    expected = compared(theory(SETTING, simulation.chi), simulation)
    assert {name: numbers[name] for name in expected} == pytest.approx(expected)
