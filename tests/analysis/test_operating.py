"""Answers at another operating point than that of the training."""

import json

import numpy as np
import pytest

import stdpnet
from stdpnet import operating
from stdpnet.errors import ConfigError
from stdpnet.model import open_model
from stdpnet.random import Stream
from stdpnet_analysis import evaluate
from stdpnet_analysis.progress import NoProgress
from tests.stdp.engines.networks import ARCHITECTURES, ENGINES

SMALL = ["training.images=60", "topology.channels=6", "simulation.duration=60.0", "dataset.validation=40"]
FIXED, LEARNED = "competition.rule=fixed", "competition.rule=anti_stdp"
WEAK = {"competition.strength": 0.25}


def spec(*keys):
    return stdpnet.load_config("digits", [*SMALL, *keys])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return stdpnet.train(spec("competition.c_w=-30.0"), tmp_path_factory.mktemp("runs") / "run")


def counts(experiment, state):
    split = stdpnet.load_dataset(experiment.dataset).some("validation", 12)
    return open_model(experiment).respond(experiment, state, split, Stream.VALIDATE).counts


@pytest.mark.parametrize("engine", ["numba", "brian2-numpy"])
@pytest.mark.parametrize("rule", [FIXED, LEARNED])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_competition_has_the_strength_that_is_asked_for(engine, rule, architecture):
    kernel = "none" if architecture == "fully_connected" else 12
    keys = [
        f"topology.architecture={architecture}",
        f"topology.kernel={kernel}",
        rule,
        "competition.c_w=-40.0",
        "simulation.dtype=float64",
    ]
    base = spec(*keys).updated({"simulation": ENGINES[engine]})
    state = open_model(base).initial(base)
    before = state.digest()
    same, weak, none = (
        counts(*operating.at_point(base, state, {"competition.strength": factor})) for factor in (1, 0.25, 0)
    )
    np.testing.assert_array_equal(same, counts(base, state))
    quarter = state.copy()
    quarter.arrays["competition"] = quarter.arrays["competition"] * 0.25
    np.testing.assert_array_equal(weak, counts(base, quarter))
    assert same.sum() < weak.sum() < none.sum()
    assert state.digest() == before


def test_input_and_duration_may_differ(run):
    base, state = run.spec, run.load_state()
    usual = counts(base, state).sum()
    long = operating.at_point(base, state, {"simulation.duration": 120.0})
    bright = operating.at_point(base, state, {"encoder.max_rate": 250.0, "encoder.kind": "regular"})
    assert long[1].digest() == bright[1].digest() == state.digest()
    assert bright[0].encoder.kind == "regular"
    assert counts(*long).sum() > 1.5 * usual
    assert counts(*bright).sum() > usual


def test_scores_and_responses_of_a_point_stand_beside_the_usual_ones(run):
    class Stages(NoProgress, list):
        def stage(self, name, total):
            self.append(name)

    usual = evaluate(run, "validation")
    weak = evaluate(run, "validation", at=WEAK)
    assert weak["protocol"]["at"] == WEAK
    assert "at" not in usual["protocol"]
    assert weak["spikes_per_image"] > usual["spikes_per_image"]
    assert weak["untrained"]["spikes_per_image"] > usual["untrained"]["spikes_per_image"]
    assert weak["pixels"] == usual["pixels"]
    assert run.load_scores("validation") == usual
    assert run.load_scores("validation", point=operating.label(WEAK)) == weak
    for at in (None, WEAK):
        stages = Stages()
        evaluate(run, "validation", at=at, progress=stages)
        assert not any("responses" in stage for stage in stages), "they are kept"


def test_the_command_line_takes_points(run, stdpnet_command):
    options = ["--split", "validation", "--at", "competition.strength=0.25", "--at", "encoder.kind=regular"]
    printed = json.loads(stdpnet_command("evaluate", run.path, *options, "--json").stdout)
    assert printed["protocol"]["at"] == {"competition.strength": 0.25, "encoder.kind": "regular"}
    text = " ".join(stdpnet_command("evaluate", run.path, *options).stdout.split())
    assert "competition.strength = 0.25, encoder.kind = regular" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plasticity.A_plus=1", "plasticity.A_plus: is not to differ from the training; choose among competition.str"),
        ("simulation.dt=0.5", "simulation.dt: is not to differ"),
        ("theta.strength=2", "theta.strength: is not to differ"),
        ("competition.strength=-1", "competition.strength: -1 is no factor; give a number from 0, such as 0.25"),
        ("competition.strength=nan", "competition.strength: nan is no factor"),
        ("competition.strength=weak", "competition.strength: weak is no factor"),
        ("simulation.duration=-1", "simulation.duration"),
        ("encoder.maxrate=3", "encoder.maxrate"),
        ("weak", "--at weak: must look like key=value, for example competition.strength=0.25"),
    ],
)
def test_what_may_not_differ_is_one_sentence(run, stdpnet_command, text, message):
    files = sorted(run.path.rglob("*"))
    error = stdpnet_command("evaluate", run.path, "--split", "validation", "--at", text, code=2).stderr
    assert message in error
    assert len(error.splitlines()) == 1
    assert sorted(run.path.rglob("*")) == files


def test_features_have_no_other_point_but_distorted_images():
    features = stdpnet.load_config("features-digits")
    state = open_model(features).initial(features)
    with pytest.raises(ConfigError, match=r"choose among dataset.distortion$"):
        operating.at_point(features, state, WEAK)
    assert operating.at_point(features, state, {"dataset.distortion.noise": 0.1})[0].dataset.distortion.noise == 0.1


TURNED = {"dataset.distortion.rotation": 90.0}


def test_only_scored_images_are_distorted_at_evaluation(run, monkeypatch):
    shown = {}

    def respond(spec, state, split, stream, **options):
        shown[stream.name] = split.images
        return open_model(spec).respond(spec, state, split, stream, **options)

    clean = stdpnet.load_dataset(run.spec.dataset)
    usual = evaluate(run, "validation", readouts=["all"])
    kept = run.path / "responses" / "trained-calibration.h5"
    before = kept.stat().st_mtime_ns
    scores = evaluate(run, "validation", readouts=["all"], at=TURNED, responder=respond)
    assert scores["protocol"]["at"] == TURNED | {"dataset.distortion.splits": "scored"}
    assert not np.array_equal(shown.pop("VALIDATE"), clean.validation.images)
    assert not shown, "responses to clean calibration images are kept"
    assert kept.stat().st_mtime_ns == before
    for part in (scores, scores["untrained"]):
        assert part["readouts"]["all"]["accuracy"] < usual["readouts"]["all"]["accuracy"]
    assert scores["pixels"] != usual["pixels"]
    evaluate(run, "validation", readouts=["all"], responder=respond, baselines=False, at={"dataset.distortion": {
        "rotation": 90.0, "splits": "all"}})  # fmt: skip
    assert not np.array_equal(shown["CALIBRATE"], clean.calibration.images)
