"""Time steps of rate-conversion networks: scores with and without spikes, the stop rule, the figures."""

import json

import numpy as np
import pytest

import stdpnet
from stdpnet.errors import ConfigError, RunError
from stdpnet.model import open_model
from stdpnet.operating import at_point
from stdpnet.random import Stream
from stdpnet_analysis import evaluate, figures
from stdpnet_analysis.conversion import CONVERSION, conversion, step_by_step
from stdpnet_analysis.figures.conversion import plot_spikes_per_step
from stdpnet_analysis.view import RunView
from tests.models.naive_rate_conversion import plain_scores

DTS = (0.001, 0.1, 1.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    keys = ["network.hidden=8", "training.images=1600", "dataset.test=100", "dataset.calibration=100"]
    spec = stdpnet.load_config("rate-conversion-digits", keys)
    return stdpnet.train(spec, tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def result(run):
    return conversion(run, dts=DTS)


def test_units_without_spikes_are_the_relu_network(run, result):
    state, dataset = run.load_state(), stdpnet.load_dataset(run.spec.dataset)
    for name, split in (("test", dataset.test), ("training", dataset.train)):
        scores = plain_scores(state, split.images)
        found = result["rate"][name]
        assert found["accuracy"] == np.mean(scores.argmax(axis=1) == split.labels)
        log_softmax = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        assert found["loss"] == pytest.approx(-log_softmax[np.arange(len(split)), split.labels].mean())
        assert found["n"] == len(split)
        assert "rates" not in found


def test_each_time_step_is_an_evaluation_there(run, result):
    assert [step["dt"] for step in result["spiking"]] == list(DTS)
    for step in result["spiking"]:
        scores = evaluate(run, readouts=["own"], at={"spiking.dt": step["dt"]}, baselines=False)
        assert step["images"]["test"]["accuracy"] == scores["readouts"]["own"]["accuracy"]
        spec, state = at_point(run.spec, run.load_state(), {"spiking.dt": step["dt"]})
        test = stdpnet.load_dataset(spec.dataset).test
        rates = open_model(spec).respond(spec, state, test, Stream.TEST).counts / (10 * step["dt"])
        expected = {"min": rates.min(), "mean": rates.mean(), "max": rates.max()}
        assert step["images"]["test"]["rates"] == pytest.approx(expected)
    first, last = (result["spiking"][place]["images"]["test"]["accuracy"] for place in (0, -1))
    assert first < last


def test_the_rule_stops_at_the_first_time_step_that_is_better(run):
    accuracy = {
        dt: conversion(run, dts=[dt], training=False)["spiking"][0]["images"]["test"]["accuracy"]
        for dt in (0.001, 0.05, 0.2, 0.4, 1.0)
    }
    plain = conversion(run, dts=[1.0], training=False)["rate"]["test"]["accuracy"]
    better = [dt for dt, value in accuracy.items() if value > plain]
    found = conversion(run, dts=list(accuracy), stop=True, training=False)
    assert found["stops_at"] == (better[0] if better else None)
    expected = list(accuracy)[: list(accuracy).index(better[0]) + 1] if better else list(accuracy)
    assert [step["dt"] for step in found["spiking"]] == expected
    assert set(found["rate"]) == {"test"}


def test_figures_show_the_scores_and_the_steps(run):
    result = conversion(run, dts=DTS)
    assert CONVERSION.read(run, "test") == json.loads(json.dumps(result))
    drawn = figures.draw(RunView(run), "conversion").axes[0]
    for name, line in zip(("test", "training"), drawn.lines[::2], strict=True):
        expected = [100 * step["images"][name]["accuracy"] for step in result["spiking"]]
        np.testing.assert_allclose(line.get_ydata(), expected)
    answers = figures.draw(RunView(run), "conversion-answers")
    assert len(answers.axes) == 9
    few = stdpnet.load_dataset(run.spec.dataset).test.at(np.arange(4))
    found = step_by_step(run.spec, run.load_state(), few, Stream.TEST)
    scores = open_model(run.spec).respond(run.spec, run.load_state(), few, Stream.TEST).scores
    np.testing.assert_array_equal(found.so_far[-1].argmax(axis=1), scores.argmax(axis=1))
    np.testing.assert_allclose(found.so_far[0], found.alone[0])
    frequencies = plot_spikes_per_step(answers.axes[1], found.spikes[:, 0])
    assert frequencies.sum() == 10 * 8
    assert frequencies @ np.arange(len(frequencies)) == found.spikes[:, 0].sum()


def test_the_command_prints_a_table_and_answers_mistakes(run, stdpnet_command, tmp_path):
    words = ("conversion", run.path, "--dt", "0.01,1", "--no-training")
    shown = " ".join(stdpnet_command(*words).stdout.split())
    assert "no spikes" in shown
    assert "beat" in shown
    assert len(json.loads(stdpnet_command(*words, "--json").stdout)["spiking"]) == 2
    for dt, message in (("much", "--dt much: must look like"), ("", "--dt: names no"), ("-1", "spiking.dt")):
        assert message in stdpnet_command("conversion", run.path, "--dt", dt, code=2).stderr
    other = stdpnet.train(stdpnet.load_config("features-digits", ["training.images=0"]), tmp_path / "other")
    with pytest.raises(RunError, match=r"is no rate-conversion network; name a run of model = 'rate_conversion'"):
        conversion(other)
    with pytest.raises(ConfigError, match="--dt: names no time step"):
        conversion(run, dts=[])
    assert "needs model = 'rate_conversion'" in figures.missing(RunView(other))["conversion-answers"]
