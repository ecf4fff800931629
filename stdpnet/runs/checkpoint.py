"""The sealed HDF5 file that keeps the state of a training job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from stdpnet.errors import RunError
from stdpnet.model import State, open_model
from stdpnet.reading import open_regular, parse_toml, shortened
from stdpnet.runs import hdf5
from stdpnet.runs.files import HDF5_ERRORS, reading_sealed, write_sealed
from stdpnet.spec.base import Monitoring, differences
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.load import dump_config, experiment, recorded

CHECKPOINT_FORMAT = ("stdpnet-checkpoint", 3)
FIRST_VERSION = 2
"""Oldest version that is read: the arrays of a spiking network, the only model then, are at the root of the file."""
SLACK = 2**26
"""Largest number of bytes that a checkpoint has besides its arrays."""
VERSION_2_ARRAYS = ("weights", "theta", "competition")


class OtherConfigurationError(RunError):
    """A checkpoint was trained with another configuration than the run's config.toml says now."""


def save_state(path: Path, spec: Experiment, state: State, previous: Path | None = None) -> None:
    """Replace a checkpoint file; the one before is kept at `previous`."""

    def fill(file: h5py.File) -> None:
        file.attrs["config"] = dump_config(spec)
        file.attrs["images"], file.attrs["presentations"] = state.images, state.presentations
        for group, content in (("arrays", state.arrays), ("interval", state.interval)):
            made = file.create_group(group, track_order=True)
            for name, value in content.items():
                made[name] = value

    write_sealed(path, CHECKPOINT_FORMAT, fill, previous)


def load_state(path: Path, spec: Experiment) -> State:
    """Return the state that a checkpoint file keeps.

    Raises
    ------
    RunError
        If the file is missing or damaged, or (OtherConfigurationError) belongs to another configuration.
    """
    expected = open_model(spec).initial(spec)
    most = SLACK + 4 * sum(array.nbytes for array in expected.arrays.values())  # the interval may hold copies of arrays
    with reading_sealed(path, CHECKPOINT_FORMAT, FIRST_VERSION, most) as file:
        if difference := _difference(path, hdf5.attribute(path, file, "config", str), spec):
            raise OtherConfigurationError(
                f"{path}: was trained with {difference[0]}, config.toml now says {difference[1]}; "
                "restore it, or start a new run with `stdpnet train`"
            )
        newer = hdf5.attribute(path, file, "version", int) > FIRST_VERSION
        arrays = hdf5.group(path, file, "arrays") if newer else file
        names = hdf5.names(path, arrays) if newer else VERSION_2_ARRAYS
        if set(names) != set(expected.arrays):
            raise RunError(f"{path}: damaged, it has the arrays {', '.join(names)}, not {', '.join(expected.arrays)}")
        state = State(
            arrays={name: _array(path, arrays, name, expected.arrays[name]) for name in names},
            images=hdf5.attribute(path, file, "images", int),
            presentations=hdf5.attribute(path, file, "presentations", int),
            interval=_interval(path, hdf5.group(path, file, "interval"), expected.interval),
        )
    if not state.is_finite:
        raise RunError(f"{path}: damaged, it holds values that are not finite numbers")
    return state


def _array(path: Path, group: Any, name: str, expected: Any) -> Any:
    """Return an array, or a number, of the expected type and shape."""
    expected = np.asarray(expected)
    return hdf5.array(path, group, name, expected.dtype, expected.shape)


def _interval(path: Path, group: Any, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays and numbers of the interval since the last row of progress; an initial state has none."""
    names = hdf5.names(path, group)
    if names and set(names) != set(expected):
        raise RunError(f"{path}: damaged, its interval has {', '.join(names)}, not {', '.join(expected) or 'nothing'}")
    return {name: _plain(_array(path, group, name, expected[name])) for name in names}


def checkpointed_images(path: Path) -> int:
    """Return the training images of a checkpoint without reading all of it; 0 if it cannot be read."""
    try:
        with open_regular(path) as content, h5py.File(content, "r") as file:
            return hdf5.attribute(path, file, "images", int)
    except HDF5_ERRORS:  # RunError is an OSError
        return 0


def _plain(value: Any) -> Any:
    """Return a number as Python's, and an array as it is."""
    return value.item() if value.ndim == 0 else value


def _difference(path: Path, then: str, spec: Experiment) -> tuple[str, str] | None:
    """Return the first key that a checkpoint's configuration and this one differ in, as it was and as it is.

    How long to train and what to watch may differ: neither changes what is learned.
    """
    try:
        was = experiment(recorded(parse_toml(then)))
    except ValueError as error:  # ConfigError is one
        raise RunError(f"{path}: damaged, its configuration cannot be read ({shortened(error)})") from None
    changes = differences(was, spec, Monitoring)
    changes.pop("training.images", None)
    return next(((f"{key} = {before}", str(now)) for key, (before, now) in changes.items()), None)
