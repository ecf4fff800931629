"""Read recordings of event cameras: N-MNIST's .bin files, structured arrays in .npy and .npz files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.data.classes import in_order
from stdpnet.data.dataset import Labels, Source
from stdpnet.data.download import unpacked
from stdpnet.data.folder import class_files
from stdpnet.data.npz import MOST_BYTES, as_classes, read_arrays, read_npy
from stdpnet.errors import DataError
from stdpnet.events import Events, Recording, checked_recording, on_plane
from stdpnet.reading import read_limited, visible
from stdpnet.spec.dataset import N_MNIST, DatasetSpec

PARTS = ("Train", "Test")
"""Sub-folders of a set that is published with test recordings."""
SUFFIXES = (".bin", ".npy")
BYTES = 5
"""Bytes of an event in a .bin file."""
OVERFLOW, OVERFLOW_TIME = 240, 2**13
"""Row number that marks an overflow of the clock in a .bin file instead of an event, and its microseconds."""
REMEDY = "give .bin, .npy or .npz files of recordings"

Files = list[tuple[Path, int]]
"""Recordings with their classes."""


def n_mnist(spec: DatasetSpec) -> Source:
    """Return N-MNIST (Orchard et al. 2015, doi 10.3389/fnins.2015.00437), which the user has unpacked."""
    return _tree(unpacked("n-mnist"), N_MNIST, spec.class_order)


def recordings(spec: DatasetSpec) -> Source:
    """Return the recordings of `spec.path`.

    A folder has a sub-folder for each class with a file for each recording: .bin as `read_bin` reads it, or .npy, a
    structured array as `Events.of` takes it. If it has sub-folders Train and Test, these have the class folders, and
    Test holds the test recordings.

    An .npz file has ``events`` (S,), a structured array of all recordings in a row; ``offsets`` (N + 1,), where each
    begins and the last ends; and ``y`` (N,), the labels, integers from 0 up or strings.
    """
    path = Path(spec.path)
    if os.path.isdir(path):
        return _tree(path, spec.sensor, spec.class_order)
    arrays = read_arrays(path, ("events", "offsets", "y"))
    labels, classes = as_classes(path, arrays["y"], spec.class_order)
    events = _of_arrays(path, arrays["events"], arrays["offsets"], spec.sensor)
    if len(events) != len(labels):
        raise DataError(f"{path}: offsets have {len(events)} recordings and y {len(labels)} labels; give one for each")
    return Source(events, labels, classes)


def _tree(root: Path, sensor: tuple[int, int], order: str) -> Source:
    """Return the recordings of a folder of class folders, or of two such folders called Train and Test."""
    parts = PARTS if all(os.path.isdir(root / part) for part in PARTS) else ("",)
    found = [class_files(root / part, order, "recordings") for part in parts]
    names, files = found[0][0], []
    for part, (other_names, inside) in zip(parts, found, strict=True):
        if other_names != names:
            raise DataError(
                f"{root / part}: has the class folders {', '.join(other_names)[:200]}, and {PARTS[0]} has "
                f"{', '.join(names)[:200]}; give both the same"
            )
        files.append(_by_name(inside))
    every = [pair for part in files for pair in part]
    events = Events.joined([_read(file, sensor) for file, _ in every], max(sensor))
    labels: Labels = np.array([label for _, label in every], np.int64)
    published = len(files[1]) if len(files) > 1 else 0
    return Source(images=events, labels=labels, classes=names, published_test=published)


def _by_name(inside: list[list[Path]]) -> Files:
    """Return the files of class folders, sorted by file name: those of N-MNIST are the numbers of MNIST's images.

    The last training recordings of a published set are the calibration split; sorted by class, they would all be of the
    last class.
    """
    pairs = [(file, label) for label, files in enumerate(inside) for file in files]
    return [pairs[place] for place in in_order([file.name for file, _ in pairs], "natural")]


def _read(file: Path, sensor: tuple[int, int]) -> Recording:
    """Return the recording of a .bin or .npy file."""
    if file.suffix not in SUFFIXES:
        raise DataError(f"{file}: not a recording ({' or '.join(SUFFIXES)}); convert it or remove it")
    if file.suffix == ".npy":
        return checked_recording(read_npy(file, "write it with numpy.save(path, events)"), str(file), sensor)
    return read_bin(file, sensor)


def read_bin(file: Path, sensor: tuple[int, int]) -> Recording:
    """Return the events of a .bin file, as N-MNIST and N-Caltech101 have them.

    An event has five bytes: column, row, one bit of polarity (1: brighter), 23 bits of time in microseconds, most
    significant first. An entry in row 240 is no event: it adds 2**13 us to the times of all events after it, as in the
    reader that the authors of N-MNIST have published (github.com/gorchard/event-Python).

    Raises
    ------
    DataError
        If it cannot be read or is cut off, or an event lies outside the sensor.
    """
    try:
        content = np.frombuffer(read_limited(file, MOST_BYTES), np.uint8)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); permit reading it or remove it") from None
    if len(content) % BYTES:
        raise DataError(f"{file}: has {len(content)} bytes, and each event has {BYTES}; copy it again or remove it")
    x, y, high, middle, low = content.reshape(-1, BYTES).astype(np.int64).T
    overflow = y == OVERFLOW
    t = ((high & 127) << 16 | middle << 8 | low) + OVERFLOW_TIME * np.cumsum(overflow)
    x, y, t, on = (column[~overflow] for column in (x, y, t, high >= 128))
    width, height = sensor
    if len(x) and (x.max() >= width or y.max() >= height):
        raise DataError(
            f"{file}: has events up to column {x.max()} and row {y.max()}, outside {width} x {height} pixels; set "
            "dataset.sensor to the camera's width and height"
        )
    return on_plane(x, y, t, on, sensor)


def _of_arrays(file: Path, events: NDArray[Any], offsets: NDArray[Any], sensor: tuple[int, int]) -> Events:
    """Return the recordings of an .npz file: structured events (S,) of all, cut at offsets (N + 1,)."""
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or not len(offsets):
        raise DataError(f"{file}: offsets is {offsets.dtype} of shape {offsets.shape}; give N + 1 whole numbers")
    ends = offsets.astype(np.int64)
    if ends[0] != 0 or events.ndim != 1 or ends[-1] != len(events) or np.any(np.diff(ends) < 0):
        raise DataError(
            f"{file}: offsets go from {ends[0]} to {ends[-1]}, and events has the shape {events.shape}; they must rise "
            "from 0 to the number of events"
        )
    checked = [
        checked_recording(events[begin:end], f"{file}: recording {number}", sensor)
        for number, (begin, end) in enumerate(pairwise(ends))
    ]
    return Events.joined(checked, max(sensor))


def read_recordings(files: Iterable[str | Path], spec: DatasetSpec) -> tuple[list[str], Events]:
    """Return the recordings of files as those of a dataset are: on its sensor, cropped.

    Parameters
    ----------
    files : .bin files, .npy files with a structured array, .npz files with events and offsets
    spec : the dataset whose recordings they are to look like: its sensor and crop count

    Returns
    -------
    Names, `file` or `file[number]`, and the recordings.

    Raises
    ------
    DataError
        If there is none, or a file cannot be read as recordings.
    """
    if spec.invert:
        raise DataError("--invert: recordings of events have no ink; leave it out")
    names: list[str] = []
    found: list[Recording] = []
    for file in map(Path, files):
        if not os.path.lexists(file):
            raise DataError(f"{file}: no such file; {REMEDY}")
        if file.suffix not in (*SUFFIXES, ".npz"):
            raise DataError(f"{file}: '{file.suffix}' is no known kind of recording; {REMEDY}")
        shown = visible(str(file))
        if file.suffix == ".npz":
            arrays = read_arrays(file, ("events", "offsets"))
            inside = _of_arrays(file, arrays["events"], arrays["offsets"], spec.plane)
            found += [inside.recording(number) for number in range(len(inside))]
            names += [f"{shown}[{number}]" for number in range(len(inside))]
        else:
            found.append(_read(file, spec.plane))
            names.append(shown)
    if not found:
        raise DataError(f"recordings: there are none; {REMEDY}")
    return names, Events.joined(found, spec.whole_side).cropped(spec.crop)
