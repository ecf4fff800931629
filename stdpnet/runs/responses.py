"""Files of responses: what a model answered to the images of a split, under a key that says which model and images."""

from __future__ import annotations

import contextlib
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from pydantic import ValidationError

from stdpnet.errors import RunError
from stdpnet.model import Responses
from stdpnet.reading import open_regular
from stdpnet.runs import hdf5
from stdpnet.runs.files import HDF5_ERRORS, REPEAT, found_form, reading_sealed, write_sealed
from stdpnet.runs.schema import Real, Text, adapter

FORMAT = ("stdpnet-responses", 2)
UNSEALED = ("stdpnet-responses", 1)
"""The format of older versions, without a checksum of the whole file."""
CHUNK = 256
"""Images in a chunk of the file, the least that is read at once."""
MOST_CLASSES = 2**16


def write_responses(path: Path, responses: Responses, key: str) -> None:
    """Replace a file of responses; `key` identifies what they are responses of."""

    def fill(file: h5py.File) -> None:
        file.attrs["key"] = key
        chunks = (max(1, min(len(responses.counts), CHUNK)), responses.counts.shape[1])
        file.create_dataset("counts", data=responses.counts, chunks=chunks, compression=1, fletcher32=True)
        file["labels"], file["indices"] = responses.labels, responses.indices
        file.attrs["cost"] = json.dumps(dict(responses.cost))
        if responses.first_spikes is not None:
            file.create_dataset(
                "first_spikes", data=responses.first_spikes, chunks=chunks, compression=1, fletcher32=True
            )
        if responses.scores is not None:
            file["scores"] = responses.scores

    write_sealed(path, FORMAT, fill, remedy=REPEAT)


def read_responses(path: Path, key: str, units: int, sparse: bool = False) -> Responses | None:
    """Return the responses of a file, or None if it is missing or damaged or has another key.

    Parameters
    ----------
    path, key : as they were written
    units : how many units the model has
    sparse : return a sparse array, made from one chunk of images at a time: most neurons answer few images
    """
    if not os.path.lexists(path):
        return None
    try:
        with _opened(path) as file:
            if hdf5.attribute(path, file, "key", str) != key:
                return None
            return _responses(path, file, units, sparse)
    except RunError as error:
        warnings.warn(f"{error}; computing the responses again", stacklevel=2)
        return None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """Open a file of responses of this version, or of the older one without a checksum."""
    try:
        content = open_regular(path)
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from None
    with content:
        if found_form(content) is not None or content.seek(0) or content.read(4) != b"\x89HDF":
            with reading_sealed(path, FORMAT) as file:
                yield file
            return
        try:
            older = h5py.File(content, "r")
        except HDF5_ERRORS:
            raise RunError(f"{path}: damaged, it is no HDF5 file") from None
        with older:
            form = tuple(hdf5.attribute(path, older, *each) for each in (("format", str), ("version", int)))
            if form != UNSEALED:
                raise RunError(f"{path}: damaged, it is of format {form[0]} {form[1]}")
            yield older


def _responses(path: Path, file: h5py.File, units: int, sparse: bool) -> Responses:
    """Return the responses of a file; RunError if a part is not as it should be."""
    labels = hdf5.array(path, file, "labels", np.int64, (None,))
    indices = hdf5.array(path, file, "indices", np.int64, (len(labels),))
    if len(labels) and not 0 <= labels.min() <= labels.max() < MOST_CLASSES:
        raise RunError(f"{path}: damaged, its labels are no classes")
    try:
        cost = adapter(dict[Text, Real]).validate_json(hdf5.attribute(path, file, "cost", str))
    except (RunError, ValidationError):
        cost = {}  # older versions have written none
    per_unit = {
        name: hdf5.dataset(path, file, name, np.uint16, (len(labels), units))
        for name in ("counts", "first_spikes")
        if name == "counts" or name in hdf5.names(path, file)
    }
    scores = None
    if "scores" in hdf5.names(path, file):
        scores = hdf5.array(path, file, "scores", np.float64, (len(labels), None))
    try:
        read = {name: _sparse(stored) if sparse else stored[()] for name, stored in per_unit.items()}
        return Responses(labels=labels, indices=indices, scores=scores, cost=cost, **read)
    except HDF5_ERRORS as error:
        raise RunError(f"{path}: damaged, {' or '.join(per_unit)} cannot be read ({error})") from None


def _sparse(counts: h5py.Dataset) -> Any:
    """Return an array (N, P*C) as a scipy.sparse.csr_array, without ever holding more than one chunk as an array."""
    from scipy.sparse import csr_array, vstack  # only evaluation needs scipy

    step = counts.chunks[0] if counts.chunks else CHUNK
    return vstack([csr_array(counts[first : first + step]) for first in range(0, len(counts), step)], format="csr")
