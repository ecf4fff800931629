"""Crop, pad, resize, rotate and add noise to uint8 images; all functions are pure."""

from __future__ import annotations

import numpy as np

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


def check_side(what: str, side: int) -> None:
    """Raise DataError, naming what has it, if a side of an image has too many pixels to be padded to a square."""
    if side > LARGEST_SIDE:
        raise DataError(f"{what}: has a side of {side} pixels, more than {LARGEST_SIDE}; make it smaller or remove it")


def as_ink(image: Images, invert: bool) -> Images:
    """Return images as bright ink on black: as they are, or turned round if they are dark ink on white."""
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


def rotate(images: Images, degrees: float) -> Images:
    """Return images (N, h, w) turned counter-clockwise about their centre, of the same size; the corners become black.

    Bilinear interpolation: unlike a higher order it can not overshoot the range of the pixels.
    """
    from scipy import ndimage

    turned = ndimage.rotate(images.astype(np.float32), degrees, axes=(2, 1), reshape=False, order=1, mode="constant")
    return np.rint(turned).astype(np.uint8)


def noise(images: Images, sd: float, seed: int) -> Images:
    """Return images (N, h, w) plus Gaussian noise of standard deviation `sd`, in pixel values, clipped to 0 to 255."""
    if sd < 0:
        raise DataError(f"noise: a standard deviation of {sd:g} is negative; choose 0 or more")
    values = np.random.default_rng(seed).standard_normal(images.shape, dtype=np.float32)
    noisy: Images = np.rint(np.clip(images + np.float32(sd) * values, 0, 255)).astype(np.uint8)
    return noisy
