"""Read MNIST and Fashion-MNIST from gzipped IDX files, http://yann.lecun.com/exdb/mnist/."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from stdpnet.data.dataset import Images, Labels, Source
from stdpnet.data.download import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, fetch
from stdpnet.errors import DataError
from stdpnet.reading import open_regular
from stdpnet.spec.dataset import DatasetSpec

MOST_BYTES, LARGE, MOST_RATIO = 2**30, 2**26, 200
"""Largest number of values of a file; a file of more than LARGE must not be compressed by more than MOST_RATIO."""
SURPLUS = 2**20
"""Values beyond those that the header promises are counted up to this number."""
DIGITS = tuple("0123456789")
FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def mnist(spec: DatasetSpec) -> Source:
    """Return MNIST: 60000 training images, then 10000 test images."""
    return _read_set(fetch("mnist"), DIGITS)


def fashion_mnist(spec: DatasetSpec) -> Source:
    """Return Fashion-MNIST: 60000 training images, then 10000 test images."""
    return _read_set(fetch("fashion-mnist"), FASHION)


def _read_set(folder: Path, classes: tuple[str, ...]) -> Source:
    """Return the four files of `folder` as one set."""
    images, labels = _read_pair(folder / TRAIN_IMAGES, folder / TRAIN_LABELS, classes)
    test_images, test_labels = _read_pair(folder / TEST_IMAGES, folder / TEST_LABELS, classes)
    if test_images.shape[1:] != images.shape[1:]:
        sizes = [f"{h} x {w}" for _, h, w in (test_images.shape, images.shape)]
        raise DataError(f"{folder / TEST_IMAGES}: images of {sizes[0]}, but {sizes[1]} in {TRAIN_IMAGES}; replace one")
    return Source(
        images=np.concatenate([images, test_images]),
        labels=np.concatenate([labels, test_labels]),
        classes=classes,
        published_test=len(test_labels),
    )


def _read_pair(images_file: Path, labels_file: Path, classes: tuple[str, ...]) -> tuple[Images, Labels]:
    """Return images (N, h, w) and their labels (N,)."""
    images, labels = read_idx(images_file, dimensions=3), read_idx(labels_file, dimensions=1)
    if len(images) != len(labels):
        raise DataError(
            f"{labels_file}: {len(labels)} labels for the {len(images)} images of {images_file.name}; "
            "take both files from the same set"
        )
    if len(labels) and labels.max() >= len(classes):
        raise DataError(
            f"{labels_file}: label {labels.max()} is outside the classes 0 to {len(classes) - 1}; "
            "replace it with the published file"
        )
    return images, labels.astype(np.int64)


def read_idx(file: Path, dimensions: int) -> Images:
    """Return the unsigned bytes of an IDX file as an array with the given number of dimensions.

    A file whose name ends in .gz is decompressed.

    The format: two zero bytes, the type (8 = unsigned byte), the number of dimensions; each size as a big-endian
    32-bit integer; then the values, last dimension fastest.
    """
    start = 4 + 4 * dimensions
    try:
        with open_regular(file) as stream, _unpacked(file, stream) as content:
            raw = content.read(start)
            shape = tuple(int(size) for size in np.frombuffer(raw.ljust(start, b"\0"), ">u4", offset=4))
            promised = math.prod(shape)
            most = min(MOST_BYTES, max(LARGE, MOST_RATIO * os.fstat(stream.fileno()).st_size))
            limit = SURPLUS + (promised if promised <= most else LARGE)
            raw += content.read(limit)
    except (OSError, EOFError, zlib.error) as error:
        how = " as gzip" if file.suffix == ".gz" else ""
        state = "truncated" if isinstance(error, EOFError) else f"unreadable{how} ({error})"
        raise DataError(f"{file}: {state}; replace it with the published file") from None
    magic = bytes([0, 0, 8, dimensions])
    if raw[:4] != magic:
        raise DataError(
            f"{file}: magic number 0x{raw[:4].hex()} instead of 0x{magic.hex()} (IDX, unsigned bytes, "
            f"{dimensions} dimension{'s'[: dimensions > 1]}); replace it with the published file"
        )
    found = max(len(raw) - start, 0)
    if promised != found or not found:
        size = " x ".join(map(str, shape))
        present = f"{'at least ' * (found == limit)}{found} are there"
        raise DataError(
            f"{file}: header promises {size} = {promised} bytes, {present}; replace it with the published file"
        )
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)


def _unpacked(file: Path, stream: IO[bytes]) -> IO[bytes] | gzip.GzipFile:
    """Return a stream of the contents of a file, decompressed if its name ends in .gz."""
    return gzip.GzipFile(fileobj=stream) if file.suffix == ".gz" else stream
