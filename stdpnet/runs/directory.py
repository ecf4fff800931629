"""The run directory: what a training job was asked, what it did and what it learned (see runs/README.md)."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from stdpnet.errors import ConfigError, RunError
from stdpnet.runs.checkpoint import TrainingState, checkpointed_images, load_state, save_state
from stdpnet.runs.files import append_line, is_whole, read_json, read_lines, replacing, sync_folder, write_text
from stdpnet.runs.lock import is_locked, locked
from stdpnet.spec.load import dump_config, load_config
from stdpnet.stdp.spec.experiment import ExperimentSpec

RUNS = Path("runs")
DRAFTS = ".checkpoint.h5.*"
"""What a process that is killed while it writes a checkpoint leaves behind."""
RESPONSES_FORMAT = ("stdpnet-responses", 1)
RECORDED_PACKAGES = ("stdpnet", "numpy", "numba", "brian2", "scipy", "scikit-learn", "h5py")

Status = Literal["running", "finished", "stopped", "failed", "new"]


@dataclass(frozen=True)
class Responses:
    """What a network answered to a set of images."""

    counts: Any
    """(N, P*C) uint16, array or scipy.sparse.csr_array: spikes of each neuron during each image, at most 65535."""
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
        if os.path.lexists(path):  # which, unlike Path.exists, has an answer to any string
            raise RunError(f"{path}: exists already and is never overwritten; choose another --run, or remove it")
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        new_folder = not os.path.lexists(path.parent)
        try:
            draft.mkdir(parents=True)
            write_text(draft / "config.toml", dump_config(spec, documented=True))
            write_text(draft / "provenance.json", json.dumps(_provenance(spec) | provenance, indent=2) + "\n")
            draft.rename(path)
            sync_folder(path.parent)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            if new_folder:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()  # unless another process has put a run there
            reason = str(error) if isinstance(error, RunError) else error.strerror
            raise RunError(f"{path}: cannot be created ({reason}); choose another --run") from None
        return cls(path, spec)

    @classmethod
    def open(cls, where: str | Path) -> Run:
        """Open an existing run by its name below runs/ or its path."""
        path = run_path(where)
        if not os.path.isfile(path / "config.toml"):
            raise RunError(f"{path}: no run here; `stdpnet train` makes one, and prints its path")
        return cls(path, cls._read_spec(path))

    @staticmethod
    def _read_spec(path: Path) -> ExperimentSpec:
        try:
            return load_config(path / "config.toml")
        except ConfigError as error:
            raise RunError(f"{error}; restore it, or start a new run with `stdpnet train`") from None

    def reload(self) -> None:
        """Read the configuration again."""
        self.spec = type(self)._read_spec(self.path)

    @property
    def provenance(self) -> dict[str, Any]:
        """What was recorded when the run was made."""
        return read_json(self.path / "provenance.json")

    @contextlib.contextmanager
    def locked(self, take_over: bool = False) -> Iterator[str | None]:
        """Hold the lock against other writers of this run (see stdpnet.runs.lock); tidy up after dead ones."""
        with locked(self.path / "lock", take_over) as died:
            for draft in self.path.glob(DRAFTS):
                draft.unlink()
            yield died

    def save_state(self, state: TrainingState) -> None:
        """Replace the checkpoint by this state; the one before stays as checkpoint.previous.h5."""
        save_state(self.path / "checkpoint.h5", self.spec, state, self.path / "checkpoint.previous.h5")

    def load_state(self) -> TrainingState:
        """Return the newest state that can be read; warn if that is not the newest checkpoint."""
        newest, previous = self.path / "checkpoint.h5", self.path / "checkpoint.previous.h5"
        if not newest.exists() and not previous.exists():
            raise RunError(f"{self.path}: has no checkpoint yet; wait for one, or start it again with `stdpnet resume`")
        try:
            return load_state(newest, self.spec)
        except RunError as error:
            if not previous.exists():
                raise
            state = load_state(previous, self.spec)
            warnings.warn(f"{error}; going on from checkpoint.previous.h5 at image {state.images}", stacklevel=2)
            return state

    def set_damaged_aside(self) -> None:
        """Rename a newest checkpoint that cannot be read, so that the next one does not push out the good one."""
        newest = self.path / "checkpoint.h5"
        if newest.exists() and not is_whole(newest):
            newest.replace(self.path / "checkpoint.damaged.h5")

    @property
    def has_state(self) -> bool:
        """Whether there is a checkpoint."""
        return any((self.path / name).exists() for name in ("checkpoint.h5", "checkpoint.previous.h5"))

    def save_snapshot(self, name: str, state: TrainingState) -> None:
        """Keep a state under a name in snapshots/."""
        save_state(self._folder("snapshots") / f"{name}.h5", self.spec, state)

    def load_snapshot(self, name: str) -> TrainingState:
        """Return a state kept in snapshots/, or the newest one if the name is "last"."""
        path = self.path / "snapshots" / f"{name}.h5"
        if name == "last":
            return self.load_state()
        if os.sep in name or not path.exists():
            raise RunError(f"{path}: no such snapshot; train with --set curve.every=1000 to keep the best one")
        return load_state(path, self.spec)

    def extend(self, images: int) -> None:
        """Set a new goal of the training."""
        self.spec = self.spec.replace(training=self.spec.training.replace(images=images))
        write_text(self.path / "config.toml", dump_config(self.spec, documented=True))

    def log(self, event: str, **details: Any) -> None:
        """Add a line to events.jsonl: started, resumed, stopped, finished or failed."""
        append_line(self.path / "events.jsonl", {"event": event, "time": now(), "pid": os.getpid(), **details})

    def events(self) -> list[dict[str, Any]]:
        """Return the lines of events.jsonl."""
        return read_lines(self.path / "events.jsonl")

    @property
    def status(self) -> Status:
        """What the run is doing; failed: its process died or met an error."""
        if is_locked(self.path / "lock"):
            return "running"
        events = self.events()
        if not events:
            return "new"
        last = events[-1]["event"]
        return last if last in ("finished", "stopped") else "failed"

    @property
    def images(self) -> int:
        """Training images in the newest checkpoint or row of progress, whichever is further."""
        rows = self.rows("progress")
        return max(checkpointed_images(self.path / "checkpoint.h5"), rows[-1]["images"] if rows else 0)

    def append_row(self, name: Literal["progress", "curve"], row: dict[str, Any]) -> None:
        """Add one row, which has a key `images`, to <name>.jsonl."""
        append_line(self.path / f"{name}.jsonl", row)

    def rows(self, name: Literal["progress", "curve"]) -> list[dict[str, Any]]:
        """Return the rows of <name>.jsonl; a job that went back to a checkpoint wrote later ones again: those count."""
        rows: list[dict[str, Any]] = []
        for row in read_lines(self.path / f"{name}.jsonl"):
            while rows and rows[-1]["images"] >= row["images"]:
                rows.pop()
            rows.append(row)
        return rows

    def save_responses(self, name: str, responses: Responses, key: str) -> None:
        """Keep responses under a name; `key` says what they are responses of."""
        folder = self._folder("responses")
        with replacing(folder / f"{name}.h5") as draft, h5py.File(draft, "w") as file:
            file.attrs["format"], file.attrs["version"] = RESPONSES_FORMAT
            file.attrs["key"] = key
            chunks = (max(1, min(len(responses.counts), 256)), responses.counts.shape[1])
            file.create_dataset("counts", data=responses.counts, chunks=chunks, compression=1, fletcher32=True)
            file["labels"], file["indices"] = responses.labels, responses.indices

    def load_responses(self, name: str, key: str, sparse: bool = False) -> Responses | None:
        """Return the responses kept under a name, or None if there are none of this key.

        Parameters
        ----------
        name, key : as they were saved
        sparse : return a sparse array, made from a chunk of images at a time: most neurons answer few images
        """
        path = self.path / "responses" / f"{name}.h5"
        if not path.exists():
            return None
        try:
            with h5py.File(path, "r") as file:
                found = (file.attrs.get("format"), int(file.attrs.get("version", 0)))
                if found != RESPONSES_FORMAT or file.attrs["key"] != key:
                    return None
                counts = _sparse(file["counts"]) if sparse else file["counts"][()]
                return Responses(counts, file["labels"][()], file["indices"][()])
        except (OSError, KeyError) as error:
            warnings.warn(f"{path}: damaged ({error}); computing the responses again", stacklevel=2)
            return None

    def save_scores(self, scores: dict[str, Any], split: str = "test", snapshot: str = "last") -> None:
        """Write scores.json, with the names of a split other than test and a snapshot other than last in its name."""
        write_text(self._scores_path(split, snapshot), json.dumps(scores, indent=2) + "\n")

    def load_scores(self, split: str = "test", snapshot: str = "last") -> dict[str, Any] | None:
        """Return the scores of a snapshot on a split, or None before the first evaluation."""
        path = self._scores_path(split, snapshot)
        return read_json(path) if path.exists() else None

    def _folder(self, name: str) -> Path:
        folder = self.path / name
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"{folder}: cannot be made ({error.strerror}); permit writing to the run") from None
        return folder

    def _scores_path(self, split: str, snapshot: str) -> Path:
        special = [name for name, usual in ((split, "test"), (snapshot, "last")) if name != usual]
        return self.path / f"{'-'.join(['scores', *special])}.json"


def _sparse(counts: h5py.Dataset) -> Any:
    """Return counts (N, P*C) as a scipy.sparse.csr_array, without ever holding more than one chunk of them."""
    from scipy.sparse import csr_array, vstack  # which training does without

    step = counts.chunks[0]
    return vstack([csr_array(counts[first : first + step]) for first in range(0, len(counts), step)], format="csr")


def run_path(where: str | Path) -> Path:
    """Return the directory of a run: a bare name is one below runs/, anything with a separator is a path."""
    bare = os.sep not in str(where) and str(where) not in (".", "..")
    path = RUNS / where if bare else Path(where)
    forgotten = str(where).startswith(f".{os.sep}") and len(path.parts) == 1
    return path.absolute() if forgotten else path  # Path forgets the ./ of ./name, which is no bare name


def find_runs(folder: Path) -> Iterator[Run]:
    """Yield the runs in a folder, by name; what is no run is passed over with a warning if it looks like one."""
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder; `stdpnet train` writes its runs to runs/")
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(".") and (path / "config.toml").is_file():
            try:
                yield Run.open(path)
            except RunError as error:
                warnings.warn(str(error), stacklevel=2)


def now() -> str:
    """Return the wall clock time, for people; nothing is computed from it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


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
        "created": now(),
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
