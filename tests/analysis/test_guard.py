"""The health guard and the verdict: no preset is warned of, and each of twelve broken settings is."""

import re
import warnings

import pytest

import stdpnet
from stdpnet.errors import HealthError
from stdpnet.spec.presets import preset_names
from stdpnet.stdp.health import examine
from stdpnet.stdp.learner import STDPLearner
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.verdict import verdict

SMALL = ["topology.channels=10", "training.images=400"]
PRESETS = [name for name in preset_names() if isinstance(stdpnet.load_config(name), STDPExperiment)]
BROKEN = {
    "encoder.max_rate=5.0": "silent",
    "neuron.theta_plus=0.0": "runaway rate",
    "competition.c_w=0.0": "alike neurons",
    "competition.c_w=-1.0": "alike neurons",
    "plasticity.A_plus=1.0": "alike neurons",
    "plasticity.A_minus=1.0": "saturated weights",
    "plasticity.A_minus=0.05": "many saturated weights",
    "plasticity.mean_weight=3.0": "saturated weights",
    "plasticity.w_max=0.1": "saturated weights",
    "neuron.theta_plus=20.0": "silent",
    "neuron.tau_v=1.0": "silent",
    "simulation.duration=10.0": "silent",
}


def found(preset, *keys):
    """Return what was said of a short training."""
    events = stdpnet.load_config(preset).encoder.kind == "events"
    spec = stdpnet.load_config(preset, [*SMALL, f"dataset.name={'digits-events' if events else 'digits'}", *keys])
    images = stdpnet.load_dataset(spec.dataset).train
    learner = STDPLearner(spec, images, initial_network(spec).state(), threads=1)
    while learner.state.images < spec.training.images:
        learner.advance(spec.training.images)
    return [finding.name for finding in examine(spec, learner.row())]


@pytest.mark.parametrize("preset", PRESETS)
def test_no_preset_is_warned_of(preset):
    assert found(preset) == []


@pytest.mark.parametrize("key", BROKEN)
def test_each_broken_setting_is_warned_of(key):
    assert any(name.startswith(BROKEN[key]) for name in found("digits", key))


def test_a_training_shorter_than_its_interval_is_judged_at_its_end():
    spec = stdpnet.load_config("digits", [*SMALL, "dataset.name=digits", "encoder.max_rate=5.0"])
    assert spec.progress.every > spec.training.images
    images = stdpnet.load_dataset(spec.dataset).train.images
    with pytest.warns(UserWarning, match="silent .* at image 400"):
        stdpnet.fit(spec, images, threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stdpnet.fit(spec.updated({"training.images": 50}), images, threads=1)


def test_mild_findings_stop_no_job_and_grave_ones_do():
    keys = ["health.action=stop", "progress.every=100", "training.images=100", "dataset.name=digits"]
    mild = stdpnet.load_config("digits", [*keys, "topology.channels=10", "plasticity.A_minus=0.05"])
    images = stdpnet.load_dataset(mild.dataset).train.images
    with pytest.warns(UserWarning, match=r"many saturated weights at image 100: \d+% of the weights are at a bound"):
        stdpnet.fit(mild, images, threads=1)
    with pytest.raises(HealthError, match="saturated weights at image 100"):
        stdpnet.fit(mild.updated({"health.saturated": 0.5}), images, threads=1)


def scores(trained, untrained=None, pixels=None, silent=0.0, classes=10, images=10_000):
    """Return scores of two read-outs."""
    tables = {
        "untrained": untrained and {"all": untrained - 0.1, "linear": untrained},
        "pixels": pixels and {"linear": pixels},
    }
    made = {
        name: {"readouts": {each: {"accuracy": value} for each, value in table.items()}}
        for name, table in tables.items()
        if table
    }
    readouts = {
        name: {"accuracy": value, "confusion": [[1] * classes] * classes}
        for name, value in {"all": trained - 0.1, "linear": trained}.items()
    }
    return {"protocol": {"images": images}, "readouts": readouts, "silent_images": silent, **made}


def test_a_verdict_names_keys_that_the_model_has():
    bad = scores(0.15, 0.8, 0.9, silent=0.3)
    assert "plasticity.A_plus" in str(verdict(bad))
    assert "plasticity.A_plus" in str(verdict(bad | {"facts": {"details": {"competition": "fixed"}}}))
    other = str(verdict(bad | {"facts": {"details": {"microcolumns": 15}}}))
    assert not re.search(r"plasticity|encoder|theta|competition|receptive|channels", other)
    assert "learning rate" in other


def test_an_image_without_spikes_that_the_model_answers_is_no_silent_one():
    given = scores(0.825, silent=0.255)
    assert "no answer at all" in str(verdict(given))
    assert verdict(given | {"readouts": {"own": {"accuracy": 0.825, "no_answer": 0.0}}}) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (scores(0.84, 0.74, 0.846), []),  # a preset after 1000 images
        (scores(0.943, 0.56, 0.925), []),
        (scores(0.943), []),
        (scores(0.771, 0.793, 0.88), []),  # csnn-25-k8-thesis
        (scores(0.80, 0.10, 0.945, images=200), []),  # colanet-digits
        (scores(0.25, 0.235, 0.25, 0.295), ["no answer at all"]),  # encoder.max_rate = 5
        (scores(0.583, 0.79, 0.6), ["made it worse"]),  # competition.c_w = 0
        (scores(0.517, 0.56, 0.925), ["made it worse", "the pixels alone are much better"]),  # plasticity.A_plus = 1
        (scores(0.175, 0.825, 0.925, 0.79), ["near chance", "made it worse", "pixels", "79% of the images"]),
        (scores(0.714, 0.786, 0.9, images=14), []),  # one image of fourteen
        (scores(0.65, 0.786, 0.9, images=400), ["made it worse", "pixels"]),
        (scores(0.95, classes=2), []),
        (scores(0.52, classes=2), ["near chance (50.0%)"]),
        (scores(0.199), ["near chance (10.0%)"]),
        (scores(0.201), []),
        ({"readouts": {}}, []),
    ],
)
def test_a_verdict_names_what_is_wrong(given, words):
    sentences = verdict(given)
    assert len(sentences) == len(words)
    for sentence, part in zip(sentences, words, strict=True):
        assert part in sentence
        assert ":" in sentence, "what to try"
