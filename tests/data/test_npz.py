import zipfile

import numpy as np
import pytest

from stdpnet.data import load_dataset
from stdpnet.data.npz import npz
from stdpnet.spec.dataset import DatasetSpec

N = 12
PIXELS = np.random.default_rng(0).integers(0, 256, (N, 28, 28), dtype=np.uint8)
LABELS = np.arange(N) % 2


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves arrays and gives the spec of the file."""

    def save(**arrays) -> DatasetSpec:
        np.savez(tmp_path / "set.npz", **arrays)
        return DatasetSpec(name="npz", path=str(tmp_path / "set.npz"))

    return save


@pytest.mark.parametrize("shape", [(N, 28, 28), (N, 28, 28, 1), (N, 784)])
def test_every_shape_gives_the_same_images(saved, shape):
    np.testing.assert_array_equal(npz(saved(X=PIXELS.reshape(shape), y=LABELS)).images, PIXELS)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("scale", [1, 255])
def test_floats_to_one_and_to_255_give_the_pixels_of_uint8(saved, dtype, scale):
    X = (PIXELS.astype(np.float64) * scale / 255).astype(dtype)
    np.testing.assert_array_equal(npz(saved(X=X, y=LABELS)).images, PIXELS)


def test_images_that_are_not_square_are_padded_and_resized(saved):
    images = npz(saved(X=np.full((N, 14, 28), 255, dtype=np.uint8), y=LABELS)).images
    assert images.shape == (N, 28, 28)
    assert images[:, :7].max() == images[:, -7:].max() == 0
    assert images[:, 7:-7].min() == 255
    assert npz(saved(X=np.full((N, 50, 50), 255, dtype=np.uint8), y=LABELS)).images.shape == (N, 28, 28)


def test_strings_are_class_names(saved):
    dataset = load_dataset(saved(X=PIXELS, y=np.array(["hen", "cow"])[LABELS]))
    assert dataset.classes == ("cow", "hen")
    np.testing.assert_array_equal(dataset.train.labels, 1 - LABELS[dataset.train.indices])


def test_integers_with_gaps_become_indices(saved):
    dataset = load_dataset(saved(X=PIXELS, y=np.array([3, 7])[LABELS]))
    assert dataset.classes == ("3", "7")
    np.testing.assert_array_equal(dataset.test.labels, LABELS[dataset.test.indices])


@pytest.mark.parametrize(
    ("X", "pieces"),
    [
        (np.full((N, 4, 4), np.nan), ("NaN or infinite",)),
        (np.full((N, 4, 4), np.inf), ("NaN or infinite",)),
        (np.full((N, 4, 4), -0.5), ("from -0.5 to -0.5",)),
        (np.full((N, 4, 4), 256.0), ("from 256 to 256",)),
        (np.full((N, 4, 4), 16.0), ("float64 with largest value 16", "unclear")),
        (np.ones((N, 4, 4), dtype=np.uint8), ("uint8 with largest value 1", "unclear")),
        (np.ones((N, 4, 4), dtype=np.int64), ("X has type int64",)),
        (np.ones((N, 4, 4), dtype=complex), ("X has type complex128",)),
        (np.ones((N, 15)), ("X has shape (12, 15)",)),
        (np.ones((N, 4, 4, 3)), ("X has shape (12, 4, 4, 3)",)),
        (np.ones((28, 28, 3)), ("X has shape (28, 28, 3), as an image (h, w, 3) in colours", "in grey")),
        (np.ones((0, 4, 4)), ("X has shape (0, 4, 4)",)),
        (np.ones((N, 0)), ("X has shape (12, 0)",)),
    ],
)
def test_images_that_leave_a_doubt_are_one_clear_error(saved, one_clear_error, X, pieces):
    spec = saved(X=X, y=LABELS)
    with one_clear_error(spec.path, *pieces):
        load_dataset(spec)


@pytest.mark.parametrize(
    ("y", "pieces"),
    [
        (LABELS[:-1], ("X has 12 images and y 11 labels",)),
        (LABELS - 1, ("label -1", "outside the classes")),
        (LABELS.astype(float), ("y is float64 of shape (12,)",)),
        (LABELS[:, None], ("shape (12, 1)",)),
        (np.zeros(N, dtype=int), ("1 class", "at least two")),
        (np.r_[0, 0, np.ones(N - 2, dtype=int)], ("class '0' has 2 images",)),
    ],
)
def test_labels_that_do_not_fit_are_one_clear_error(saved, one_clear_error, y, pieces):
    spec = saved(X=PIXELS, y=y)
    with one_clear_error(spec.path, *pieces):
        load_dataset(spec)


def test_a_class_that_test_uses_up_is_one_clear_error(saved, one_clear_error):
    spec = saved(X=PIXELS, y=np.repeat([0, 1], [3, N - 3])).updated({"test": 8})
    with one_clear_error("dataset.calibration", "class '0'", "keeps 1 of its images", "smaller dataset.test"):
        load_dataset(spec)


@pytest.mark.parametrize(("arrays", "missing"), [({"X": PIXELS}, "y"), ({"y": LABELS}, "X"), ({}, "X")])
def test_a_file_without_images_or_labels_is_one_clear_error(saved, one_clear_error, arrays, missing):
    spec = saved(**arrays)
    with one_clear_error(spec.path, f"no array {missing}"):
        load_dataset(spec)


def test_pickled_arrays_are_refused(saved, one_clear_error):
    spec = saved(X=PIXELS, y=np.array([object()] * N))
    with one_clear_error(spec.path, "not a readable .npz file of plain arrays"):
        load_dataset(spec)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x93NUMPY"])
def test_a_file_that_is_not_npz_is_one_clear_error(tmp_path, one_clear_error, content):
    (tmp_path / "a.npz").write_bytes(content)
    with one_clear_error(tmp_path / "a.npz", "not a readable .npz"):
        load_dataset(DatasetSpec(name="npz", path=str(tmp_path / "a.npz")))


def test_a_damaged_file_is_one_clear_error(saved, tmp_path, one_clear_error):
    spec = saved(X=PIXELS, y=LABELS)
    content = bytearray((tmp_path / "set.npz").read_bytes())
    content[2000] ^= 255
    (tmp_path / "set.npz").write_bytes(content)
    with one_clear_error(spec.path, "not a readable .npz"):
        load_dataset(spec)


def test_a_missing_file_is_one_clear_error(tmp_path, one_clear_error):
    with one_clear_error("dataset.path", tmp_path / "a.npz"):
        load_dataset(DatasetSpec(name="npz", path=str(tmp_path / "a.npz")))


def test_an_array_with_a_huge_side_or_that_unpacks_to_too_much_is_refused(tmp_path, one_clear_error, monkeypatch):
    path = tmp_path / "set.npz"
    np.savez_compressed(path, X=np.ones((3, 1, 9000), np.float32), y=np.arange(3))
    with one_clear_error("set.npz", "9000", "8192"):
        load_dataset(DatasetSpec(name="npz", path=str(path)))
    monkeypatch.setattr("stdpnet.data.npz.LARGE", 10_000)
    np.savez_compressed(path, X=np.zeros((300, 28, 28)), y=np.arange(300))
    with one_clear_error("set.npz", "X.npy", "unpacks from"):
        load_dataset(DatasetSpec(name="npz", path=str(path)))


@pytest.mark.parametrize("method", ["bytes", "encrypted", "method", "header"])
def test_a_zip_file_of_another_kind_is_one_clear_error(tmp_path, method, one_clear_error):
    path = tmp_path / "set.npz"
    if method == "bytes":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("X", b"no array")
            file.writestr("y", b"no array")
    else:
        np.savez(path, X=np.ones((3, 8, 8), np.float32), y=np.arange(3))
        content = bytearray(path.read_bytes())
        central = content.index(b"PK\x01\x02")
        if method == "encrypted":
            content[central + 8] |= 1
        elif method == "method":
            content[central + 10] = 99
        else:
            content = content.replace(b"'fortran_order': False", b"'fortran_order': (((((")
        path.write_bytes(content)
    with one_clear_error("set.npz"):
        load_dataset(DatasetSpec(name="npz", path=str(path)))


def test_classes_that_are_texts_are_in_natural_order(tmp_path):
    path = tmp_path / "set.npz"
    names = np.array([str(number) for number in range(12)] * 4)
    np.savez(path, X=np.full((48, 8, 8), 0.5), y=names)
    source = npz(DatasetSpec(name="npz", path=str(path), resize=8, crop=8))
    assert source.classes == tuple(str(number) for number in range(12))
    assert [source.classes[label] for label in source.labels] == names.tolist()
