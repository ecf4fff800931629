"""The run directory: where a training job writes what it was asked, what it did and what it learned.

    runs/<name>/config.toml  provenance.json  checkpoint.h5  progress.jsonl  responses/*.h5  scores.json

Files appear whole or not at all: they are written under a temporary name, flushed to the disk, then renamed.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from stdpnet.errors import ConfigError, RunError
from stdpnet.network import Network
from stdpnet.spec.experiment import ExperimentSpec
from stdpnet.spec.load import dump_config, load_config

RUNS = Path("runs")
CHECKPOINT_FORMAT = ("stdpnet-checkpoint", 1)
RESPONSES_FORMAT = ("stdpnet-responses", 1)
RECORDED_PACKAGES = ("stdpnet", "numpy", "numba", "brian2", "scipy", "scikit-learn", "h5py")


@dataclass
class TrainingState:
    """A training job at an image boundary: all that is needed to go on."""

    network: Network
    images: int = 0
    """Training images shown so far."""
    presentations: int = 0
    """Presentations so far: images and their retries; the number of the next one."""


@dataclass(frozen=True)
class Responses:
    """What a network answered to a set of images."""

    counts: NDArray[np.uint16]
    """(N, P*C) spikes of each neuron during each image; a count above 65535 is kept as 65535."""
    labels: NDArray[np.int64]
    """(N,) class of each image."""
    indices: NDArray[np.int64]
    """(N,) place of each image in its source set."""


class Run:
    """A run directory; create or open one with the class methods."""

    def __init__(self, path: Path, spec: ExperimentSpec) -> None:
        self.path, self.spec = path, spec

    @classmethod
    def create(cls, spec: ExperimentSpec, where: str | Path | None, default_name: str, **provenance: Any) -> Run:
        """Make a new run directory with its configuration and provenance.

        Parameters
        ----------
        spec : the experiment
        where : a name below runs/ or a path; None: `default_name`, with a number added if there is such a run
        default_name : name to use otherwise
        provenance : what to record beside versions, machine and command

        Raises
        ------
        RunError
            If the directory exists, or cannot be made.
        """
        path = _free_path(RUNS / default_name) if where is None else run_path(where)
        if path.exists():
            raise RunError(f"{path}: exists already and is never overwritten; choose another --run, or remove it")
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            draft.mkdir(parents=True)
            _write_text(draft / "config.toml", dump_config(spec, documented=True))
            _write_text(draft / "provenance.json", json.dumps(_provenance(spec) | provenance, indent=2) + "\n")
            draft.rename(path)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise RunError(f"{path}: cannot be created ({error.strerror or error}); choose another --run") from None
        return cls(path, spec)

    @classmethod
    def open(cls, where: str | Path) -> Run:
        """Open an existing run by its name below runs/ or its path."""
        path = run_path(where)
        if not (path / "config.toml").is_file():
            raise RunError(f"{path}: no run here; `stdpnet train` makes one, and prints its path")
        try:
            return cls(path, load_config(path / "config.toml"))
        except ConfigError as error:
            raise RunError(f"{error}; this file is not to be edited: start a new run with `stdpnet train`") from None

    @property
    def provenance(self) -> dict[str, Any]:
        """What was recorded when the run was made."""
        return _read_json(self.path / "provenance.json")

    def save_state(self, state: TrainingState) -> None:
        """Replace the checkpoint by this state; the one before stays as checkpoint.previous.h5."""
        target = self.path / "checkpoint.h5"
        with _replacing(target, self.path / "checkpoint.previous.h5") as draft, h5py.File(draft, "w") as file:
            _stamp(file, CHECKPOINT_FORMAT)
            file.attrs["config"] = dump_config(self.spec)
            file.attrs["images"], file.attrs["presentations"] = state.images, state.presentations
            for name, array in state.network.arrays().items():
                file[name] = array
            file.attrs["sha256"] = network_digest(state.network)

    def load_state(self) -> TrainingState:
        """Return the state of the newest checkpoint."""
        path = self.path / "checkpoint.h5"
        if not path.exists():
            raise RunError(f"{self.path}: has no checkpoint yet; wait for the training to write one")
        with _reading(path, CHECKPOINT_FORMAT) as file:
            arrays = {name: np.asarray(file[name][()]) for name in ("weights", "theta", "competition")}
            network = Network(self.spec.geometry, **arrays)
            if network_digest(network) != file.attrs["sha256"]:
                raise RunError(f"{path}: damaged, its contents do not match their checksum; restore it from a copy")
            return TrainingState(network, int(file.attrs["images"]), int(file.attrs["presentations"]))

    def append_progress(self, row: dict[str, Any]) -> None:
        """Add one row to progress.jsonl."""
        with (self.path / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def read_progress(self) -> list[dict[str, Any]]:
        """Return the rows of progress.jsonl; a torn last line is left out."""
        path = self.path / "progress.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows = []
        for number, line in enumerate(lines, 1):
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                if number < len(lines):
                    raise RunError(f"{path}: line {number} is not JSON; remove it") from None
        return rows

    def save_responses(self, name: str, responses: Responses, key: str) -> None:
        """Keep responses under a name; `key` says what they are responses of."""
        folder = self.path / "responses"
        folder.mkdir(exist_ok=True)
        with _replacing(folder / f"{name}.h5") as draft, h5py.File(draft, "w") as file:
            _stamp(file, RESPONSES_FORMAT)
            file.attrs["key"] = key
            rows = max(1, min(len(responses.counts), 256))
            file.create_dataset(
                "counts", data=responses.counts, chunks=(rows, responses.counts.shape[1]), compression=1
            )
            file["labels"], file["indices"] = responses.labels, responses.indices

    def load_responses(self, name: str, key: str) -> Responses | None:
        """Return the responses kept under a name, or None if there are none of this key."""
        path = self.path / "responses" / f"{name}.h5"
        if not path.exists():
            return None
        with _reading(path, RESPONSES_FORMAT) as file:
            if file.attrs["key"] != key:
                return None
            return Responses(file["counts"][()], file["labels"][()], file["indices"][()])

    def save_scores(self, scores: dict[str, Any], split: str = "test") -> None:
        """Write scores.json, or scores-<split>.json for another split than test."""
        _write_text(self._scores_path(split), json.dumps(scores, indent=2) + "\n")

    def load_scores(self, split: str = "test") -> dict[str, Any] | None:
        """Return the scores on a split, or None before the first evaluation."""
        path = self._scores_path(split)
        return _read_json(path) if path.exists() else None

    def _scores_path(self, split: str) -> Path:
        return self.path / ("scores.json" if split == "test" else f"scores-{split}.json")


def run_path(where: str | Path) -> Path:
    """Return the directory of a run given by its path, or by its name below runs/."""
    path = Path(where)
    return RUNS / path if len(path.parts) == 1 and not path.is_dir() and str(where) not in (".", "..") else path


def network_digest(network: Network) -> str:
    """Return the SHA-256 of a network's arrays: their names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name, array in network.arrays().items():
        digest.update(f"{name} {array.dtype} {array.shape};".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _free_path(path: Path) -> Path:
    """Return the path, with the first free number added if it is taken."""
    number, free = 2, path
    while free.exists():
        free, number = path.with_name(f"{path.name}-{number}"), number + 1
    return free


def _provenance(spec: ExperimentSpec) -> dict[str, Any]:
    """Return versions, machine and command of this process."""
    packages = {name: importlib.metadata.version(name) for name in RECORDED_PACKAGES}
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "engine": spec.simulation.engine,
        "dtype": spec.simulation.effective_dtype,
        "seed": spec.seed,
        "versions": {"python": platform.python_version(), **packages},
        "git": _git_commit(),
        "machine": {"host": platform.node(), "system": platform.platform(), "cores": os.cpu_count()},
    }


def _git_commit() -> str | None:
    """Return the commit of the source tree, marked if it has changes; None outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40"]
    with contextlib.suppress(OSError):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.stdout.strip() or None
    return None


@contextlib.contextmanager
def _replacing(target: Path, previous: Path | None = None) -> Iterator[Path]:
    """Give a temporary path; when the block ends well, it replaces `target`, safe on the disk."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        if previous is not None and target.exists():
            target.replace(previous)
        draft.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise RunError(
            f"{target}: cannot be written ({error.strerror or error}); is the disk full or read-only?"
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def _write_text(path: Path, text: str) -> None:
    with _replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")


def _stamp(file: h5py.File, form: tuple[str, int]) -> None:
    file.attrs["format"], file.attrs["version"] = form


@contextlib.contextmanager
def _reading(path: Path, form: tuple[str, int]) -> Iterator[h5py.File]:
    """Open an HDF5 file of a known format and version."""
    try:
        with h5py.File(path, "r") as file:
            found = (file.attrs.get("format"), int(file.attrs.get("version", 0)))
            if found != form:
                raise RunError(
                    f"{path}: is of format {found[0]} {found[1]}, this stdpnet reads {form[0]} {form[1]}; "
                    "use the version named in the run's provenance.json"
                )
            yield file
    except (OSError, KeyError) as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"{path}: damaged, cannot be read ({error}); restore it from a copy or remove it") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise RunError(f"{path}: cannot be read ({error}); restore it from a copy or remove it") from None
    return content
