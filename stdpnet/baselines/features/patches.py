"""Cut images into the patches that the positions see, and prepare them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.baselines.features.spec import FeaturesSpec
from stdpnet.geometry import Geometry


def patches(images: NDArray[np.uint8], geometry: Geometry, features: FeaturesSpec) -> Floats:
    """Return the patches (N, P, k*k) of images (N, n, n), each of a length of at most 1.

    A patch x of F = k*k pixels becomes (x - mean(x)) / sqrt(F (var(x) + contrast)), or x / (255 sqrt(F)) where patches
    are not normalised. The patches of an image do not depend on the other images.
    """
    kernel, stride = geometry.kernel, geometry.stride
    axes: Any = (1, 2)  # numpy's types know only one axis
    windows = np.lib.stride_tricks.sliding_window_view(images, (kernel, kernel), axes)[:, ::stride, ::stride]
    cut: Floats = windows.reshape(len(images), geometry.positions, geometry.fan_in).astype(np.float64)
    if not features.normalise:
        return cut / (255 * math.sqrt(geometry.fan_in))
    cut -= cut.mean(axis=2, keepdims=True)
    variance = np.square(cut).mean(axis=2, keepdims=True)
    cut /= np.sqrt(geometry.fan_in * (variance + features.contrast))
    return cut
