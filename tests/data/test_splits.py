import subprocess
import sys

import numpy as np
import pytest

from stdpnet.data import SPLITS, Dataset, load_dataset
from stdpnet.data.dataset import Source, spread
from stdpnet.data.splits import split_indices
from stdpnet.spec.dataset import DatasetSpec


def little(**values) -> Dataset:
    return load_dataset(DatasetSpec(**{"name": "mnist", "calibration": 10, **values}))


def indices(dataset: Dataset) -> dict[str, list[int]]:
    return {name: dataset.split(name).indices.tolist() for name in SPLITS}


def test_importing_the_package_loads_none_of_the_heavy_libraries():
    heavy = {"sklearn", "pooch", "matplotlib", "PIL", "scipy"}
    code = f"import sys, stdpnet.data; print(sorted({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_published_set_keeps_its_order(little_mnist):
    dataset = little(validation=5, subsets="ends")
    assert indices(dataset) == {
        "train": list(range(15)),
        "validation": list(range(15, 20)),
        "calibration": list(range(20, 30)),
        "test": list(range(30, 40)),
    }
    for name in SPLITS:
        split = dataset.split(name)
        np.testing.assert_array_equal(split.images[:, 0, 0], split.indices)
        np.testing.assert_array_equal(split.labels, split.indices % 10)
        assert (split.images.dtype, split.labels.dtype, split.indices.dtype) == (np.uint8, np.int64, np.int64)
        assert split.images.shape == (len(split), 20, 20)
        assert split.images.flags.c_contiguous
        assert split.images.flags.writeable


def test_smaller_parts_have_one_image_of_each_of_as_many_equal_parts(little_mnist):
    dataset = little(validation=5, test=3)
    assert indices(dataset)["calibration"] == [0, 4, 6, 11, 13, 15, 20, 21, 26, 28]
    assert indices(dataset)["validation"] == [1, 9, 12, 23, 25]
    assert indices(dataset)["train"] == [2, 3, 5, 7, 8, 10, 14, 16, 17, 18, 19, 22, 24, 27, 29]
    assert indices(dataset)["test"] == [30, 34, 36]
    assert dataset.some("test", 2).indices.tolist() == [30, 36]
    assert dataset.some("train", 1000).indices.tolist() == indices(dataset)["train"]


@pytest.mark.parametrize("count", [500, 833, 1000, 2500, 5000])
@pytest.mark.parametrize("period", [2, 3, 10, 12])
def test_no_period_of_a_set_shows_in_a_part_of_it(count, period):
    places, edges = spread(count, 10_000), np.arange(count + 1) * 10_000 // count
    assert (edges[:-1] <= places).all()
    assert (places < edges[1:]).all()
    np.testing.assert_allclose(np.bincount(places % period) / count, 1 / period, atol=0.05)


def test_older_versions_took_the_first_image_of_each_part(little_mnist):
    dataset = little(validation=5, test=3, subsets="spread")
    assert indices(dataset)["calibration"] == list(range(0, 30, 3))
    assert indices(dataset)["validation"] == [1, 7, 13, 19, 25]
    assert indices(dataset)["train"] == [i for i in range(30) if i % 3 and i not in (1, 7, 13, 19, 25)]
    assert indices(dataset)["test"] == [30, 33, 36]
    assert dataset.some("test", 2).indices.tolist() == [30, 33]
    assert dataset.some("train", 5).indices.tolist() == [2, 8, 14, 20, 26]


def test_older_versions_took_the_ends(little_mnist):
    dataset = little(test=3, subsets="ends")
    assert indices(dataset)["test"] == [30, 31, 32]
    assert dataset.some("calibration", 4).indices.tolist() == [20, 21, 22, 23]


def test_the_training_images_calibrate_that_the_thesis_chose_unless_another_number_is_asked_for():
    source = Source(np.zeros((70000, 1, 1), np.uint8), np.arange(70000) % 10, tuple("0123456789"), 10000)
    parts = split_indices(source, DatasetSpec(validation=500))
    np.testing.assert_array_equal(parts["calibration"], np.arange(50000, 60000))
    np.testing.assert_array_equal(parts["test"], np.arange(60000, 70000))
    np.testing.assert_array_equal(parts["validation"] // 100, np.arange(500))


def test_validation_is_empty_by_default(little_mnist):
    assert little().validation.images.shape == (0, 20, 20)


def test_an_unknown_split_is_one_clear_error(little_mnist, one_clear_error):
    with one_clear_error("tset", "mnist", "train, validation, calibration, test"):
        little().split("tset")


@pytest.mark.parametrize(
    ("values", "pieces"),
    [
        ({"calibration": 30}, ("dataset.calibration: 30", "30 training images of mnist", "at most 29")),
        ({"calibration": None}, ("dataset.calibration: 10000", "at most 29")),
        ({"validation": 20}, ("dataset.validation: 20", "20 training images", "at most 19")),
        ({"test": 11}, ("dataset.test: 11", "10 test images of mnist", "at most 10")),
    ],
)
def test_a_split_larger_than_a_published_set_is_one_clear_error(little_mnist, one_clear_error, values, pieces):
    with one_clear_error(*pieces):
        little(**values)


def test_a_crop_larger_than_the_images_is_one_clear_error(little_mnist, one_clear_error):
    with one_clear_error("dataset.crop: 30 is larger than the images of mnist (28 x 28); choose at most 28"):
        little(crop=30)


def test_equal_images_and_labels_have_equal_digests_and_others_do_not(little_mnist):
    reference = little().sha256
    assert little().sha256 == reference
    assert len({reference, little(crop=19).sha256, little(test=9).sha256, little(validation=1).sha256}) == 4


def test_digits_are_split_into_fifths_of_equal_shares():
    dataset = load_dataset(DatasetSpec(name="digits", validation=100))
    assert [len(dataset.split(name)) for name in SPLITS] == [1797 - 2 * 359 - 100, 100, 359, 359]
    together = np.concatenate([dataset.split(name).indices for name in SPLITS])
    np.testing.assert_array_equal(np.sort(together), np.arange(1797))
    whole = np.bincount(np.concatenate([dataset.split(name).labels for name in SPLITS]))
    for split in (dataset.calibration, dataset.test):
        assert np.abs(np.bincount(split.labels) - whole / 5).max() < 1.5


def test_digits_look_like_mnist_after_the_crop():
    images = load_dataset(DatasetSpec(name="digits", crop=28)).train.images
    assert images.shape[1:] == (28, 28)
    assert images[:, :4].max() == images[:, -4:].max() == images[:, :, :4].max() == images[:, :, -4:].max() == 0
    assert images.max() == 255
    assert 0.2 < load_dataset(DatasetSpec(name="digits")).train.images.mean() / 255 < 0.35


@pytest.mark.parametrize("seed", [1, 2**63 - 1])
def test_the_split_follows_its_seed(seed):
    first, again, other = (load_dataset(DatasetSpec(name="digits", split_seed=s)) for s in (seed, seed, 0))
    assert indices(first) == indices(again)
    assert first.sha256 == again.sha256 != other.sha256


@pytest.mark.parametrize(
    ("values", "pieces"),
    [
        ({"test": 1790}, ("dataset.test: 1790 of 1797", "from 10 to 1777")),
        ({"test": 9}, ("dataset.test: 9 of 1797", "from 10")),
        ({"calibration": 1430}, ("dataset.calibration: 1430 of 1438", "from 10 to 1428")),
        ({"test": 1777}, ("dataset.calibration: 359 of 20",)),
        ({"validation": 1079}, ("dataset.validation: 1079", "at most 1078")),
    ],
)
def test_a_split_larger_than_a_seeded_set_is_one_clear_error(one_clear_error, values, pieces):
    with one_clear_error(*pieces):
        load_dataset(DatasetSpec(name="digits", **values))
