"""Files of responses: what a model answered to the images of a split, under a key that says which model and images."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import h5py

from stdpnet.model import Responses
from stdpnet.runs.files import replacing

FORMAT = ("stdpnet-responses", 1)
CHUNK = 256
"""Images in a chunk of the file, the least that is read at once."""


def write_responses(path: Path, responses: Responses, key: str) -> None:
    """Replace a file of responses; `key` identifies what they are responses of."""
    with replacing(path) as draft, h5py.File(draft, "w") as file:
        file.attrs["format"], file.attrs["version"] = FORMAT
        file.attrs["key"] = key
        chunks = (max(1, min(len(responses.counts), CHUNK)), responses.counts.shape[1])
        file.create_dataset("counts", data=responses.counts, chunks=chunks, compression=1, fletcher32=True)
        file["labels"], file["indices"] = responses.labels, responses.indices
        file.attrs["cost"] = json.dumps(dict(responses.cost))
        if responses.scores is not None:
            file["scores"] = responses.scores


def read_responses(path: Path, key: str, sparse: bool = False) -> Responses | None:
    """Return the responses of a file, or None if it is missing or damaged or has another key.

    Parameters
    ----------
    path, key : as they were written
    sparse : return a sparse array, made from one chunk of images at a time: most neurons answer few images
    """
    if not path.exists():
        return None
    try:
        with h5py.File(path, "r") as file:
            found = (file.attrs.get("format"), int(file.attrs.get("version", 0)))
            if found != FORMAT or file.attrs["key"] != key:
                return None
            counts = _sparse(file["counts"]) if sparse else file["counts"][()]
            return Responses(
                counts=counts,
                labels=file["labels"][()],
                indices=file["indices"][()],
                scores=file["scores"][()] if "scores" in file else None,
                cost=json.loads(file.attrs.get("cost", "{}")),
            )
    except (OSError, KeyError) as error:
        warnings.warn(f"{path}: damaged ({error}); computing the responses again", stacklevel=2)
        return None


def _sparse(counts: h5py.Dataset) -> Any:
    """Return counts (N, P*C) as a scipy.sparse.csr_array, without ever holding more than one chunk as an array."""
    from scipy.sparse import csr_array, vstack  # only evaluation needs scipy

    step = counts.chunks[0]
    return vstack([csr_array(counts[first : first + step]) for first in range(0, len(counts), step)], format="csr")
