import gzip
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest

from stdpnet.data import download
from stdpnet.errors import DataError


def write_idx(file: Path, values: np.ndarray) -> None:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes()))


def write_set(folder: Path, n_train: int = 30, n_test: int = 10) -> None:
    """Write a little MNIST: image i holds the value i everywhere, its label is i mod 10."""
    for images, labels, first, n in [
        (download.TRAIN_IMAGES, download.TRAIN_LABELS, 0, n_train),
        (download.TEST_IMAGES, download.TEST_LABELS, n_train, n_test),
    ]:
        numbers = np.arange(first, first + n)
        write_idx(folder / images, np.broadcast_to(numbers[:, None, None], (n, 28, 28)))
        write_idx(folder / labels, numbers % 10)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache, and no folder of the user's own."""
    folder = tmp_path / "cache"
    monkeypatch.setattr("pooch.os_cache", lambda project: folder)
    monkeypatch.delenv("STDPNET_DATA", raising=False)
    return folder


@pytest.fixture
def little_mnist(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a little MNIST of 30 + 10 images where STDPNET_DATA points, and return its folder."""
    monkeypatch.setenv("STDPNET_DATA", str(tmp_path / "own"))
    write_set(tmp_path / "own" / "mnist")
    return tmp_path / "own" / "mnist"


@pytest.fixture
def one_clear_error() -> Callable[..., AbstractContextManager[None]]:
    """Return a context that demands one DataError of one line that holds every given piece of text."""

    @contextmanager
    def expect(*pieces: object) -> Iterator[None]:
        with pytest.raises(DataError) as caught:
            yield
        message = str(caught.value)
        assert "\n" not in message
        assert re.search(r"; [a-z]", message), f"no remedy in: {message}"
        assert [piece for piece in pieces if str(piece) not in message] == [], message

    return expect
