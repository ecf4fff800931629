"""Read the .amat text files of Larochelle et al. 2007: a row of pixels and a label for each image."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stdpnet.data.dataset import Images, Labels, Source
from stdpnet.data.transforms import as_ink, check_side, fit_square
from stdpnet.errors import DataError
from stdpnet.reading import open_regular
from stdpnet.spec.dataset import DatasetSpec

MOST_BYTES = 2**33
"""Bytes of the largest file that is read."""
SUFFIX = ".amat"


def amat(spec: DatasetSpec) -> Source:
    """Return the images and labels of the file `spec.path`, or of the training and the test file in a folder.

    Each line has h*h pixels from 0 to 1, separated by blanks, and the class, a whole number from 0 on; 785 columns are
    28 x 28 pixels. A folder has one file with "train" and one with "test" in its name, as the published archives have;
    its test file is the test split. Where pixels were written column by column, `spec.transpose` puts them right.
    """
    path = Path(spec.path)
    if not os.path.isdir(path):
        images, labels = _read(path, spec)
        return Source(images, labels, _classes(labels))
    train, test = (_read(_only(path, word), spec) for word in ("train", "test"))
    labels = np.concatenate([train[1], test[1]])
    return Source(np.concatenate([train[0], test[0]]), labels, _classes(labels), published_test=len(test[1]))


def _only(folder: Path, word: str) -> Path:
    """Return the only .amat file of a folder that has a word in its name."""
    found = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and word in path.stem)
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise DataError(
            f"dataset.path: '{folder}' needs one {SUFFIX} file with '{word}' in its name, it has {names}; name the "
            "file itself, or a folder with the two published files"
        )
    return found[0]


def _read(file: Path, spec: DatasetSpec) -> tuple[Images, Labels]:
    """Return images (N, n, n) and labels (N,) of one file."""
    rows = _table(file)
    side = math.isqrt(rows.shape[1] - 1)
    if side == 0 or side**2 != rows.shape[1] - 1:
        raise DataError(
            f"{file}: has {rows.shape[1]} columns; give h*h pixels and a label in each row, such as 785 columns"
        )
    pixels, classes = rows[:, :-1], rows[:, -1]
    if pixels.min() < 0 or pixels.max() > 1:
        raise DataError(f"{file}: pixels are from {pixels.min():g} to {pixels.max():g}; give values from 0 to 1")
    if classes.min() < 0 or classes.max() >= 2**16 or (classes != np.rint(classes)).any():
        raise DataError(f"{file}: its last column is no class; give whole numbers from 0 on")
    check_side(str(file), side)
    images = np.rint(255 * pixels).astype(np.uint8).reshape(-1, side, side)
    images = as_ink(images.transpose(0, 2, 1) if spec.transpose else images, spec.invert)
    return np.stack([fit_square(image, spec.resize) for image in images]), classes.astype(np.int64)


def _table(file: Path) -> NDArray[np.float32]:
    """Return the numbers of a file, (rows, columns)."""
    remedy = "replace it with the published file"
    try:
        with open_regular(file) as stream:
            if os.fstat(stream.fileno()).st_size > MOST_BYTES:
                raise DataError(f"{file}: has more than {MOST_BYTES} bytes; divide it")
            with warnings.catch_warnings(action="ignore"):  # an empty file is an error below
                rows = np.loadtxt(stream, dtype=np.float32, ndmin=2)
    except OSError as error:
        raise DataError(f"dataset.path: '{file}' cannot be read ({error.strerror}); give an {SUFFIX} file") from None
    except ValueError as error:
        raise DataError(f"{file}: no table of numbers ({str(error).splitlines()[0][:100]}); {remedy}") from None
    if not rows.size or not np.isfinite(rows).all():
        raise DataError(f"{file}: holds {'NaN or infinite values' if rows.size else 'no rows'}; {remedy}")
    return rows


def _classes(labels: Labels) -> tuple[str, ...]:
    return tuple(str(number) for number in range(int(labels.max()) + 1))
