"""The state of a training job at an image boundary, and the sealed HDF5 file that keeps it."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.errors import RunError
from stdpnet.runs.files import reading_sealed, write_sealed
from stdpnet.spec.load import dump_config
from stdpnet.stdp.network import Network
from stdpnet.stdp.spec.experiment import ExperimentSpec

CHECKPOINT_FORMAT = ("stdpnet-checkpoint", 2)
ARRAYS = ("weights", "theta", "competition")


@dataclass
class Interval:
    """What has happened since the last row of progress.jsonl."""

    counts: NDArray[np.int64]
    """(P, C) spikes of each neuron."""
    weights: Floats
    """(S, k*k, C) feedforward weights when the interval began, mV."""
    images: int = 0
    presentations: int = 0
    silent: int = 0
    """Presentations without any spike."""
    unnormalised: int = 0
    """How often a neuron's weights could not be normalised because their sum was not above 0."""

    @classmethod
    def begin(cls, network: Network) -> Interval:
        """Return an interval in which nothing has happened yet."""
        return cls(np.zeros(network.theta.shape, np.int64), network.weights.copy())


@dataclass
class TrainingState:
    """A training job at an image boundary: all that is needed to go on as if it had never stopped."""

    network: Network
    images: int = 0
    """Training images shown so far: the place in the seeded order."""
    presentations: int = 0
    """Presentations so far: images and their retries; the number of the next one."""
    interval: Interval = field(init=False)

    def __post_init__(self) -> None:
        self.interval = Interval.begin(self.network)


def save_state(path: Path, spec: ExperimentSpec, state: TrainingState, previous: Path | None = None) -> None:
    """Replace a checkpoint file; the one before is kept at `previous`."""

    def fill(file: h5py.File) -> None:
        file.attrs["config"] = dump_config(spec)
        file.attrs["images"], file.attrs["presentations"] = state.images, state.presentations
        for name, array in state.network.arrays().items():
            file[name] = array
        interval = file.create_group("interval")
        for name, value in vars(state.interval).items():
            interval[name] = value

    write_sealed(path, CHECKPOINT_FORMAT, fill, previous)


def load_state(path: Path, spec: ExperimentSpec) -> TrainingState:
    """Return the state that a checkpoint file keeps.

    Raises
    ------
    RunError
        If the file is missing or damaged, or belongs to another configuration.
    """
    with reading_sealed(path, CHECKPOINT_FORMAT) as file:
        if difference := _difference(str(file.attrs["config"]), dump_config(spec)):
            raise RunError(
                f"{path}: was trained with {difference[0]}, config.toml now says {difference[1]}; "
                "restore it, or start a new run with `stdpnet train`"
            )
        network = Network(spec.geometry, **{name: np.asarray(file[name][()]) for name in ARRAYS})
        state = TrainingState(network, int(file.attrs["images"]), int(file.attrs["presentations"]))
        interval = {name: dataset[()] for name, dataset in file["interval"].items()}
        for name in ("images", "presentations", "silent", "unnormalised"):
            interval[name] = int(interval[name])
        state.interval = Interval(**interval)
    return state


def checkpointed_images(path: Path) -> int:
    """Return how many images a checkpoint file has behind it, without reading all of it; 0 if it cannot be read."""
    try:
        with h5py.File(path, "r") as file:
            return int(file.attrs["images"])
    except (OSError, KeyError, RuntimeError, ValueError):
        return 0


def _difference(then: str, now: str) -> tuple[str, str] | None:
    """Return the first key that two configurations differ in, as it was and as it is.

    How long to train and what to watch may differ: neither changes what is learned.
    """
    known = dump_config(ExperimentSpec(**tomllib.loads(then)))  # with the defaults of keys that are younger than it
    tables = [_flat(tomllib.loads(text)) for text in (known, now)]
    for key in sorted(tables[0] | tables[1]):
        values = [table.get(key) for table in tables]
        watches = key.startswith(("checkpoint.", "progress.", "curve.", "health.")) or key == "training.images"
        if values[0] != values[1] and not watches:
            return f"{key} = {values[0]}", str(values[1])
    return None


def _flat(tables: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables as one, with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def network_digest(network: Network) -> str:
    """Return the SHA-256 of a network's arrays: their names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name, array in network.arrays().items():
        digest.update(f"{name} {array.dtype} {array.shape};".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
