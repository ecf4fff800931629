"""Read an .npz file with images X and labels y."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.data.classes import in_order
from stdpnet.data.dataset import Images, Labels, Source
from stdpnet.data.transforms import as_ink, check_side, fit_square
from stdpnet.errors import DataError
from stdpnet.reading import open_regular, visible
from stdpnet.spec.dataset import DatasetSpec

MOST_BYTES, LARGE, MOST_RATIO = 2**34, 2**28, 200
"""Largest number of bytes of an array; one of more than LARGE bytes must not be compressed by more than MOST_RATIO."""

COLOURS, NARROW = (3, 4), 3
"""Values of a pixel in colours. An array (a, b, c), where c is one of them and b at least NARROW times c, is taken for
one image (h, w, c) in colours: grey images (N, h, w) are rarely so narrow."""


def npz(spec: DatasetSpec) -> Source:
    """Return the images and labels of the file `spec.path`.

    ``X`` is (N, h, w), (N, h, w, 1) or (N, h*h). Values are converted by this rule; anything else is an error:

    - uint8: pixels 0 to 255, as they are; the largest has to be above 1, or it might be a mask of 0 and 1;
    - float, largest at most 1: times 255;
    - float, largest from 128 to 255: pixels 0 to 255, rounded;
    - anything else (largest between 1 and 128 or above 255, negative, not finite, another type): refused.

    ``y`` is (N,), integers from 0 up or strings; the classes are its distinct values, sorted (`spec.class_order`).
    Images that are not square are padded with black, and all are resized to `spec.resize`. Pickled arrays are not read.
    """
    file = Path(spec.path)
    arrays = read_arrays(file, ("X", "y"))
    stack = as_stack(file, arrays["X"])
    check_side(f"{file}: X", max(stack.shape[1:]))
    images = as_ink(as_pixels(file, stack), spec.invert)
    labels, classes = as_classes(file, arrays["y"], spec.class_order)
    if len(images) != len(labels):
        raise DataError(f"{file}: X has {len(images)} images and y {len(labels)} labels; give one label per image")
    return Source(np.stack([fit_square(image, spec.resize) for image in images]), labels, classes)


def read_arrays(file: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return arrays of an .npz file by name, such as X and y; DataError if it has not all of them."""
    if not os.path.isfile(file):
        raise DataError(f"dataset.path: '{file}' is not a file; give an .npz file with arrays {' and '.join(names)}")
    remedy = f"write it with numpy.savez(path, {', '.join(f'{name}=...' for name in names)})"
    arrays, held = held_arrays(file, names, remedy)
    for key in names:
        if not isinstance(arrays.get(key), np.ndarray):
            raise DataError(f"{file}: no array {key} among {visible(', '.join(held))[:200] or 'none'}; {remedy}")
    return arrays


def held_arrays(file: Path, names: Collection[str], remedy: str) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Return those of the named arrays that an .npz file has, and the names of all; DataError if it is damaged.

    Parameters
    ----------
    file : an .npz file
    names : arrays to read
    remedy : how to write a correct file
    """
    try:
        with file.open("rb") as stream, np.lib.npyio.NpzFile(stream, allow_pickle=False) as content:
            held = content.files
            for member in content.zip.infolist():
                _check_size(file, member)
            return {key: content[key] for key in names if key in held}, held
    except (DataError, MemoryError):
        raise
    except Exception:  # whatever zip, its compressions and numpy raise where a file is damaged
        raise DataError(f"{file}: not a readable .npz file of plain arrays; {remedy}") from None


def read_npy(file: Path, remedy: str) -> NDArray[Any]:
    """Return the array of an .npy file; DataError if it is none."""
    try:
        with open_regular(file) as stream:
            array = np.load(stream, allow_pickle=False)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); {remedy}") from None
    except Exception:  # whatever numpy raises where a header is damaged, or claims more than there is memory
        raise DataError(f"{file}: not a readable .npy file of a plain array; {remedy}") from None
    if not isinstance(array, np.ndarray):
        raise DataError(f"{file}: is an .npz file by its contents; name it so")
    return array


def _check_size(file: Path, member: zipfile.ZipInfo) -> None:
    """Raise DataError if a member of an .npz file unpacks to more than images can be."""
    size, packed = member.file_size, max(member.compress_size, 1)
    if size > MOST_BYTES or (size > LARGE and size / packed > MOST_RATIO):
        raise DataError(
            f"{file}: {visible(member.filename)} unpacks from {packed} to {size} bytes; leave it out, or store at most "
            f"{MOST_BYTES} bytes, and more than {LARGE} only if they compress to no less than 1/{MOST_RATIO}"
        )


def as_stack(file: Path, X: NDArray[Any]) -> NDArray[Any]:
    """Return X as (N, h, w)."""
    if X.ndim == 4 and X.shape[3] == 1:
        X = X[..., 0]
    if X.ndim == 2 and math.isqrt(X.shape[1]) ** 2 == X.shape[1]:
        X = X.reshape(len(X), math.isqrt(X.shape[1]), -1) if X.size else X
    if X.ndim != 3 or not X.size:
        raise DataError(f"{file}: X has shape {X.shape}; give grey images (N, h, w), (N, h, w, 1) or (N, h*h)")
    if X.shape[2] in COLOURS and X.shape[1] >= NARROW * X.shape[2]:
        raise DataError(f"{file}: X has shape {X.shape}, as an image (h, w, {X.shape[2]}) in colours; give it in grey")
    return X


def as_pixels(file: Path, X: NDArray[Any]) -> Images:
    """Return X (N, h, w) as pixels 0 to 255, by the rule that `npz` states."""
    remedy = "save X as uint8 from 0 to 255 or as float from 0 to 1"
    if X.dtype != np.uint8 and X.dtype.kind != "f":
        raise DataError(f"{file}: X has type {X.dtype}; {remedy}")
    if not np.isfinite(X).all():
        raise DataError(f"{file}: X holds NaN or infinite values; {remedy}")
    low, high = float(X.min()), float(X.max())
    if low < 0 or high > 255:
        raise DataError(f"{file}: X has values from {low:g} to {high:g}; {remedy}")
    if X.dtype == np.uint8 and high > 1:
        return X.astype(np.uint8)
    if X.dtype.kind == "f" and (high <= 1 or high >= 128):
        pixels: Images = np.rint(X * (255 if high <= 1 else 1)).astype(np.uint8)
        return pixels
    raise DataError(f"{file}: X is {X.dtype} with largest value {high:g}, so its white level is unclear; {remedy}")


def as_classes(file: Path, y: NDArray[Any], order: str) -> tuple[Labels, tuple[str, ...]]:
    """Return the class index of each image (N,), and the names of the classes."""
    if y.ndim != 1 or y.dtype.kind not in "iuU":
        raise DataError(f"{file}: y is {y.dtype} of shape {y.shape}; give one integer or string per image")
    values, labels = np.unique(y, return_inverse=True)
    if y.dtype.kind == "i" and len(values) and values[0] < 0:
        raise DataError(f"{file}: y holds the label {values[0]}, which is outside the classes (0 and up); leave it out")
    names = [visible(str(value)) for value in values]
    places = in_order(names, order) if y.dtype.kind == "U" else list(range(len(names)))
    return np.argsort(places)[labels].astype(np.int64), tuple(names[place] for place in places)
