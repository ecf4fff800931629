"""Robustness: what is shown, what is scored, and what is written and drawn."""

import json

import numpy as np
import pytest

import stdpnet
from stdpnet.data import distort
from stdpnet.errors import ConfigError
from stdpnet.model import open_model
from stdpnet.random import Stream
from stdpnet.spec.distortion import DistortionSpec
from stdpnet_analysis import evaluate, figures
from stdpnet_analysis.readouts.linear import LinearReadout
from stdpnet_analysis.readouts.votes import VoteClassifier
from stdpnet_analysis.robustness import ROBUSTNESS, check_series, point_of, robustness
from stdpnet_analysis.robustness_curves import curves
from stdpnet_analysis.view import RunView

PRESETS = {
    "digits": ["topology.channels=4", "training.images=60", "simulation.duration=50.0"],
    "features-digits": ["topology.channels=4", "training.images=60"],
    "rate-conversion-digits": ["network.hidden=4", "training.images=960"],
}
SHARED = ["dataset.test=100", "dataset.calibration=100"]
SERIES = {"rotation": [0, 60], "both": [0.5], "noise": [0, 0.3]}


@pytest.fixture(scope="module", params=PRESETS)
def run(request, tmp_path_factory):
    spec = stdpnet.load_config(request.param, [*PRESETS[request.param], *SHARED])
    return stdpnet.train(spec, tmp_path_factory.mktemp("runs") / request.param)


@pytest.fixture(scope="module")
def result(run):
    return robustness(run, series=SERIES, readouts=["log_evidence", "linear"], threads=1)


def test_read_outs_of_clean_images_are_asked_distorted_ones(run, result):
    dataset, model = stdpnet.load_dataset(run.spec.dataset), open_model(run.spec)
    test, state = dataset.test, run.load_state()
    full = stdpnet.load_dataset(run.spec.dataset.updated({"crop": 28})).test
    turned = distort(full.images, full.indices, DistortionSpec(rotation=60.0))
    margin = (28 - run.spec.dataset.crop) // 2
    images = turned[:, margin : 28 - margin, margin : 28 - margin]
    shown = stdpnet.data.Split(images, test.labels, test.indices)
    calibration = model.respond(run.spec, state, dataset.calibration, Stream.CALIBRATE)
    scored = model.respond(run.spec, state, shown, Stream.TEST)
    point = result["series"]["rotation"][1]
    assert point["at"] == {"dataset.distortion.rotation": 60, "dataset.distortion.splits": "scored"}
    for name, readout in (
        ("log_evidence", VoteClassifier("log_evidence", model.facts(run.spec).positions)),
        ("linear", LinearReadout()),
    ):
        right = readout.fit(calibration.counts, calibration.labels).predict(scored.counts) == test.labels
        assert point["readouts"][name]["accuracy"] == np.mean(right)
    if scored.scores is not None:
        assert point["readouts"]["own"]["accuracy"] == np.mean(scored.scores.argmax(axis=1) == test.labels)
    pixels = dataset.calibration.images.reshape(100, -1), images.reshape(100, -1)
    right = LinearReadout().fit(pixels[0], dataset.calibration.labels).predict(pixels[1]) == test.labels
    assert result["pixels"]["rotation"][1]["readouts"]["linear"]["accuracy"] == np.mean(right)


def test_no_distortion_is_the_usual_evaluation(run, result):
    usual = evaluate(run, readouts=["log_evidence", "linear"], baselines=False)["readouts"]
    for series in ("rotation", "noise"):
        clean = result["series"][series][0]
        assert clean["at"] == {}
        for name, score in clean["readouts"].items():
            assert score == {key: usual[name][key] for key in score}
    assert run.load_scores()["readouts"] == usual


def test_results_are_written_and_drawn(run, result):
    assert ROBUSTNESS.read(run, "test") == json.loads(json.dumps(result))
    assert ROBUSTNESS.read(run, "validation") is None
    lines = curves([run], [result])
    assert list(lines) == list(SERIES)
    first, last = lines["rotation"][0], lines["rotation"][-1]
    assert last.group == "pixels"
    scores = [point["readouts"][first.column]["accuracy"] for point in result["series"]["rotation"]]
    assert [point.mean for point in first.points] == scores
    assert first.points[1].interval == tuple(result["series"]["rotation"][1]["readouts"][first.column]["interval"])
    figure = figures.draw(RunView(run), "robustness")
    assert [axes.get_title() for axes in figure.axes] == list(SERIES)
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [100 * score for score in scores])


def test_seeds_are_one_curve(run, result, tmp_path):
    again = stdpnet.train(run.spec.updated({"seed": 1}), tmp_path / "again")
    other = robustness(again, series={"rotation": [60]}, readouts=["linear"], baselines=False)
    (line,) = [line for line in curves([run, again], [result, other])["rotation"] if line.column == "linear"][:1]
    accuracy = [
        each["series"]["rotation"][place]["readouts"]["linear"]["accuracy"] for each, place in ((result, 1), (other, 0))
    ]
    (point,) = line.points
    assert (point.strength, point.seeds) == (60, 2)
    assert point.mean == pytest.approx(np.mean(accuracy))
    assert point.sd == pytest.approx(np.std(accuracy, ddof=1))


def test_calibration_follows_where_it_is_asked_to(run):
    at = {"dataset.distortion.splits": "all"}
    found = robustness(run, series={"noise": [0.3]}, readouts=["linear"], at=at, baselines=False)
    assert found["series"]["noise"][0]["at"] == {"dataset.distortion.noise": 0.3, "dataset.distortion.splits": "all"}
    score = evaluate(run, readouts=["linear"], at=found["series"]["noise"][0]["at"], baselines=False)
    assert found["series"]["noise"][0]["readouts"]["linear"]["accuracy"] == score["readouts"]["linear"]["accuracy"]


def test_any_key_of_an_operating_point_can_vary(run):
    key, values = {
        "stdp": ("competition.strength", [0.0, 1.0]),
        "features": ("dataset.distortion.noise", [0.0, 0.2]),
        "rate_conversion": ("spiking.activation", ["rate", "spiking"]),
    }[run.spec.model]
    found = robustness(run, series={key: values}, readouts=["linear"], baselines=False)
    first, second = found["series"][key]
    assert first["spikes_per_image"] != second["spikes_per_image"]
    assert point_of(key, values[0]) == {key: values[0]}


def test_a_run_on_distorted_images_can_be_asked_clean_ones(tmp_path):
    keys = [*PRESETS["features-digits"], *SHARED, "dataset.distortion.rotation=90"]
    run = stdpnet.train(stdpnet.load_config("features-digits", keys), tmp_path / "run")
    found = robustness(run, series={"rotation": [0, 90]}, readouts=["linear"], baselines=False)["series"]["rotation"]
    assert found[0]["at"] == {"dataset.distortion.rotation": 0, "dataset.distortion.splits": "scored"}
    assert found[1]["at"] == {}
    assert found[0]["readouts"] != found[1]["readouts"]


def test_the_command_prints_tables_and_answers_mistakes(run, stdpnet_command, tmp_path):
    words = ("robustness", run.path, "--readouts", "linear", "--vary", "rotation=0,60", "--no-baselines")
    shown = " ".join(stdpnet_command(*words, "--figure", tmp_path / "figure.png").stdout.split())
    assert "by rotation (largest angle, degrees)" in shown
    assert (tmp_path / "figure.png").stat().st_size > 1000
    content = json.loads(stdpnet_command(*words, "--json").stdout)
    assert [point["strength"] for point in content["runs"][0]["series"]["rotation"]] == [0, 60]
    for vary, message in (
        ("rotate=3", "rotate: is not to differ from the training; choose among"),
        ("rotation=200", "dataset.distortion.rotation"),
        ("rotation=much", "--vary rotation: strengths are numbers"),
        ("rotation=", "--vary rotation: has no strength"),
        ("competition.strength={a=1}", "--vary competition.strength: strengths are numbers or words"),
        ("angle", "--vary angle: must look like rotation=30,90, or be one of rotation,"),
    ):
        error = stdpnet_command("robustness", run.path, "--vary", vary, code=2).stderr
        assert message in error
        assert len(error.splitlines()) == 1


def test_nothing_to_vary_is_an_error():
    with pytest.raises(ConfigError, match="--vary: names no series"):
        check_series({})
