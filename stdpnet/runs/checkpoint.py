"""The sealed HDF5 file that keeps the state of a training job."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from stdpnet.errors import RunError
from stdpnet.model import State
from stdpnet.runs.files import reading_sealed, write_sealed
from stdpnet.spec.base import Monitoring, flat
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.load import dump_config, experiment

CHECKPOINT_FORMAT = ("stdpnet-checkpoint", 3)
FIRST_VERSION = 2
"""Oldest version that is read: it has the arrays of its only model, a spiking network, at the root."""
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
    with reading_sealed(path, CHECKPOINT_FORMAT, FIRST_VERSION) as file:
        if difference := _difference(str(file.attrs["config"]), spec):
            raise OtherConfigurationError(
                f"{path}: was trained with {difference[0]}, config.toml now says {difference[1]}; "
                "restore it, or start a new run with `stdpnet train`"
            )
        arrays = file["arrays"] if int(file.attrs["version"]) > FIRST_VERSION else file
        names = list(arrays) if arrays is not file else VERSION_2_ARRAYS
        return State(
            arrays={name: np.asarray(arrays[name][()]) for name in names},
            images=int(file.attrs["images"]),
            presentations=int(file.attrs["presentations"]),
            interval={name: _plain(dataset[()]) for name, dataset in file["interval"].items()},
        )


def checkpointed_images(path: Path) -> int:
    """Return how many images a checkpoint file has behind it, without reading all of it; 0 if it cannot be read."""
    try:
        with h5py.File(path, "r") as file:
            return int(file.attrs["images"])
    except (OSError, KeyError, RuntimeError, ValueError):
        return 0


def _plain(value: Any) -> Any:
    """Return a number of NumPy's as Python's, and an array as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _difference(then: str, spec: Experiment) -> tuple[str, str] | None:
    """Return the first key that a checkpoint's configuration and this one differ in, as it was and as it is.

    How long to train and what to watch may differ: neither changes what is learned.
    """
    was = flat(experiment(tomllib.loads(then)), Monitoring)  # with the defaults of keys that are younger than the file
    now = flat(spec, Monitoring)
    for key in sorted(was | now):
        if was.get(key) != now.get(key) and key != "training.images":
            return f"{key} = {was.get(key)}", str(now.get(key))
    return None
