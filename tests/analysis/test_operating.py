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
from stdpnet_analysis.positions import active_neurons, equal_counts
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
    split = stdpnet.load_dataset(experiment.dataset).some("validation", 4)
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


def test_learned_competition_can_be_replaced_by_its_mean_and_by_its_initial_weights():
    base = spec(LEARNED, "competition.c_w=-40.0", "simulation.dtype=float64", "simulation.engine=numba")
    state = open_model(base).initial(base)
    initial, pairs = state.arrays["competition"].copy(), ~np.eye(6, dtype=bool)
    state.arrays["competition"] = np.where(pairs, initial - 5.0, 0.0)
    _, mean = operating.at_point(base, state, {"competition.replaced": "mean"})
    _, first = operating.at_point(base, state, {"competition.replaced": "initial", "competition.strength": 2})
    expected = state.arrays["competition"][:, pairs].mean()
    np.testing.assert_allclose(mean.arrays["competition"][:, pairs], expected, rtol=1e-12)
    assert not mean.arrays["competition"][:, ~pairs].any()
    np.testing.assert_array_equal(first.arrays["competition"], 2 * initial)
    fixed = spec(FIXED)
    state = open_model(fixed).initial(fixed)
    assert operating.at_point(fixed, state, {"competition.replaced": "mean"})[1].digest() == state.digest()


def test_an_evaluation_says_how_far_learned_competition_differs_from_fixed(tmp_path, stdpnet_command):
    run = stdpnet.train(spec(LEARNED, "competition.c_w=-20.0", "competition.A_plus=-0.3"), tmp_path / "learned")
    scores = evaluate(run, "validation", readouts=["all"], baselines=False)
    split = stdpnet.load_dataset(run.spec.dataset).validation

    def answers(point):
        there = operating.at_point(run.spec, run.load_state(), point)
        return open_model(run.spec).respond(*there, split, Stream.VALIDATE).counts.reshape(len(split), -1, 6)

    usual, share = answers({}), scores["equal_counts"]["competition"]
    for other in operating.REPLACEMENTS:
        replaced = answers({"competition.replaced": other})
        spoken = (usual + replaced).any(axis=2)
        assert share[other] == pytest.approx(((usual == replaced).all(axis=2) & spoken).sum() / spoken.sum())
    assert 0 < share["mean"] < 1
    active = (usual > 0).sum(axis=2).ravel()
    shares = [np.mean(active == number) for number in range(3)]
    assert scores["active_neurons"] == pytest.approx([*shares, 1 - sum(shares)])
    text = " ".join(stdpnet_command("evaluate", run.path, "--split", "validation", "--readouts", "all").stdout.split())
    assert f"replaced by the mean of all: {share['mean']:.1%}" in text
    assert f"{share['mean']:.1%}"[:-1] in stdpnet_command("compare", run.path, "--split", "validation").stdout


def test_positions_that_are_silent_in_both_networks_are_not_compared():
    one = np.array([[1, 0, 0, 0, 2, 0], [0, 0, 0, 3, 0, 0]], np.uint16)
    other = np.array([[1, 0, 0, 0, 1, 0], [0, 0, 0, 3, 0, 0]], np.uint16)
    assert equal_counts(one, other, 3) == pytest.approx(2 / 3)
    assert equal_counts(one[:0], other[:0], 3) == 1
    assert active_neurons(one, 3) == pytest.approx([0.5, 0.5, 0, 0])
    assert active_neurons(np.ones((1, 6)), 1) == [0, 0, 0, 1]


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
        ("competition.strength=-1", "competition.strength: -1 is no factor; give a number from 0 to 1e+06, such as"),
        ("competition.strength=1e308", "competition.strength: 1e+308 is no factor"),
        ("competition.strength=nan", "competition.strength: nan is no factor"),
        ("competition.replaced=median", "competition.replaced: median is unknown; did you mean 'mean'?"),
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
