import os

import numpy as np
import pytest
from PIL import Image

from stdpnet.data import load_dataset
from stdpnet.data.checks import doubts
from stdpnet.data.folder import folder, read_image
from stdpnet.spec.dataset import DatasetSpec


@pytest.fixture
def pictures(tmp_path):
    """Write two classes of six images each: constant grey 100 and 200, 40 x 40."""
    for name, grey in [("dogs", 200), ("cats", 100)]:
        (tmp_path / name).mkdir()
        for i in range(6):
            Image.new("L", (40, 40), grey).save(tmp_path / name / f"{i}.png")
    return tmp_path


def spec(path, **values) -> DatasetSpec:
    return DatasetSpec(name="folder", path=str(path), **values)


def test_sub_folders_are_the_classes_by_name(pictures):
    (pictures / "cats" / ".DS_Store").write_bytes(b"hidden")
    (pictures / ".hidden").mkdir()
    (pictures / "README.txt").write_text("beside the classes")
    dataset = load_dataset(spec(pictures))
    assert dataset.classes == ("cats", "dogs")
    for split in (dataset.train, dataset.calibration, dataset.test):
        assert sorted(set(split.labels)) == [0, 1]
        np.testing.assert_array_equal(split.images[:, 10, 10], np.array([100, 200])[split.labels])


def test_images_are_resized_after_padding_to_a_centred_black_square(pictures):
    Image.new("L", (80, 40), 255).save(pictures / "cats" / "0.png")
    image = folder(spec(pictures, resize=16)).images[0]
    assert image.shape == (16, 16)
    assert image[:3].max() == image[-3:].max() == 0
    assert image[5:11].min() == 255
    np.testing.assert_array_equal(image, image[::-1])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_becomes_grey(tmp_path, mode):
    white = Image.new("L", (4, 4), 255)
    image = Image.new("I;16", (4, 4), 65535) if mode == "I;16" else white.convert(mode)
    image.save(tmp_path / "a.PNG", format="PNG")
    np.testing.assert_array_equal(read_image(tmp_path / "a.PNG"), np.full((4, 4), 255))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_of_every_mode_becomes_grey(tmp_path, mode):
    Image.new("RGB", (8, 8), (90, 90, 90)).convert(mode).save(tmp_path / "a.jpeg")
    assert np.abs(read_image(tmp_path / "a.jpeg").astype(int) - 90).max() <= 2


def test_what_is_transparent_shows_black(tmp_path):
    Image.new("RGBA", (4, 4), (255, 255, 255, 0)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").max() == 0


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    Image.fromarray(np.full((4, 4), 128 * 257, dtype=np.uint16)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.full((4, 4), 128))


def test_the_exif_orientation_is_honoured(tmp_path):
    image = Image.new("L", (8, 4))
    image.paste(255, (0, 0, 4, 4))  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned 90 degrees clockwise
    image.save(tmp_path / "a.png", exif=exif)
    upright = read_image(tmp_path / "a.png")
    assert upright.shape == (8, 4)
    assert upright[:4].min() == 255
    assert upright[4:].max() == 0


def test_a_missing_folder_is_one_clear_error(tmp_path, one_clear_error):
    with one_clear_error("dataset.path", tmp_path / "nowhere"):
        load_dataset(spec(tmp_path / "nowhere"))


def test_a_folder_without_class_sub_folders_is_one_clear_error(tmp_path, one_clear_error):
    with one_clear_error("dataset.path", tmp_path, "no class sub-folders"):
        load_dataset(spec(tmp_path))


def test_an_empty_class_is_one_clear_error(pictures, one_clear_error):
    (pictures / "eels").mkdir()
    with one_clear_error(pictures / "eels", "no images"):
        load_dataset(spec(pictures))


@pytest.mark.parametrize(("name", "reason"), [("a.txt", "not a PNG or JPEG"), ("a.png", "not a readable PNG or JPEG")])
def test_a_file_that_is_not_an_image_is_one_clear_error(pictures, one_clear_error, name, reason):
    (pictures / "cats" / name).write_text("not an image")
    with one_clear_error(pictures / "cats" / name, reason):
        load_dataset(spec(pictures))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_truncated_image_is_one_clear_error(pictures, one_clear_error, suffix):
    file = pictures / "cats" / f"x.{suffix}"
    Image.effect_noise((60, 60), 50).save(file)
    file.write_bytes(file.read_bytes()[:-500])
    with one_clear_error(file, "not a readable"):
        load_dataset(spec(pictures))


def test_a_single_class_is_one_clear_error(pictures, one_clear_error):
    for file in (pictures / "dogs").iterdir():
        file.unlink()
    (pictures / "dogs").rmdir()
    with one_clear_error(pictures, "1 class", "at least two"):
        load_dataset(spec(pictures))


def test_a_class_with_too_few_images_is_one_clear_error(pictures, one_clear_error):
    for i in range(4):
        (pictures / "cats" / f"{i}.png").unlink()
    with one_clear_error("class 'cats' has 2 images", pictures, "at least 3"):
        load_dataset(spec(pictures))


def test_three_images_per_class_are_enough(pictures):
    for name in ("cats", "dogs"):
        for i in range(3):
            (pictures / name / f"{i}.png").unlink()
    dataset = load_dataset(spec(pictures))
    for split in (dataset.train, dataset.calibration, dataset.test):
        assert sorted(split.labels) == [0, 1]


def test_a_crop_larger_than_the_resized_images_is_one_clear_error(pictures, one_clear_error):
    with one_clear_error("dataset.crop: 20", pictures, "(16 x 16)", "at most 16"):
        load_dataset(spec(pictures, resize=16))


def test_classes_are_in_natural_order_and_in_that_of_text_where_asked_for(tmp_path):
    for name in ("0", "1", "10", "2", "b10", "b9", "01"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("L", (8, 8), number + 1).save(tmp_path / name / f"{number}.png")
    assert folder(spec(tmp_path)).classes == ("0", "01", "1", "2", "10", "b9", "b10")
    assert folder(spec(tmp_path, class_order="text")).classes == ("0", "01", "1", "10", "2", "b10", "b9")


def test_dark_ink_on_white_is_inverted_before_it_is_padded(tmp_path):
    paper = Image.new("L", (40, 20), 255)
    paper.putpixel((20, 10), 0)
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(3):
            paper.save(tmp_path / name / f"{number}.png")
    image = folder(spec(tmp_path, invert=True, resize=40)).images[0]
    assert image[20, 20] == 255
    assert image.sum() == 255


def test_an_image_of_a_huge_side_and_what_is_no_file_are_refused(tmp_path, one_clear_error):
    Image.new("L", (100_000, 1)).save(tmp_path / "wide.png")
    with one_clear_error("wide.png", "100000", "8192"):
        read_image(tmp_path / "wide.png")
    os.mkfifo(tmp_path / "pipe.png")
    with one_clear_error("pipe.png", "no regular file"):
        read_image(tmp_path / "pipe.png")


def test_a_class_whose_name_has_control_characters_or_another_encoding_is_shown_escaped(tmp_path):
    for name in (b"a\x1b[31m", b"b\xff"):
        os.mkdir(os.fsencode(tmp_path) + b"/" + name)
        for number in range(3):
            Image.new("L", (8, 8), 9).save(os.fsencode(tmp_path) + b"/" + name + b"/%d.png" % number, "png")
    assert folder(spec(tmp_path)).classes == ("a\\x1b[31m", "b\\udcff")


def test_images_that_are_probably_not_intended_are_reported_with_a_remedy(tmp_path):
    rng = np.random.default_rng(0)
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(10):
            Image.fromarray(rng.integers(200, 255, (28, 28), np.uint8)).save(tmp_path / name / f"{number}.png")
    assert [doubt.split("; ")[1][:45] for doubt in doubts(load_dataset(spec(tmp_path)))] == [
        "if they are dark ink on white, set dataset.inv"[:45]
    ]
    copy = (tmp_path / "a" / "0.png").read_bytes()
    for name in "ab":
        for number in range(10):
            (tmp_path / name / f"{number}.png").write_bytes(copy)
        Image.new("L", (28, 28)).save(tmp_path / name / "0.png")
    found = " ".join(doubts(load_dataset(spec(tmp_path, invert=True))))
    assert "1 image is in train and in test" in found
    assert "set dataset.invert" not in found
    assert "the brightest pixel of all training images is" in found or "bright" not in found
    found = " ".join(doubts(load_dataset(spec(tmp_path))))
    assert "images are black after the crop" in found
    assert doubts(load_dataset(DatasetSpec(name="digits"))) == []
