"""Find likely mistakes in a user's images: dark ink, a low white level, black images, copies, a single class."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from stdpnet.data.dataset import SPLITS, Dataset, Images, Labels
from stdpnet.errors import DataError

MOST_INK = 0.5
"""Mean pixel / 255 above which images look like dark ink on white."""
LEAST_WHITE = 64
"""Value of the brightest pixel below which the white level is in doubt."""


def looks_inverted(images: Images) -> bool:
    """Return whether images (N, n, n) look like dark ink on white."""
    return float(images.mean()) / 255 > MOST_INK


def doubts(dataset: Dataset) -> list[str]:
    """Return a sentence, with a remedy, for everything about a user's images that is probably a mistake."""
    if not dataset.is_own:
        return []
    found = []
    images = dataset.train.images
    ink, white = float(images.mean()) / 255, int(images.max(initial=0))
    if looks_inverted(images):
        found.append(
            f"dataset: the images are bright on average ({ink:.0%} of white), and bright pixels are ink; if they are "
            "dark ink on white, set dataset.invert = true"
        )
    if 0 < white < LEAST_WHITE:
        found.append(
            f"dataset: the brightest pixel of all training images is {white} of 255; if white has another value in the "
            "files, such as 4095 of 12 bits, scale them so that white is the largest value of their type"
        )
    for name in SPLITS:
        split = dataset.split(name)
        blank = np.count_nonzero(~split.images.any(axis=(1, 2)))
        if blank:
            found.append(
                f"dataset: {blank} of {len(split)} {name} images {'are' if blank > 1 else 'is'} black after the crop; "
                "remove them, or choose a larger dataset.crop"
            )
    return found + _shared(dataset)


def _shared(dataset: Dataset) -> list[str]:
    """Return a sentence for each pair of splits that have images in common; black images do not count."""
    found = []
    contents = {name: _contents(dataset.split(name).images) for name in SPLITS}
    for first, second in combinations(SPLITS, 2):
        both = len(contents[first] & contents[second])
        if both:
            found.append(
                f"dataset: {both} image{'s are' if both > 1 else ' is'} in {first} and in {second}; remove the copies, "
                "or accuracies are too high"
            )
    return found


def _contents(images: Images) -> set[bytes]:
    return {image.tobytes() for image in images if image.any()}


def check_classes(labels: Labels, key: str) -> None:
    """Raise DataError, naming the key that decides their number, if calibration images have fewer than two classes."""
    if len(np.unique(labels)) < 2:
        raise DataError(
            f"{key}: the {len(labels)} calibration images are of one class, and a read-out needs two; choose more"
        )
