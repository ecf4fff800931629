"""Distort images as Larochelle et al. 2007 did: rotation, random backgrounds; and occlusion and noise.

What happens to an image depends on the seed and on the image's index in its set alone: neither on the order nor on the
number of images that are read, nor on the other distortions. A larger strength makes the same change stronger.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import IntEnum

import numpy as np

from stdpnet.arrays import Float64s
from stdpnet.data.dataset import Images, Labels
from stdpnet.data.transforms import rotate
from stdpnet.random import Purpose, generator
from stdpnet.spec.distortion import DistortionSpec

CHUNK = 1000
"""Images that are distorted together; results do not depend on it."""
WHITE = 255.0
GREYS = 256
"""Values of a pixel."""


class _Kind(IntEnum):
    """Kinds of distortion; each draws from a random generator of its own."""

    ROTATION = 0
    BACKGROUND = 1
    OCCLUSION = 2
    NOISE = 3


def distort(images: Images, indices: Labels, spec: DistortionSpec) -> Images:
    """Return distorted images; the originals stay as they are.

    Parameters
    ----------
    images : (N, h, w) uint8, whole images
    indices : (N,) index of each image in its set
    spec : the distortions; `splits` is ignored
    """
    if spec.is_none:
        return images
    distorted = np.empty_like(images)
    for first in range(0, len(images), CHUNK):
        chunk = slice(first, first + CHUNK)
        distorted[chunk] = _distorted(images[chunk], indices[chunk], spec)
    return distorted


def _distorted(images: Images, indices: Labels, spec: DistortionSpec) -> Images:
    if spec.rotation:
        turns = _drawn(spec, _Kind.ROTATION, indices, lambda random: random.uniform(-1, 1))
        images = rotate(images, spec.rotation * turns)
    if spec.background:
        grey = (GREYS * spec.background * backgrounds(images.shape[1:], indices, spec)).astype(np.uint8)
        images = np.maximum(images, grey) if spec.background_rule == "brighter" else np.where(images, images, grey)
    if spec.occlusion:
        images = _occluded(images, indices, spec)
    if spec.noise:
        added = _drawn(spec, _Kind.NOISE, indices, lambda random: random.standard_normal(images.shape[1:]))
        images = np.rint(np.clip(images + WHITE * spec.noise * added, 0, WHITE)).astype(np.uint8)
    return images


def backgrounds(shape: tuple[int, ...], indices: Labels, spec: DistortionSpec) -> Float64s:
    """Return a background (N, h, w) for each image, uniform in [0, 1) at each pixel.

    With correlation c, a background is the distribution function of the normal distribution, (1 + erf(x/sqrt(2))) / 2,
    of Gaussian x with covariance (1 - c) I + c K, K = exp(-d**2 / length**2) of pixels at a distance d: Larochelle et
    al. 2007, section 3.3. Since K = k x k, of rows and columns, x = sqrt(1 - c) a + sqrt(c) k**(1/2) b k**(1/2).
    """
    if not spec.correlation:
        return _drawn(spec, _Kind.BACKGROUND, indices, lambda random: random.random(shape))
    from scipy.special import ndtr

    rows, columns = (_root_of_kernel(side, spec.correlation_length) for side in shape)
    normal = _drawn(spec, _Kind.BACKGROUND, indices, lambda random: random.standard_normal((2, *shape)))
    smooth = rows @ normal[:, 1] @ columns
    uniform: Float64s = ndtr(math.sqrt(1 - spec.correlation) * normal[:, 0] + math.sqrt(spec.correlation) * smooth)
    return uniform


def _root_of_kernel(side: int, length: float) -> Float64s:
    """Return the symmetric root of exp(-d**2 / length**2) for pixels at distances d in a row, (side, side)."""
    place = np.arange(side)
    values, vectors = np.linalg.eigh(np.exp(-(((place[:, np.newaxis] - place) / length) ** 2)))
    root: Float64s = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root


def _occluded(images: Images, indices: Labels, spec: DistortionSpec) -> Images:
    """Return images with a black square at a random place, wholly inside the image if it fits."""
    height, width = images.shape[1:]
    side = round(math.sqrt(spec.occlusion * height * width))
    place = _drawn(spec, _Kind.OCCLUSION, indices, lambda random: random.random(2))
    top, left = (np.floor(place * (np.maximum([height - side, width - side], 0) + 1))).astype(int).T[..., np.newaxis]
    row, column = np.arange(height), np.arange(width)
    hidden = ((row >= top) & (row < top + side))[:, :, np.newaxis] & ((column >= left) & (column < left + side))[
        :, np.newaxis
    ]
    occluded: Images = np.where(hidden, np.uint8(0), images)
    return occluded


def _drawn(
    spec: DistortionSpec, kind: _Kind, indices: Labels, draw: Callable[[np.random.Generator], float | Float64s]
) -> Float64s:
    """Return random numbers, (N, ...), of which those of each image come from a generator of its own."""
    return np.array([draw(generator(spec.seed, Purpose.DISTORTION, kind, int(index))) for index in indices])
