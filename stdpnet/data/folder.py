"""Read a folder with one sub-folder of PNG or JPEG images per class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stdpnet.data.classes import in_order
from stdpnet.data.dataset import Images, Source
from stdpnet.data.transforms import LARGEST_SIDE, as_ink, check_side, fit_square
from stdpnet.errors import DataError
from stdpnet.reading import visible
from stdpnet.spec.dataset import DatasetSpec

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg")


def folder(spec: DatasetSpec) -> Source:
    """Return the images below `spec.path`: sub-folders are the classes, by name; their files are the images, by name.

    An image of any size and mode becomes grey, is padded with black to a centred square and resized to `spec.resize`.
    Hidden files are ignored; any other file of a class folder must be an image.
    """
    names, files = class_files(Path(spec.path), spec.class_order, "images")
    images = np.stack([_fitted(file, spec) for inside in files for file in inside])
    labels = np.repeat(np.arange(len(files), dtype=np.int64), [len(inside) for inside in files])
    return Source(images, labels, names)


def class_files(root: Path, order: str, what: str) -> tuple[tuple[str, ...], list[list[Path]]]:
    """Return the names of the sub-folders of a folder, which are classes, and the files in each, by name.

    Parameters
    ----------
    root : the folder
    order : of the classes, "natural" or "text" (DatasetSpec.class_order)
    what : what the files are, for messages

    Raises
    ------
    DataError
        If it is no folder, or has no sub-folders, or one of them is empty.
    """
    if not os.path.isdir(root):
        raise DataError(f"dataset.path: '{root}' is not a folder; give the folder that holds the class sub-folders")
    folders = [path for path in visible_in(root) if os.path.isdir(path)]
    if not folders:
        raise DataError(f"dataset.path: '{root}' has no class sub-folders; put the {what} into one folder per class")
    folders = [folders[number] for number in in_order([path.name for path in folders], order)]
    files = [visible_in(path) for path in folders]
    for path, inside in zip(folders, files, strict=True):
        if not inside:
            raise DataError(f"{path}: no {what} in this class folder; add some or remove the folder")
    return tuple(visible(path.name) for path in folders), files


def visible_in(path: Path) -> list[Path]:
    """Return the entries of a folder, sorted by name, without hidden ones."""
    try:
        return sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); permit reading it") from None


def _fitted(file: Path, spec: DatasetSpec) -> Images:
    return fit_square(as_ink(read_image(file), spec.invert), spec.resize)


def read_image(file: Path) -> Images:
    """Return a PNG or JPEG file as grey values (h, w), upright."""
    from PIL import Image, ImageOps

    if file.suffix.lower() not in SUFFIXES:
        raise DataError(f"{file}: not a PNG or JPEG image; convert it or remove it")
    if not os.path.isfile(file):
        raise DataError(f"{file}: is no regular file; remove it")
    try:
        with Image.open(file, formats=("PNG", "JPEG")) as image:
            check_side(str(file), max(image.size))
            return _grey(ImageOps.exif_transpose(image))
    except (DataError, MemoryError):
        raise
    except Exception:  # whatever a decoder raises where a file is damaged
        raise DataError(
            f"{file}: not a readable PNG or JPEG image of at most {LARGEST_SIDE} pixels a side; replace it or remove it"
        ) from None


def _grey(image: Image.Image) -> Images:
    """Return the luminance (h, w) of an image of any mode; transparent pixels become black."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip at 255 instead of scaling
        return np.rint(np.clip(np.asarray(image, dtype=np.float64) / 257, 0, 255)).astype(np.uint8)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return np.asarray(image.convert("RGB").convert("L"))
