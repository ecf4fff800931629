import json

import pytest

import stdpnet
from stdpnet.description import FORMS, rows
from stdpnet.model import equations_of
from stdpnet.spec.base import flat
from stdpnet.spec.presets import preset

PRESETS = ("digits", "features-digits", "rate-conversion-digits", "bptt-digits", "colanet-digits")


@pytest.mark.parametrize("name", PRESETS)
def test_every_key_that_decides_something_is_there_with_its_value(name):
    spec = preset(name)
    keys = {row.key: row.value for row in rows(spec)}
    watching = ("checkpoint.", "progress.", "evaluation.", "curve.", "health.")
    assert keys == {key: value for key, value in flat(spec).items() if not key.startswith(watching)}


def test_units_come_from_the_manual():
    units = {row.key: row.unit for row in rows(preset("digits"))}
    assert (units["neuron.tau_v"], units["neuron.v_thresh"], units["encoder.max_rate"]) == ("ms", "mV", "Hz")
    weights = ("A_plus", "A_minus", "w_min", "w_max", "mean_weight")
    assert {units[f"plasticity.{key}"] for key in weights} == {"mV"}
    assert units["dataset.crop"] == "pixels"


def test_values_have_all_their_digits(stdpnet_command):
    keys = ["--set", "neuron.tau_theta=1781234.5", "--set", "neuron.theta_plus=0.12345678"]
    shown = stdpnet_command("show-model", "digits", *keys).stdout
    assert "1781234.5 ms" in shown
    assert "0.12345678 mV" in shown


@pytest.mark.parametrize("rule", ["fixed", "anti_stdp", "rate_target", "anti_hebbian"])
def test_the_competition_s_equation_is_that_of_its_rule(rule):
    spec = preset("digits").updated({"competition.rule": rule})
    assert "Competition" in equations_of(spec)[-1].name
    assert len({each.latex for each in equations_of(spec)}) == 7


def test_events_have_no_rate():
    spec = preset("digits")
    assert "max_rate" in equations_of(spec)[0].text
    assert "Membrane" in equations_of(spec.updated({"encoder.kind": "events"}))[0].name


def test_rules_that_are_switched_on_have_their_equations():
    rules = {"plasticity.half_life": 100.0, "neuron.target_rate": 1.0, "competition.drift": 0.1}
    spec = stdpnet.load_config("lcsnn-25-k12-learned", {"plasticity.half_life": 0.0, "competition.drift": 0.0})
    without = {each.name for each in equations_of(spec)}
    for key, value in rules.items():
        texts = [each.text for each in equations_of(spec.updated({key: value})) if each.name not in without]
        assert len(texts) == 1
        assert key.rpartition(".")[2] in texts[0]
    every = spec.updated({"plasticity.normalise": "all", "topology.architecture": "convolutional"})
    names = " ".join(each.name for each in equations_of(every))
    assert "share" in names
    assert "that spiked" not in names


@pytest.mark.parametrize("form", FORMS)
def test_the_command_prints_each_form(stdpnet_command, form):
    shown = stdpnet_command("show-model", "digits", "--format", form).stdout
    assert "mean_weight" in shown.replace("\\_", "_")
    assert ("\\frac{dv_j}{dt}" in shown) == (form != "text")
    assert shown.count("\\begin{equation}") == shown.count("\\end{equation}") == (7 if form == "latex" else 0)
    assert len(json.loads(stdpnet_command("show-model", "digits", "--json").stdout)["equations"]) == 7
