"""The 1797 digits that are embedded in scikit-learn, made to look like MNIST."""

from __future__ import annotations

from functools import cache

import numpy as np

from stdpnet.data.dataset import Source
from stdpnet.data.transforms import fit_square
from stdpnet.spec.dataset import DatasetSpec

INK, SIDE = 20, 28  # MNIST too has 20 x 20 of ink in 28 x 28


def digits(spec: DatasetSpec) -> Source:
    """Return the digits: 8 x 8 of values 0 to 16, scaled up smoothly to 20 x 20, and padded to 28 x 28 of 0 to 255."""
    return _scaled_up()


@cache
def _scaled_up() -> Source:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    small = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    margin = (SIDE - INK) // 2
    images = np.pad([fit_square(image, INK) for image in small], ((0, 0), (margin, margin), (margin, margin)))
    labels = bunch.target.astype(np.int64)
    for array in (images, labels):
        array.setflags(write=False)
    return Source(images, labels, tuple(str(name) for name in bunch.target_names))
