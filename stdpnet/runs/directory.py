"""The run directory: create, open and find runs; read and write their files (see runs/README.md)."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic_core import to_json

from stdpnet import notebook
from stdpnet.drafts import new_draft_folder
from stdpnet.errors import ConfigError, RunError, StdpnetError
from stdpnet.model import Responses, State, facts_of
from stdpnet.reading import read_toml
from stdpnet.runs.checkpoint import OtherConfigurationError, checkpointed_images, load_state, save_state
from stdpnet.runs.files import is_whole, sync_folder, write_text
from stdpnet.runs.lock import Held, is_locked, locked
from stdpnet.runs.paths import RUNS, free_path, run_folders, run_path, similar_run
from stdpnet.runs.provenance import now, provenance, read_provenance
from stdpnet.runs.responses import read_responses, write_responses
from stdpnet.runs.rows import append_row, last_rows, read_rows, with_named_quantiles, without_repeated
from stdpnet.runs.scores import Scores, merged, read_scores
from stdpnet.runs.status import Status, status_after
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.load import dump_config, experiment, recorded

DRAFTS = ".checkpoint.h5.*"
"""Temporary files of checkpoints; one is left behind by a process that is killed while it writes."""


class Run:
    """A run directory; create or open one with the class methods.

    Examples
    --------
    >>> import stdpnet
    >>> spec = stdpnet.load_config("digits", {"topology.channels": 4, "training.images": 20})
    >>> path = stdpnet.train(spec, "reopened", progress=False).path
    >>> run = stdpnet.Run.open(path)
    >>> run.status, run.images, run.load_state().arrays["theta"].shape
    ('finished', 20, (9, 4))
    """

    def __init__(self, path: Path, spec: Experiment) -> None:
        self.path, self.spec = path, spec
        self._newest_is_damaged = False
        self._held: Held | None = None

    def __repr__(self) -> str:
        return f"<Run {self.path}: {facts_of(self.spec).label}, {self._progress()}>"

    def _repr_html_(self) -> str:
        """Return what is trained, how far it is, and its scores as a table."""
        rows: list[notebook.Row] = [("network", facts_of(self.spec).label), ("state", self._progress())]
        rows += [("dataset", self.spec.dataset.name), ("seed", self.spec.seed)]
        with contextlib.suppress(StdpnetError):
            scored = (self.load_scores() or {"readouts": {}})["readouts"].items()
            rows += [(f"accuracy, {name}", f"{scores['accuracy']:.2%}") for name, scores in scored]
        return notebook.table(f"Run {self.path}", rows)

    def _progress(self) -> str:
        """Return how far the run is in a few words, also where its files cannot be read."""
        try:
            return f"{self.status} at {self.images} of {self.spec.training.images} images"
        except (StdpnetError, OSError):
            return "its files cannot be read"

    @classmethod
    def create(cls, spec: Experiment, where: str | Path | None, default_name: str, **recorded: Any) -> Run:
        """Make a new run directory with its configuration and provenance.

        Parameters
        ----------
        spec : the experiment
        where : a name below runs/ or a path; None: `default_name`, with a number added if there is such a run
        default_name : name to use otherwise
        recorded : what provenance.json holds besides versions, machine and command

        Raises
        ------
        RunError
            If the directory exists, or cannot be made.
        """
        path = free_path(RUNS / default_name) if where is None else run_path(where)
        if os.path.lexists(path):  # does not raise on a name that is too long, as Path.exists does
            raise RunError(f"{path}: exists already and is never overwritten; choose another --run, or remove it")
        draft, new_folder = None, not os.path.lexists(path.parent)
        try:
            draft = new_draft_folder(path)
            write_text(draft / "config.toml", dump_config(spec, documented=True))
            write_text(draft / "provenance.json", to_json(provenance(spec) | recorded, indent=2).decode() + "\n")
            while True:
                try:
                    draft.rename(path)
                    break
                except OSError as error:
                    if where is not None or error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                        raise
                    path = free_path(RUNS / default_name)  # another process has just taken the name
            sync_folder(path.parent)
        except OSError as error:
            if draft is not None:
                shutil.rmtree(draft, ignore_errors=True)
            if new_folder:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()  # unless another process has put a run there
            if isinstance(error, RunError):  # it names the cause, such as a full disk
                raise
            raise RunError(f"{path}: cannot be created ({error.strerror}); choose another --run") from None
        return cls(path, spec)

    @classmethod
    def open(cls, where: str | Path) -> Run:
        """Open an existing run by its name below runs/ or its path."""
        path = run_path(where)
        if not os.path.isfile(path / "config.toml"):
            raise RunError(f"{path}: no run here; {similar_run(path)}")
        return cls(path, cls._read_spec(path))

    @staticmethod
    def _read_spec(path: Path) -> Experiment:
        try:
            spec: Experiment = experiment(recorded(read_toml(path / "config.toml")))
            return spec
        except ConfigError as error:
            first = str(error.args[0])
            where = "" if first.startswith(str(path)) else f"{path / 'config.toml'}: "
            raise RunError(f"{where}{first}; restore it, or start a new run with `stdpnet train`") from None

    def reload(self) -> None:
        """Read the configuration again."""
        self.spec = type(self)._read_spec(self.path)

    @property
    def provenance(self) -> dict[str, Any]:
        """What was recorded when the run was made (stdpnet.runs.schema.Provenance)."""
        return read_provenance(self.path / "provenance.json")

    @property
    def dataset_sha256(self) -> str:
        """The digest of the images that the run was made for; RunError if its record lacks it."""
        recorded = self.provenance.get("dataset_sha256")
        if recorded is None:
            raise RunError(f"{self.path}/provenance.json: lacks dataset_sha256; restore it from a copy")
        return str(recorded)

    @contextlib.contextmanager
    def locked(self, take_over: bool = False) -> Iterator[str | None]:
        """Hold the lock of this run (see stdpnet.runs.lock), and remove files that a process that died has left."""
        with locked(self.path / "lock", take_over) as held:
            self._held = held
            for draft in self.path.glob(DRAFTS):
                with contextlib.suppress(OSError):
                    draft.unlink()
            try:
                yield held.died
            finally:
                self._held = None

    def _check_held(self) -> None:
        """Raise RunError if the run that this process has locked is no longer at its path: another may be there."""
        if self._held is not None:
            self._held.check()

    def save_state(self, state: State) -> None:
        """Replace the checkpoint by this state; the one before stays as checkpoint.previous.h5."""
        self._check_held()
        save_state(self.path / "checkpoint.h5", self.spec, state, self.path / "checkpoint.previous.h5")

    def load_state(self) -> State:
        """Return the newest state that can be read; warn if that is not the newest checkpoint."""
        newest, previous = self.path / "checkpoint.h5", self.path / "checkpoint.previous.h5"
        if not self.has_state:
            raise RunError(f"{self.path}: has no checkpoint yet; wait for one, or start it again with `stdpnet resume`")
        try:
            return load_state(newest, self.spec)
        except OtherConfigurationError:
            raise  # the file is intact; an older one would not fit either
        except RunError as error:
            if not os.path.lexists(previous):
                raise
            state = load_state(previous, self.spec)
            self._newest_is_damaged = os.path.lexists(newest)
            warnings.warn(f"{error}; going on from checkpoint.previous.h5 at image {state.images}", stacklevel=2)
            return state

    def set_damaged_aside(self) -> None:
        """Rename a newest checkpoint that `load_state` could not read: it must not replace the intact one before it."""
        if self._newest_is_damaged:
            (self.path / "checkpoint.h5").replace(self.path / "checkpoint.damaged.h5")
            self._newest_is_damaged = False

    @property
    def has_state(self) -> bool:
        """Whether there is a checkpoint."""
        return any(os.path.lexists(self.path / name) for name in ("checkpoint.h5", "checkpoint.previous.h5"))

    def save_snapshot(self, name: str, state: State) -> None:
        """Keep a state under a name in snapshots/."""
        self._check_held()
        save_state(self.folder("snapshots") / f"{name}.h5", self.spec, state)

    def load_snapshot(self, name: str) -> State:
        """Return a state kept in snapshots/, or the newest one if the name is "last"."""
        path = self.path / "snapshots" / f"{name}.h5"
        if name == "last":
            return self.load_state()
        if os.sep in name or not path.exists():
            raise RunError(f"{path}: no such snapshot; train with --set curve.every=1000 to keep the best one")
        return load_state(path, self.spec)

    def extend(self, images: int) -> None:
        """Set a new goal of the training."""
        self.spec = self.spec.updated({"training.images": images})
        self._check_held()
        write_text(self.path / "config.toml", dump_config(self.spec, documented=True))

    def log(self, event: str, **details: Any) -> None:
        """Add a row to events.jsonl: started, resumed, stopped, finished or failed."""
        self._check_held()
        append_row(self.path / "events.jsonl", {"event": event, "time": now(), "pid": os.getpid(), **details})

    def events(self) -> list[dict[str, Any]]:
        """Return the rows of events.jsonl."""
        return read_rows(self.path / "events.jsonl")

    @property
    def status(self) -> Status:
        """What the run is doing; failed: its process died or met an error."""
        if is_locked(self.path / "lock"):
            return "running"
        events = last_rows(self.path / "events.jsonl")
        return status_after(events[-1] if events else None)

    @property
    def complete(self) -> bool:
        """Whether the run is finished and, without a new goal, resuming it would train no image."""
        events = last_rows(self.path / "events.jsonl")
        if self.status != "finished" or not is_whole(self.path / "checkpoint.h5"):
            return False
        return events[-1].get("reason") != "goal reached" or self.images >= self.spec.training.images

    @property
    def images(self) -> int:
        """Training images in the newest checkpoint or row of progress, whichever is further."""
        rows = last_rows(self.path / "progress.jsonl")
        return max(checkpointed_images(self.path / "checkpoint.h5"), rows[-1]["images"] if rows else 0)

    def append_row(self, name: Literal["progress", "curve"], row: dict[str, Any]) -> None:
        """Add one row, which has a key `images`, to <name>.jsonl."""
        self._check_held()
        append_row(self.path / f"{name}.jsonl", row)

    def rows(self, name: Literal["progress", "curve"]) -> list[dict[str, Any]]:
        """Return the rows of <name>.jsonl, each image once (see stdpnet.runs.rows.without_repeated)."""
        return [with_named_quantiles(row) for row in without_repeated(read_rows(self.path / f"{name}.jsonl"))]

    def save_responses(self, name: str, responses: Responses, key: str) -> None:
        """Keep responses under a name; `key` identifies what they are responses of."""
        write_responses(self.folder("responses") / f"{name}.h5", responses, key)

    def load_responses(self, name: str, key: str, sparse: bool = False) -> Responses | None:
        """Return the responses kept under a name, or None if there are none of this key (see read_responses)."""
        path, units = self.path / "responses" / f"{name}.h5", facts_of(self.spec).units
        return read_responses(path, key, units, sparse)

    def save_scores(self, scores: Scores, split: str = "test", snapshot: str = "last", point: str = "") -> Scores:
        """Write the scores of a snapshot on a split at an operating point; return what the file then holds.

        Read-outs that were scored before are kept if they belong to the same state and protocol.
        """
        path = self.scores_path(split, snapshot, point)
        try:
            earlier = self.load_scores(split, snapshot, point)
        except RunError:
            earlier = None  # an unreadable file is replaced
        result = merged(earlier, scores)
        write_text(path, to_json(result, indent=2, inf_nan_mode="null").decode() + "\n")
        return result

    def load_scores(self, split: str = "test", snapshot: str = "last", point: str = "") -> Scores | None:
        """Return the scores of a snapshot on a split at an operating point, or None before the first evaluation."""
        return read_scores(self.scores_path(split, snapshot, point))

    def scores_path(self, split: str = "test", snapshot: str = "last", point: str = "") -> Path:
        """Return the file of scores of a snapshot on a split at an operating point."""
        return self.results_path("scores", split, snapshot, point)

    def results_path(self, stem: str, split: str = "test", snapshot: str = "last", point: str = "") -> Path:
        """Return a file of results: <stem>.json, with all that is not the usual added to the stem.

        Parameters
        ----------
        stem : what the results are, such as scores
        split, snapshot : usually test and last
        point : the label of an operating point (stdpnet.operating); "": that of the training
        """
        special = [name for name, usual in ((split, "test"), (snapshot, "last"), (point, "")) if name != usual]
        return self.path / f"{'-'.join([stem, *special])}.json"

    def folder(self, name: str) -> Path:
        """Return a folder of the run, which is made if it is missing."""
        self._check_held()
        folder = self.path / name
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"{folder}: cannot be made ({error.strerror}); permit writing to the run") from None
        return folder


def find_runs(folder: Path) -> Iterator[Run]:
    """Yield the runs in a folder, by name; one that cannot be read is passed over with a warning."""
    for path in run_folders(folder):
        try:
            yield Run.open(path)
        except RunError as error:
            warnings.warn(str(error), stacklevel=2)
