import numpy as np
import pytest

from stdpnet.data import load_dataset
from stdpnet.data.amat import amat
from stdpnet.errors import ConfigError
from stdpnet.spec.dataset import DatasetSpec

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 28, 28)).astype(np.uint8)
LABELS = np.arange(12) % 2


def write(path, pixels=PIXELS, labels=LABELS):
    np.savetxt(path, np.column_stack([pixels.reshape(len(pixels), -1) / 255, labels]), fmt="%.6f")
    return path


def spec(path, **keys):
    return DatasetSpec(name="amat", path=str(path), **keys)


def test_785_columns_are_28_by_28_pixels_and_a_class(tmp_path):
    source = amat(spec(write(tmp_path / "set.amat")))
    np.testing.assert_array_equal(source.images, PIXELS)
    np.testing.assert_array_equal(source.labels, LABELS)
    assert source.classes == ("0", "1")
    turned = amat(spec(tmp_path / "set.amat", transpose=True))
    np.testing.assert_array_equal(turned.images, PIXELS.transpose(0, 2, 1))
    dataset = load_dataset(spec(tmp_path / "set.amat"))
    assert sum(len(dataset.split(name)) for name in ("train", "calibration", "test")) == 12
    assert dataset.is_own


def test_a_folder_has_a_training_and_a_test_file(tmp_path):
    write(tmp_path / "mnist_rotation_train_valid.amat", PIXELS[:8], LABELS[:8])
    with_one = spec(tmp_path, calibration=2)
    write(tmp_path / "mnist_rotation_test.amat", PIXELS[8:], LABELS[8:])
    dataset = load_dataset(with_one)
    np.testing.assert_array_equal(dataset.test.images, PIXELS[8:, 4:24, 4:24])
    assert (len(dataset.train), len(dataset.calibration)) == (6, 2)


def test_smaller_images_are_resized(tmp_path):
    assert amat(spec(write(tmp_path / "set.amat", PIXELS[:, :9, :9]), resize=12)).images.shape == (12, 12, 12)


@pytest.mark.parametrize(
    ("content", "piece"),
    [
        ("", "holds no rows"),
        ("a b\n", "no table of numbers"),
        ("0 1 2\n0 1\n", "no table of numbers"),
        ("0 0 0 1\n", "has 4 columns"),
        ("0 0 0 0 nan\n", "NaN"),
        ("0 0 0 2 1\n", "pixels are from 0 to 2"),
        ("0 0 0 -1 1\n", "pixels are from -1 to 0"),
        ("0 0 0 0 1.5\n", "its last column is no class"),
        ("0 0 0 0 -1\n", "its last column is no class"),
    ],
)
def test_what_is_no_such_file_is_one_clear_error(tmp_path, one_clear_error, content, piece):
    (tmp_path / "set.amat").write_text(content)
    with one_clear_error(tmp_path / "set.amat", piece):
        amat(spec(tmp_path / "set.amat"))


def test_missing_files_are_one_clear_error(tmp_path, one_clear_error):
    with one_clear_error("dataset.path", "none.amat"):
        amat(spec(tmp_path / "none.amat"))
    write(tmp_path / "a_train.amat")
    with one_clear_error("one .amat file with 'test' in its name, it has none"):
        amat(spec(tmp_path))


def test_transpose_is_for_amat_only():
    with pytest.raises(ConfigError, match="transpose: is for name = 'amat'"):
        DatasetSpec(transpose=True)
