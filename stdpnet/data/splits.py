"""Split a dataset into disjoint images for training, validation, calibration and test."""

from __future__ import annotations

import numpy as np

from stdpnet.data.dataset import Labels, Source, Subsets, spread
from stdpnet.errors import DataError
from stdpnet.spec.dataset import DatasetSpec

PUBLISHED_CALIBRATION = 10000


def split_indices(source: Source, spec: DatasetSpec) -> dict[str, Labels]:
    """Return the indices (N,) of each split; the splits are disjoint, and only validation may be empty.

    A set with its own test images keeps its order; by default its last training images are the calibration split, and
    all its test images the test split. Any other set is split by seed, with the classes in equal shares, and its
    training images are shuffled.
    Smaller numbers of images are spread over what they are taken from, or at its ends: see DatasetSpec.subsets.
    """
    train, calibration, test = (_published if source.published_test else _seeded)(source, spec)
    train, validation = _cut("validation", train, spec.validation, spec.subsets, spec)
    return {"train": train, "validation": validation, "calibration": calibration, "test": test}


def _published(source: Source, spec: DatasetSpec) -> tuple[Labels, Labels, Labels]:
    """Return train, calibration and test of a set that is published with test images."""
    pool, test = np.split(np.arange(len(source.labels)), [len(source.labels) - source.published_test])
    subsets = spec.subsets if spec.calibration else "ends"
    train, calibration = _cut("calibration", pool, spec.calibration or PUBLISHED_CALIBRATION, subsets, spec)
    if spec.test and spec.test > len(test):
        raise DataError(
            f"dataset.test: {spec.test} is more than the {len(test)} test images of {_set(spec)}; "
            f"choose at most {len(test)}"
        )
    if spec.test and spec.subsets != "ends":
        test = test[spread(spec.test, len(test), spec.subsets)]
    return train, calibration, test[: spec.test]


def _cut(key: str, pool: Labels, count: int, subsets: Subsets, spec: DatasetSpec) -> tuple[Labels, Labels]:
    """Return the rest of a pool of training images, and `count` of them: spread over it, or at its end.

    Raises
    ------
    DataError
        If there is no rest; the message names the key that gives the count.
    """
    if count >= len(pool):
        raise DataError(
            f"dataset.{key}: {count} leaves none of the {len(pool)} training images of {_set(spec)}; "
            f"choose at most {len(pool) - 1}"
        )
    if subsets == "ends":
        rest, end = np.split(pool, [len(pool) - count])
        return rest, end
    places = spread(count, len(pool), subsets)
    return np.delete(pool, places), pool[places]


def _seeded(source: Source, spec: DatasetSpec) -> tuple[Labels, Labels, Labels]:
    """Return train, calibration and test of a set that is published without test images."""
    # scikit-learn takes a seed of 32 bits or a RandomState; this RandomState uses all 64 bits.
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(spec.split_seed)))
    counts = np.bincount(source.labels, minlength=len(source.classes))
    if counts.min() < 3:
        smallest = source.classes[int(counts.argmin())]
        raise DataError(
            f"{_set(spec)}: class '{smallest}' has {counts.min()} images, too few for train, calibration and test; "
            "add images until it has at least 3, or leave the class out"
        )
    default = max(len(source.labels) // 5, len(source.classes))
    everything = np.arange(len(source.labels))
    rest, test = _take("test", everything, spec.test or default, source, spec, random)
    train, calibration = _take("calibration", rest, spec.calibration or default, source, spec, random)
    return train, calibration, test


def _take(
    key: str, pool: Labels, size: int, source: Source, spec: DatasetSpec, random: np.random.RandomState
) -> tuple[Labels, Labels]:
    """Return `pool` in two parts, the second of the given size, both with the class proportions of `pool`."""
    from sklearn.model_selection import train_test_split

    n_classes = len(source.classes)
    counts = np.bincount(source.labels[pool], minlength=n_classes)
    if counts.min() < 2:
        raise DataError(
            f"dataset.{key}: class '{source.classes[int(counts.argmin())]}' of {_set(spec)} keeps {counts.min()} of "
            "its images for train and calibration, and needs 2; add images, or choose a smaller dataset.test"
        )
    most = len(pool) - n_classes * (2 if key == "test" else 1)  # calibration is yet to be taken after test
    if not n_classes <= size <= most:
        raise DataError(
            f"dataset.{key}: {size} of {len(pool)} images cannot leave every class of {_set(spec)} its share; "
            f"choose from {n_classes} to {most}"
        )
    rest, taken = train_test_split(pool, test_size=size, stratify=source.labels[pool], random_state=random)
    return rest, taken


def _set(spec: DatasetSpec) -> str:
    """Return the name of the set in messages: its path if it has one."""
    return spec.path or spec.name
