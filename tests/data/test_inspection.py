import json

import numpy as np
import pytest
from PIL import Image

from stdpnet.data.inspection import examine, spec_of
from stdpnet.errors import DataError


@pytest.fixture
def pictures(tmp_path):
    """Write three classes of 20 different images of white noise on black, 40 x 40."""
    random = np.random.default_rng(0)
    for name in ("1", "2", "10"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(20):
            image = np.pad(random.integers(0, 256, (20, 20)), 10).astype(np.uint8)
            Image.fromarray(image).save(tmp_path / "set" / name / f"{number}.png")
    return tmp_path / "set"


def found(path, kind="doubt", **keys):
    return [finding.message for finding in examine(spec_of(str(path), **keys)) if finding.kind == kind]


def test_sound_images_raise_no_doubt_and_say_how_they_are_read(pictures, stdpnet_command):
    assert found(pictures, calibration=15) == []
    seen = stdpnet_command("data", "check", pictures, "--set", "calibration=15").stdout
    assert "no doubts" in seen
    assert "60 grey; 40 x 40 pixels" in seen
    assert "3 classes in natural order (dataset.class_order): 1, 2, 10" in seen
    assert "the central 20 x 20 pixels" in seen


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda image: 255 - image, "set dataset.invert = true"),
        (lambda image: image // 16, "white is the largest value"),
        (lambda image: image * 0, "are black after the crop"),
        (lambda image: np.roll(image, 15, 0), "dataset.crop: 20 of 28 pixels cut off"),
    ],
)
def test_each_doubt_names_what_answers_it(pictures, stdpnet_command, change, sentence):
    for file in pictures.glob("*/*.png"):
        Image.fromarray(change(np.asarray(Image.open(file))).astype(np.uint8)).save(file)
    assert sentence in stdpnet_command("data", "check", pictures, code=1).stdout


def test_copies_are_found_within_and_between_splits(pictures):
    for file in pictures.glob("1/*.png"):
        file.write_bytes((pictures / "1/0.png").read_bytes())
    doubts = " ".join(found(pictures, calibration=15))
    assert "dataset.train: " in doubts
    assert "are copies of others" in doubts
    assert "1 image is in train and in test" in doubts


def test_classes_with_few_images_or_labels_are_named(pictures):
    for number in range(5, 20):
        (pictures / f"10/{number}.png").unlink()
    doubts = found(pictures)
    assert any("few training images of 10 (3), fewer than 10" in doubt for doubt in doubts)
    assert any("few calibration images of" in doubt and "raise dataset.calibration" in doubt for doubt in doubts)


def test_the_order_of_classes_and_colour_are_reported(pictures):
    Image.new("RGB", (40, 30), "red").save(pictures / "1/0.png")
    assert any("dataset.class_order: text puts" in doubt for doubt in found(pictures, class_order="text"))
    notes = found(pictures, "note")
    assert any("1 colour, becomes its luminance; from 40 x 30 to 40 x 40 pixels" in note for note in notes)


def test_every_kind_of_place_is_recognised(pictures, tmp_path, stdpnet_command):
    np.savez(tmp_path / "set.npz", X=np.full((30, 8, 8), 200, np.uint8), y=np.arange(30) % 2)
    (tmp_path / "set.amat").touch()
    names = [spec_of(str(place)).name for place in (pictures, tmp_path / "set.npz", tmp_path / "set.amat", "digits")]
    assert names == ["folder", "npz", "amat", "digits"]
    with pytest.raises(DataError, match="neither a dataset nor a file"):
        spec_of("nowhere")
    seen = json.loads(stdpnet_command("data", "check", "set.npz", "--json", code=1).stdout)
    assert seen["dataset"]["name"] == "npz"
    assert {"kind", "message"} == set(seen["findings"][0])
