"""Read the parts of HDF5 files, each checked before it is read: kind of link, where its data are, type, shape, size."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from stdpnet.errors import RunError
from stdpnet.runs.files import HDF5_ERRORS

Value = TypeVar("Value", str, int)
MOST_COUNTED = 2**53
"""Largest whole number of an attribute."""
DEFLATED = 1100
"""Largest ratio of the size of an array to its stored size; deflate reaches 1032."""


def attribute(path: Path, file: h5py.File, name: str, kind: type[Value]) -> Value:
    """Return an attribute of a file, a text or a whole number from 0 up.

    Raises
    ------
    RunError
        If there is none of this name and type.
    """
    try:
        found = file.attrs[name]
    except HDF5_ERRORS:
        raise RunError(f"{path}: damaged, it lacks the attribute {name}") from None
    whole = isinstance(found, int | np.integer) and 0 <= found <= MOST_COUNTED
    if whole if kind is int else isinstance(found, str):
        return kind(found)
    raise RunError(f"{path}: damaged, its attribute {name} is no {'text' if kind is str else 'whole number from 0 up'}")


def group(path: Path, parent: Any, name: str) -> h5py.Group:
    """Return a group that lies in the file itself; RunError if there is none."""
    found = _linked(path, parent, name)
    if not isinstance(found, h5py.Group):
        raise RunError(f"{path}: damaged, {name} is no group")
    return found


def dataset(path: Path, parent: Any, name: str, dtype: Any, shape: tuple[int | None, ...]) -> h5py.Dataset:
    """Return a dataset whose data lie in the file itself, not yet read.

    Parameters
    ----------
    path : the file, for messages
    parent : the group that holds it
    name : its name
    dtype : its type
    shape : its shape; None: any size along this axis

    Raises
    ------
    RunError
        If there is none, or it is not as it should be.
    """
    found = _linked(path, parent, name)
    if not isinstance(found, h5py.Dataset):
        raise RunError(f"{path}: damaged, {name} is no array")
    try:
        elsewhere = bool(found.external) or found.is_virtual
        its_type, its_shape, stored = found.dtype, found.shape, found.id.get_storage_size()
    except HDF5_ERRORS:
        raise RunError(f"{path}: damaged, {name} cannot be read") from None
    if elsewhere:
        raise RunError(f"{path}: damaged, the values of {name} lie in another file")
    fits = its_shape is not None and len(its_shape) == len(shape)
    if not fits or any(side not in (None, size) for side, size in zip(shape, its_shape, strict=True)):
        expected = " x ".join("any" if size is None else str(size) for size in shape) or "one number"
        raise RunError(f"{path}: damaged, {name} has the shape {its_shape}, this configuration needs {expected}")
    if its_type != np.dtype(dtype):
        raise RunError(f"{path}: damaged, {name} is of type {its_type}, this configuration needs {np.dtype(dtype)}")
    if None in shape and found.size * its_type.itemsize > DEFLATED * stored:
        raise RunError(f"{path}: damaged, {name} claims {found.size} values, more than the file can hold")
    return found


def array(path: Path, parent: Any, name: str, dtype: Any, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Return the values of a dataset, as `dataset` checks it."""
    checked = dataset(path, parent, name, dtype, shape)
    try:
        return np.asarray(checked[()])
    except HDF5_ERRORS:
        raise RunError(f"{path}: damaged, {name} cannot be read") from None


def names(path: Path, parent: Any) -> list[str]:
    """Return the names in a group, in their order."""
    try:
        return list(parent)
    except HDF5_ERRORS:
        raise RunError(f"{path}: damaged, its names cannot be read") from None


def _linked(path: Path, parent: Any, name: str) -> Any:
    """Return the target of a hard link of a group; other links may lead to another file, or to nothing."""
    try:
        if isinstance(parent.get(name, getlink=True), h5py.HardLink):
            return parent[name]
    except HDF5_ERRORS:
        raise RunError(f"{path}: damaged, {name} cannot be read") from None
    raise RunError(f"{path}: damaged, it lacks {name} or links to it elsewhere")
