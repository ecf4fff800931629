import numpy as np
import pytest

import stdpnet
from stdpnet.errors import ConfigError, DataError
from stdpnet.spec.dataset import DatasetSpec
from stdpnet.stdp import suggestion

ARCHITECTURES = ("locally_connected", "convolutional", "fully_connected")


@pytest.fixture
def quick(monkeypatch):
    """Probe with few images and few probes."""
    monkeypatch.setattr(suggestion, "PROBED", 20)
    monkeypatch.setattr(suggestion, "PROBES", 4)


@pytest.fixture(scope="module")
def dark_on_white(tmp_path_factory):
    """Write digits, black ink on white, as an .npz file."""
    source = stdpnet.load_dataset(DatasetSpec(name="digits", crop=28)).train
    path = tmp_path_factory.mktemp("data") / "dark.npz"
    np.savez(path, X=255 - source.images[:300], y=source.labels[:300])
    return path


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_suggestion_is_a_configuration_with_a_reason_for_each_choice(quick, architecture):
    found = suggestion.suggest(DatasetSpec(name="digits"), architecture=architecture, channels=4)
    assert found.spec.topology.architecture == architecture
    assert found.spec.dataset.validation == 107
    said = " ".join(found.reasons)
    for key in ("dataset.crop", "max_rate", "mean_weight", "training.images", "A_plus", "v_thresh", "theta_plus"):
        assert key in said


def test_the_threshold_brings_about_as_many_spikes_as_were_wanted():
    spec = stdpnet.STDPExperiment(
        dataset={"name": "digits"}, topology={"channels": 4, "kernel": 12}, encoder={"max_rate": 97.0}
    )
    spec = spec.updated({"plasticity": {"mean_weight": 0.2, "A_minus": 0.0}, "simulation.duration": 100.0})
    loaded, reasons = stdpnet.load_dataset(spec.dataset), []
    threshold = suggestion._threshold(spec, loaded, 1, lambda _: None, reasons)
    wanted = suggestion.FAMILIES["locally_connected"].spikes
    assert suggestion._probe(spec, loaded, threshold, 1) == pytest.approx(wanted, rel=0.2)


def test_theta_grows_to_the_rest_of_the_threshold():
    base = stdpnet.STDPExperiment(training={"images": 2000}, topology={"channels": 4, "kernel": 12})
    keys = suggestion._homeostasis(base, 50.0, [])
    assert keys["neuron.v_thresh"] == pytest.approx(-65 + suggestion.SHARE * 50)
    theta, spikes = 0.0, suggestion.FAMILIES["locally_connected"].spikes / 4
    for _ in range(2000):
        theta = theta * np.exp(-250 / 1e6) + spikes * keys["neuron.theta_plus"]
    assert theta == pytest.approx((1 - suggestion.SHARE) * 50, rel=0.02)


def test_dark_ink_is_found_and_turned_round(quick, dark_on_white, stdpnet_command, tmp_path):
    seen = stdpnet_command("config", "suggest", dark_on_white, "--channels", 4, "--output", "mine.toml")
    assert "dataset.invert = true: the images are bright" in seen.stdout
    spec = stdpnet.load_config(tmp_path / "mine.toml")
    assert spec.dataset.invert
    assert spec.dataset.crop == 28
    assert "# dataset.crop = 28:" in (tmp_path / "mine.toml").read_text()
    assert "never overwritten" in stdpnet_command("config", "suggest", "digits", "--output", "mine.toml", code=2).stderr


def test_images_that_cannot_be_learned_are_one_sentence(tmp_path):
    np.savez(tmp_path / "black.npz", X=np.zeros((40, 8, 8)), y=np.arange(40) % 2)
    with pytest.raises(DataError, match="are black"):
        suggestion.suggest(DatasetSpec(name="npz", path=str(tmp_path / "black.npz")))
    with pytest.raises(ConfigError, match="--kernel 40: is larger than the images"):
        suggestion.suggest(DatasetSpec(name="digits"), kernel=40)
