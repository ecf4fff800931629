"""Read images from files that are no dataset: PNG and JPEG, .npy and .npz arrays, IDX files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from stdpnet.data.dataset import Images
from stdpnet.data.folder import SUFFIXES, read_image
from stdpnet.data.idx import read_idx
from stdpnet.data.npz import as_pixels, as_stack, read_arrays, read_npy
from stdpnet.data.transforms import as_ink, centre_crop, check_side, fit_square
from stdpnet.errors import DataError
from stdpnet.reading import visible
from stdpnet.spec.dataset import DatasetSpec

IDX = ("idx3-ubyte", "idx3-ubyte.gz")
"""How the names of IDX files of images end."""
REMEDY = "give .png, .jpg, .npy, .npz or idx3-ubyte(.gz) files"


def read_images(files: Iterable[str | Path], spec: DatasetSpec) -> tuple[list[str], Images]:
    """Return the images of files as the images of a dataset are: padded to a square, resized, inverted, cropped.

    Parameters
    ----------
    files : PNG or JPEG images; .npy files with an image (n, n) or images (N, h, w), (N, h, w, 1) or (N, h*h); .npz
        files with such an array X; IDX files of images. Values are converted by the rule of `stdpnet.data.npz.npz`.
    spec : the dataset whose images they are to look like: its `resize`, `invert` and `crop` count

    Returns
    -------
    Names, `file` or `file[number]`, and images (N, crop, crop) uint8.

    Raises
    ------
    DataError
        If there is none, or a file cannot be read as images.
    """
    names: list[str] = []
    images: list[Images] = []
    for file in map(Path, files):
        stack = _stack(file)
        check_side(str(file), max(stack.shape[1:]))
        shown = visible(str(file))
        names += [shown] if len(stack) == 1 else [f"{shown}[{number}]" for number in range(len(stack))]
        images += [fit_square(as_ink(image, spec.invert), spec.resize) for image in stack]
    if not images:
        raise DataError(f"images: there are none; {REMEDY}")
    return names, centre_crop(np.stack(images), spec.crop)


def _stack(file: Path) -> Images:
    """Return the images of a file, (N, h, w)."""
    if os.path.isdir(file):
        raise DataError(f"{file}: is a folder; name the files in it, such as {file}/*.png")
    if not os.path.lexists(file):
        raise DataError(f"{file}: no such file; {REMEDY}")
    if not os.path.isfile(file):
        raise DataError(f"{file}: is no regular file; {REMEDY}")
    if file.suffix.lower() in SUFFIXES:
        return read_image(file)[np.newaxis]
    if file.suffix == ".npy":
        return _of_npy(file)
    if file.suffix == ".npz":
        return as_pixels(file, as_stack(file, read_arrays(file, ("X",))["X"]))
    if file.name.endswith(IDX):
        return read_idx(file, dimensions=3)
    raise DataError(f"{file}: '{file.suffix}' is no known kind of image file; {REMEDY}")


def _of_npy(file: Path) -> Images:
    """Return the images of an .npy file; a square array is one image."""
    X = read_npy(file, "write it with numpy.save(path, images)")
    if X.ndim == 2 and X.shape[0] == X.shape[1]:
        X = X[np.newaxis]
    return as_pixels(file, as_stack(file, X))
