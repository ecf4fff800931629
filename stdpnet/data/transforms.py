"""Crop, pad, resize and rotate uint8 images; all functions are pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet.data.dataset import Images
from stdpnet.errors import DataError

LARGEST_SIDE = 8192
"""Pixels of the longest side of an image."""


def centre_crop(images: Images, side: int, what: str = "the images") -> Images:
    """Return the central `side` x `side` pixels of images (N, h, w); an odd remainder is cut on the right and below."""
    height, width = images.shape[1:]
    if side > min(height, width):
        raise DataError(
            f"dataset.crop: {side} is larger than {what} ({height} x {width}); choose at most {min(height, width)}"
        )
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(images[:, top : top + side, left : left + side])


def shift(images: Images, by: NDArray[np.int64]) -> Images:
    """Return images (N, h, w) moved down and right by whole pixels, `by` (N, 2); the free margin is black."""
    most = int(np.abs(by).max(initial=0))
    height, width = images.shape[1:]
    padded = np.pad(images, ((0, 0), (most, most), (most, most)))
    number = np.arange(len(images))[:, np.newaxis, np.newaxis]
    row, column = np.arange(height)[:, np.newaxis] + most, np.arange(width) + most
    down, right = by.T[..., np.newaxis, np.newaxis]
    moved: Images = padded[number, row - down, column - right]
    return moved


def check_side(what: str, side: int) -> None:
    """Raise DataError, naming `what`, if a side of an image has too many pixels to be padded to a square."""
    if side > LARGEST_SIDE:
        raise DataError(f"{what}: has a side of {side} pixels, more than {LARGEST_SIDE}; make it smaller or remove it")


def as_ink(image: Images, invert: bool) -> Images:
    """Return images as bright ink on black: as they are, or inverted if they are dark ink on white."""
    return 255 - image if invert else image


def fit_square(image: Images, side: int) -> Images:
    """Return one image (h, w) centred on a black square and resized, anti-aliased, to (side, side).

    Bicubic: Lanczos would ring, and its faint echoes on black would become spikes.
    """
    from PIL import Image

    height, width = image.shape
    if height == width == side:
        return image
    square = Image.new("L", (max(height, width),) * 2)
    square.paste(
        Image.fromarray(np.ascontiguousarray(image)), ((square.width - width) // 2, (square.height - height) // 2)
    )
    return np.asarray(square.resize((side, side), Image.Resampling.BICUBIC))


def rotate(images: Images, degrees: float | NDArray[np.float64]) -> Images:
    """Return images (N, h, w) turned counter-clockwise about their centre, of the same size; the corners become black.

    Bilinear interpolation: unlike a higher order it cannot overshoot the range of the pixels.

    Parameters
    ----------
    images : (N, h, w) uint8
    degrees : the angle, one for all or (N,)
    """
    height, width = images.shape[1:]
    angle = np.radians(np.broadcast_to(degrees, len(images)))[:, np.newaxis, np.newaxis]
    row = (np.arange(height) - (height - 1) / 2)[:, np.newaxis]
    column = np.arange(width) - (width - 1) / 2
    # where each pixel comes from, within a margin of one black pixel
    y = np.clip(np.cos(angle) * row + np.sin(angle) * column + (height + 1) / 2, 0, height + 0.999)
    x = np.clip(np.cos(angle) * column - np.sin(angle) * row + (width + 1) / 2, 0, width + 0.999)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    number, top, left = np.arange(len(images))[:, np.newaxis, np.newaxis], y.astype(int), x.astype(int)
    down, right = y - top, x - left
    upper = (1 - right) * padded[number, top, left] + right * padded[number, top, left + 1]
    lower = (1 - right) * padded[number, top + 1, left] + right * padded[number, top + 1, left + 1]
    turned: Images = np.rint((1 - down) * upper + down * lower).astype(np.uint8)
    return turned
