"""Distorted images: what is done to them, and that it depends on seed and index alone."""

import json

import numpy as np
import pytest

import stdpnet
from stdpnet.data import distort, load_dataset
from stdpnet.data.distortion import backgrounds
from stdpnet.data.transforms import rotate
from stdpnet.errors import ConfigError
from stdpnet.spec.base import flat
from stdpnet.spec.dataset import DatasetSpec
from stdpnet.spec.distortion import DistortionSpec
from stdpnet.spec.load import dump_config, load_config

KINDS = {
    "rotation": {"rotation": 180.0},
    "background": {"background": 1.0},
    "behind": {"background": 0.5, "background_rule": "behind"},
    "correlated": {"background": 1.0, "correlation": 0.5},
    "both": {"rotation": 180.0, "background": 1.0},
    "occlusion": {"background": 0.2, "occlusion": 0.2},
    "noise": {"noise": 0.3},
}
INDICES = np.arange(60) * 7


def blobs(count=60):
    """Return one blob each, off the centre, on black."""
    y, x = np.mgrid[:28, :28]
    blob = 255 * np.exp(-((x - 13.5) ** 2 / 20 + (y - 8) ** 2 / 8))
    return np.repeat(np.where(blob < 3, 0, blob).astype(np.uint8)[None], count, axis=0)


def fractions(kind, images=None, indices=INDICES, **keys):
    return distort(blobs(len(indices)) if images is None else images, indices, DistortionSpec(**KINDS[kind], **keys))


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_depends_on_seed_and_index_alone(kind):
    together = fractions(kind)
    assert together.dtype == np.uint8
    order = np.random.default_rng(0).permutation(60)[:17]
    np.testing.assert_array_equal(fractions(kind, indices=INDICES[order]), together[order])
    np.testing.assert_array_equal(fractions(kind, indices=INDICES[[5]]), together[[5]])
    assert len({image.tobytes() for image in together}) > 50
    assert not np.array_equal(fractions(kind, seed=1), together)


def test_angles_are_uniform_and_grow_with_the_strength():
    def angles(rotation):
        turned = distort(blobs(400), np.arange(400), DistortionSpec(rotation=rotation))
        mass, (y, x) = turned.astype(float), np.mgrid[:28, :28] - 13.5
        total = mass.sum(axis=(1, 2))
        centre = [(mass * place).sum(axis=(1, 2)) / total for place in (y, x)]
        return np.degrees(np.arctan2(centre[0], centre[1])) + 90  # clockwise from the top

    full, small = np.sort(angles(180.0) % 360), angles(20.0)
    assert np.abs(full / 360 - (np.arange(400) + 0.5) / 400).max() < 1.36 / np.sqrt(400), "Kolmogorov-Smirnov, 5 %"
    assert -24 < small.min() < -15
    assert 15 < small.max() < 24
    assert np.corrcoef(small, ((angles(180.0) + 180) % 360) - 180)[0, 1] > 0.99


def test_several_angles_are_those_of_one_each():
    angles = np.linspace(-170, 170, 60)
    one_by_one = np.concatenate([rotate(blobs(1), angle) for angle in angles])
    np.testing.assert_array_equal(rotate(blobs(), angles), one_by_one)


def test_a_random_background_is_uniform_and_never_darkens_the_image():
    found = fractions("background", np.zeros((60, 28, 28), np.uint8)).ravel()
    assert np.abs(np.bincount(found // 32, minlength=8) / found.size - 1 / 8).max() < 0.01
    assert (fractions("background") >= blobs()).all()
    half = fractions("behind")
    np.testing.assert_array_equal(half[blobs() > 0], blobs()[blobs() > 0])
    assert half[blobs() == 0].max() == 127


@pytest.mark.parametrize("correlation", [0.0, 0.25, 0.75, 1.0])
def test_backgrounds_are_uniform_with_the_covariance_that_is_asked_for(correlation):
    from scipy.stats import norm

    spec = DistortionSpec(background=1, correlation=correlation, correlation_length=3.0)
    uniform = backgrounds((8, 10), np.arange(3000), spec)
    assert np.abs(np.quantile(uniform, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.03
    normal = norm.ppf(np.clip(uniform, 1e-12, 1 - 1e-12)).reshape(3000, -1)
    y, x = np.divmod(np.arange(80), 10)
    squares = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    expected = (1 - correlation) * np.eye(80) + correlation * np.exp(-squares / 9)
    assert np.abs(normal.T @ normal / 3000 - expected).max() < 0.12
    if correlation == 0:
        np.testing.assert_array_equal(uniform[7], backgrounds((8, 10), np.array([7]), spec)[0])


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_square_of_the_area_is_hidden_somewhere(share):
    found = distort(np.full((200, 28, 28), 9, np.uint8), np.arange(200), DistortionSpec(occlusion=share))
    hidden = found == 0
    side = round(28 * np.sqrt(share))
    assert (hidden.sum(axis=(1, 2)) == side**2).all()
    assert (hidden.any(axis=1).sum(axis=1) == side).all()
    places = hidden.any(axis=2).argmax(axis=1)
    assert (places.min(), places.max()) == (0, 28 - side)


def test_noise_has_its_deviation_and_is_clipped():
    grey = np.full((60, 28, 28), 128, np.uint8)
    noisy = distort(grey, INDICES, DistortionSpec(noise=0.04))
    assert noisy.std() == pytest.approx(0.04 * 255, rel=0.03)
    assert noisy.mean() == pytest.approx(128, abs=0.3)
    strong = fractions("noise")
    assert (strong.min(), strong.max()) == (0, 255)


def test_distortions_do_not_change_each_other():
    turned = fractions("rotation")
    np.testing.assert_array_equal(fractions("both"), distort(turned, INDICES, DistortionSpec(background=1.0)))


def test_a_dataset_is_distorted_before_the_crop_and_only_in_the_splits_asked_for():
    clean = load_dataset(DatasetSpec(name="digits", crop=28, validation=50))
    scored = {"rotation": 180.0, "splits": "scored"}
    some, cropped, everything = (
        load_dataset(DatasetSpec(name="digits", crop=crop, validation=50, distortion=distortion))
        for crop, distortion in ((28, scored), (20, scored), (28, {"rotation": 180.0}))
    )
    for name in ("train", "calibration"):
        np.testing.assert_array_equal(some.split(name).images, clean.split(name).images)
        assert not np.array_equal(everything.split(name).images, clean.split(name).images)
    for name in ("validation", "test"):
        split = clean.split(name)
        expected = distort(split.images, split.indices, DistortionSpec(rotation=180.0))
        np.testing.assert_array_equal(some.split(name).images, expected)
        np.testing.assert_array_equal(everything.split(name).images, expected)
        np.testing.assert_array_equal(cropped.split(name).images, expected[:, 4:24, 4:24])
    assert len({each.sha256 for each in (clean, some, cropped, everything)}) == 4


def test_keys_are_written_read_and_checked(tmp_path):
    spec = stdpnet.load_config("digits", ["dataset.distortion.rotation=30", "dataset.distortion.splits=scored"])
    for changed in (False, True):
        (tmp_path / "config.toml").write_text(text := dump_config(spec, documented=True, only_changed=changed))
        assert load_config(tmp_path / "config.toml") == spec
        assert "[dataset.distortion]" in text
    assert "distortion" not in dump_config(stdpnet.load_config("digits"), only_changed=True)
    assert flat(DatasetSpec())["distortion.rotation"] == 0
    for key, message in (
        ("rotation=200", "dataset.distortion.rotation: .*180"),
        ("background=-1", "dataset.distortion.background"),
        ("rotate=3", r"dataset.distortion.rotate: unknown key; did you mean 'rotation'\?"),
        ("splits=test", "dataset.distortion.splits"),
    ):
        with pytest.raises(ConfigError, match=message):
            stdpnet.load_config("digits", [f"dataset.distortion.{key}"])


def test_data_info_shows_distorted_images(stdpnet_command):
    words = ("data", "info", "digits", "--json")
    clean, turned = (
        json.loads(stdpnet_command(*words, *more).stdout) for more in ((), ("--set", "distortion.rotation=90"))
    )
    assert clean["sha256"] != turned["sha256"]
    assert clean["images"] == turned["images"]
    assert "distortion.rotate: unknown" in stdpnet_command(*words, "--set", "distortion.rotate=1", code=2).stderr
