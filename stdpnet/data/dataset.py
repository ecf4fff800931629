"""Records of a dataset: images, labels, four disjoint splits, and a digest that identifies them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stdpnet.errors import DataError
from stdpnet.events import Events

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]

Subsets = Literal["jittered", "spread", "ends"]

SPLITS = ("train", "validation", "calibration", "test")


GOLDEN = (np.sqrt(5) - 1) / 2
"""The fractional parts of its multiples fill the unit interval evenly and never repeat."""


def spread(count: int, total: int, subsets: Subsets = "jittered") -> Labels:
    """Return `count` different whole numbers below `total`, ascending, (count,): one from each of `count` equal parts.

    "spread" takes the first number of each part. "jittered" takes a place in the part that varies, so that the numbers
    have no period: two groups of writers alternate in MNIST's training images, and every k-th may be by one of them.
    """
    edges = np.arange(count + 1) * total // max(count, 1)
    shares = np.arange(count) * GOLDEN % 1 if subsets == "jittered" else np.zeros(count)
    return edges[:-1] + np.floor(shares * np.diff(edges)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Source:
    """A whole set as it was read, before cropping and splitting."""

    images: Images | Events
    """(N, h, w) uint8, white ink on black; or N recordings of an event camera."""
    labels: Labels
    """(N,) class index."""
    classes: tuple[str, ...]
    """Names of the classes, by index."""
    published_test: int = 0
    """How many images at the end are published as test images; 0 where the set comes without a split."""


@dataclass(frozen=True, eq=False)
class Split:
    """The images of one split."""

    images: Images
    """(N, n, n) uint8, cropped; of recordings: how many events each pixel has (`Events.pictures`)."""
    labels: Labels
    """(N,) class index."""
    indices: Labels
    """(N,) index into the source set: unique over all splits (the test file of MNIST follows its training file)."""
    events: Events | None = None
    """N recordings, cropped, of an event camera; None of a set of images."""

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, places: Labels | slice) -> Split:
        """Return the images at these places of the split."""
        events = None if self.events is None else self.events[places]
        return Split(
            images=self.images[places], labels=self.labels[places], indices=self.indices[places], events=events
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Four disjoint splits of one set; validation is empty unless asked for."""

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    calibration: Split
    test: Split
    sha256: str
    """Digest of the images and labels of all splits: equal digests are equal inputs to an experiment."""
    is_own: bool = False
    """Whether the images are the user's own, and not of a published set."""
    subsets: Subsets = "jittered"
    """How `some` chooses, see DatasetSpec.subsets."""

    def split(self, name: str) -> Split:
        """Return the split called `name`: train, validation, calibration or test."""
        if name not in SPLITS:
            raise DataError(f"split: '{name}' is not a split of {self.name}; choose one of {', '.join(SPLITS)}")
        split: Split = getattr(self, name)
        return split

    def some(self, name: str, count: int) -> Split:
        """Return `count` images of a split, chosen as `subsets` says; the whole split if it has fewer."""
        split = self.split(name)
        count = min(count, len(split))
        return split.at(np.arange(count) if self.subsets == "ends" else spread(count, len(split), self.subsets))


def digest(splits: dict[str, Split]) -> str:
    """Return the SHA-256 of the splits' names, shapes, images, labels and events, the same on every machine."""
    state = hashlib.sha256()
    for name, split in splits.items():
        state.update(f"{name} {split.images.shape}\n".encode())
        state.update(np.ascontiguousarray(split.images).data)
        state.update(np.ascontiguousarray(split.labels, dtype="<i8").data)
        for array in () if split.events is None else (split.events.offsets, *split.events.events):
            state.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    return state.hexdigest()


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return a summary of a dataset that can be written as JSON.

    Returns
    -------
    dict
        ``name``, ``shape`` [n, n], ``classes``, ``images`` {split: count}, ``per_class`` {split: {class: count}},
        ``mean_ink`` (mean pixel / 255 of the training images) and ``sha256``; of recordings also ``mean_events`` (of a
        training recording) and ``longest`` (time of its last event, ms).
    """
    splits = {name: dataset.split(name) for name in SPLITS}
    counts = {name: np.bincount(split.labels, minlength=len(dataset.classes)) for name, split in splits.items()}
    summary: dict[str, Any] = {
        "name": dataset.name,
        "shape": list(dataset.train.images.shape[1:]),
        "classes": list(dataset.classes),
        "images": {name: len(split) for name, split in splits.items()},
        "per_class": {name: dict(zip(dataset.classes, count.tolist(), strict=True)) for name, count in counts.items()},
        "mean_ink": float(dataset.train.images.mean()) / 255,
        "sha256": dataset.sha256,
    }
    if (events := dataset.train.events) is not None:
        summary["mean_events"] = len(events.events.times) / max(len(events), 1)
        summary["longest"] = float(events.events.times.max(initial=0)) / 1000
    return summary
