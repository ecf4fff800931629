"""Read a folder with one sub-folder of PNG or JPEG images per class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stdpnet.data.dataset import Images, Source
from stdpnet.data.transforms import fit_square
from stdpnet.errors import DataError
from stdpnet.spec.dataset import DatasetSpec

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg")


def folder(spec: DatasetSpec) -> Source:
    """Return the images below `spec.path`: sub-folders are the classes, by name; their files are the images, by name.

    An image of any size and mode becomes grey, is padded with black to a centred square and resized to `spec.resize`.
    Hidden files are ignored; any other file of a class folder must be an image.
    """
    root = Path(spec.path).expanduser()
    if not root.is_dir():
        raise DataError(f"dataset.path: '{root}' is not a folder; give the folder that holds the class sub-folders")
    class_folders = [path for path in _visible(root) if path.is_dir()]
    if not class_folders:
        raise DataError(f"dataset.path: '{root}' has no class sub-folders; put the images into one folder per class")
    files = [_visible(path) for path in class_folders]
    for path, inside in zip(class_folders, files, strict=True):
        if not inside:
            raise DataError(f"{path}: no images in this class folder; add some or remove the folder")
    images = np.stack([fit_square(read_image(file), spec.resize) for inside in files for file in inside])
    labels = np.repeat(np.arange(len(files), dtype=np.int64), [len(inside) for inside in files])
    return Source(images, labels, tuple(path.name for path in class_folders))


def _visible(path: Path) -> list[Path]:
    """Return what is in a folder, by name, without hidden entries."""
    return sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))


def read_image(file: Path) -> Images:
    """Return a PNG or JPEG file as grey values (h, w), upright."""
    from PIL import Image, ImageOps

    if file.suffix.lower() not in SUFFIXES:
        raise DataError(f"{file}: not a PNG or JPEG image; convert it or remove it")
    try:
        with Image.open(file, formats=("PNG", "JPEG")) as image:
            return _grey(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise DataError(f"{file}: not a readable PNG or JPEG image; replace it or remove it") from None


def _grey(image: Image.Image) -> Images:
    """Return the luminance (h, w) of an image of any mode; transparent pixels become black."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip at 255 instead of scaling
        return np.rint(np.clip(np.asarray(image, dtype=np.float64) / 257, 0, 255)).astype(np.uint8)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return np.asarray(image.convert("RGB").convert("L"))
