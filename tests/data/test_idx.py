import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stdpnet.data import download, load_dataset
from stdpnet.spec.dataset import DatasetSpec

SPEC = DatasetSpec(name="mnist", calibration=10)


def edit(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the uncompressed bytes of a file."""
    file.write_bytes(gzip.compress(change(gzip.decompress(file.read_bytes()))))


def test_a_truncated_gzip_is_one_clear_error(little_mnist, one_clear_error):
    file = little_mnist / download.TRAIN_IMAGES
    file.write_bytes(file.read_bytes()[:-20])
    with one_clear_error(file, "truncated", "replace"):
        load_dataset(SPEC)


def test_a_gzip_with_a_flipped_bit_is_one_clear_error(little_mnist, one_clear_error):
    file = little_mnist / download.TRAIN_IMAGES
    content = bytearray(file.read_bytes())
    content[-6] ^= 1  # in the checksum
    file.write_bytes(content)
    with one_clear_error(file, "unreadable as gzip"):
        load_dataset(SPEC)


def test_a_web_page_instead_of_a_gzip_is_one_clear_error(little_mnist, one_clear_error):
    file = little_mnist / download.TEST_LABELS
    file.write_bytes(b"<html>moved</html>")
    with one_clear_error(file, "unreadable as gzip"):
        load_dataset(SPEC)


def test_a_wrong_magic_number_is_one_clear_error(little_mnist, one_clear_error):
    file = little_mnist / download.TRAIN_IMAGES
    file.write_bytes((little_mnist / download.TRAIN_LABELS).read_bytes())
    with one_clear_error(file, "0x00000801 instead of 0x00000803"):
        load_dataset(SPEC)


@pytest.mark.parametrize("promised", [29, 31, 2**32 - 1])
def test_a_header_that_promises_other_bytes_is_one_clear_error(little_mnist, one_clear_error, promised):
    file = little_mnist / download.TRAIN_IMAGES
    edit(file, lambda raw: raw[:4] + struct.pack(">I", promised) + raw[8:])
    with one_clear_error(file, f"{promised} x 28 x 28 = {promised * 784} bytes", f"{30 * 784} are there"):
        load_dataset(SPEC)


@pytest.mark.parametrize("kept", [4, 10, 16])
def test_a_file_that_ends_in_its_header_is_one_clear_error(little_mnist, one_clear_error, kept):
    file = little_mnist / download.TRAIN_IMAGES
    edit(file, lambda raw: raw[:kept])
    with one_clear_error(file, "0 are there"):
        load_dataset(SPEC)


def test_images_and_labels_of_different_length_are_one_clear_error(little_mnist, one_clear_error):
    file = little_mnist / download.TRAIN_LABELS
    edit(file, lambda raw: raw[:4] + struct.pack(">I", 29) + raw[8:-1])
    with one_clear_error(file, "29 labels for the 30 images", download.TRAIN_IMAGES):
        load_dataset(SPEC)


def test_a_label_outside_the_classes_is_one_clear_error(little_mnist, one_clear_error):
    file = little_mnist / download.TEST_LABELS
    edit(file, lambda raw: raw[:-1] + b"\x0a")
    with one_clear_error(file, "label 10", "0 to 9"):
        load_dataset(SPEC)


def test_images_of_two_sizes_are_one_clear_error(little_mnist, one_clear_error):
    file = little_mnist / download.TEST_IMAGES
    edit(file, lambda raw: raw[:8] + struct.pack(">2I", 14, 56) + raw[16:])
    with one_clear_error(file, "14 x 56", "28 x 28"):
        load_dataset(SPEC)


@pytest.fixture
def real() -> Path:
    root = os.environ.get("STDPNET_DATA")
    if not root or not (Path(root) / "mnist").is_dir():
        pytest.skip("the real MNIST is NOT TESTED: set STDPNET_DATA to a folder that holds mnist/")
    return Path(root)


def test_the_real_mnist_is_the_published_one(real):
    dataset = load_dataset(DatasetSpec(name="mnist"))
    assert [len(split) for split in (dataset.train, dataset.calibration, dataset.test)] == [50000, 10000, 10000]
    assert dataset.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert dataset.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    everything = np.concatenate([dataset.train.labels, dataset.calibration.labels])
    assert np.bincount(everything).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert dataset.sha256 == "df9adce9e0f73829cf531cf99050804e4c36ab602611bf0372f4ae93b7fd90c5"


def test_the_real_fashion_mnist_has_its_ten_names(real):
    if not (real / "fashion-mnist").is_dir():
        pytest.skip("the real Fashion-MNIST is NOT TESTED: STDPNET_DATA holds no fashion-mnist/")
    dataset = load_dataset(DatasetSpec(name="fashion-mnist"))
    assert dataset.classes[dataset.train.labels[0]] == "Ankle boot"
    assert dataset.classes[dataset.test.labels[1]] == "Pullover"
    assert len(dataset.test) == 10000
    assert np.bincount(dataset.train.labels).min() > 4900
