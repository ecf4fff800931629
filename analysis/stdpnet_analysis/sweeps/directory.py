"""The folder of a study: its specification, Optuna's records, its drivers and the runs of its trials."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import tomli_w
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from stdpnet.drafts import is_alive
from stdpnet.errors import ConfigError, RunError
from stdpnet.reading import read_toml
from stdpnet.runs import run_path
from stdpnet.runs.files import write_text
from stdpnet.runs.lock import is_locked, locked
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.load import dump_config, experiment, load_config, recorded
from stdpnet_analysis.readouts import check_columns, names_of
from stdpnet_analysis.sweeps.journal import Journal, lock_alone
from stdpnet_analysis.sweeps.space import check_space, grid
from stdpnet_analysis.sweeps.spec import StudySpec

CHANGEABLE = ("sampler", "budget", "storage")
"""Keys of a study that may change when it goes on; the other keys decide what its results mean."""
SPECIFICATION = "stdpnet specification"
"""Attribute of Optuna's study: a digest of the keys that decide what its results mean."""
STUDY_FILES = ("drivers", "trials", "base.toml", "study.toml")
"""What a folder may hold while another driver is making it for the same study."""


def load_study(path: Path) -> tuple[StudySpec, Experiment]:
    """Return a study file's specification and the resolved base of its trials.

    Raises
    ------
    ConfigError
        If the file, the base or the space is wrong, or the base has no validation images.
    """
    values = read_toml(path, "name a study file")
    try:
        study = StudySpec(**values)
    except ConfigError as error:
        raise error.within(str(path)) from None
    try:
        base = _prepared(study, load_config(_base_source(study, path.parent), study.base.set))
        check_space(study, base)
    except ConfigError as error:
        raise error.within(str(path)) from None
    return study.updated({"storage": _absolute(study.storage)}), base


def _absolute(storage: str) -> str:
    """Return a database URL; the path of SQLite's file becomes absolute, so that the study is found from anywhere."""
    before, slashes, path = storage.partition("sqlite:///")
    return f"{slashes}{os.path.abspath(path)}" if slashes and not before and path and path[0] not in "/:?" else storage


def _base_source(study: StudySpec, folder: Path) -> str | Path:
    config = study.base.config
    return folder / config if config.endswith(".toml") and not Path(config).is_absolute() else config


def _prepared(study: StudySpec, base: Experiment) -> Experiment:
    """Return the base with the checkpoints, the read-outs and the learning curve that a study needs."""
    if base.dataset.validation == 0:
        raise ConfigError(
            "base.set: trials are compared on validation images and the base has none; add 'dataset.validation=2000'"
        )
    changes: dict[str, Any] = {"checkpoint.every": study.checkpoint}
    scored = base.evaluation.readouts
    known = {name for column in check_columns(scored, "evaluation.readouts") for name in names_of(column)}
    if missing := [column for column in study.objective.columns if not known.issuperset(names_of(column))]:
        changes["evaluation.readouts"] = (*scored, *missing)
    if (pruner := study.pruner).kind != "none":
        if pruner.validation > base.dataset.validation:
            raise ConfigError(
                f"pruner.validation: {pruner.validation} images, but the base has {base.dataset.validation} validation "
                f"images; set it to {base.dataset.validation} or less, or raise dataset.validation in base.set"
            )
        changes["curve"] = {"every": pruner.every, "calibration": pruner.calibration, "validation": pruner.validation}
    return base.updated(changes)


def default_folder(file: Path) -> str:
    """Return the name below runs/ of the folder of a study file, which no other command uses.

    If an older version began a study in runs/<stem>, a warning says how to go on with it.
    """
    if (run_path(file.stem) / "study.toml").is_file():
        warnings.warn(
            f"{run_path(file.stem)}: holds a study of an older version; the folder is now runs/sweep-{file.stem}, "
            f"`--dir {file.stem}` goes on with the old one",
            stacklevel=2,
        )
    return f"sweep-{file.stem}"


class StudyDirectory:
    """A study's folder; create or open one with the class methods."""

    def __init__(self, path: Path, spec: StudySpec, base: Experiment) -> None:
        self.path, self.spec, self.base = path.resolve(), spec, base

    @classmethod
    def join(cls, spec: StudySpec, base: Experiment, where: str | Path) -> StudyDirectory:
        """Make the folder of a study, or open it if it is already there for the same study.

        Raises
        ------
        RunError
            If the folder holds something else.
        """
        path = run_path(where)
        new = cls(path, spec, base)
        try:
            if os.path.lexists(path / "study.toml"):
                old = cls.open(path)
                if difference := _difference(old, new):
                    raise RunError(f"{path}: was begun with {difference}; restore it, or choose another --dir")
                if old.spec.storage != spec.storage:
                    new._write()
                return new
            names = os.listdir(path) if os.path.lexists(path) else []
            if any(name not in STUDY_FILES and name[0] != "." for name in names):
                raise RunError(f"{path}: exists and is no study; choose another --dir")
            (path / "drivers").mkdir(parents=True, exist_ok=True)
            (path / "trials").mkdir(exist_ok=True)
            write_text(path / "base.toml", dump_config(base))
            new._write()
        except OSError as error:
            if isinstance(error, RunError):
                raise
            raise RunError(f"{path}: cannot be made ({error.strerror}); choose another --dir") from None
        return new

    def _write(self) -> None:
        """Write the specification; if it holds a password, in a file that other users cannot read."""
        path = self.path / "study.toml"
        write_text(path, tomli_w.dumps(self.spec.model_dump(exclude_none=True)))
        if without_password(self.spec.storage) != self.spec.storage:
            path.chmod(0o600)

    @classmethod
    def open(cls, where: str | Path) -> StudyDirectory:
        """Open a study by its name below runs/ or its path."""
        path = run_path(where)
        if not os.path.isfile(path / "study.toml"):
            raise RunError(f"{path}: no study here; `stdpnet sweep` makes one")
        try:
            spec = StudySpec(**read_toml(path / "study.toml"))
            return cls(path, spec, experiment(recorded(read_toml(path / "base.toml"))))
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: cannot be read ({error}); restore it, or start a new study") from None

    def run_folder(self, number: int, seed: int) -> Path:
        """Return where the run of a trial with a training seed is."""
        return self.path / "trials" / f"{number:04d}-seed{seed}"

    def prune_file(self, number: int) -> Path:
        """Return the file whose presence ends the first repeat of a trial."""
        return self.path / "trials" / f".{number:04d}.prune"

    @property
    def seeds(self) -> list[int]:
        """The training seeds of each trial."""
        return [self.base.seed + repeat for repeat in range(self.spec.repeats)]

    def study(self, create: bool = True) -> optuna.Study:
        """Return Optuna's study, made if there is none."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        if not create and not self.spec.storage and not os.path.lexists(self._journal):
            raise RunError(f"{self.path}: has no trials yet; `stdpnet sweep` makes some")
        shown = without_password(self.spec.storage)
        try:
            storage = self._storage()
            names = [] if self.spec.storage else optuna.get_all_study_names(storage)
            name = names[0] if names else self.path.name  # a folder that was renamed keeps its trials
            if create:
                study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
            else:
                study = optuna.load_study(storage=storage, study_name=name)
            self._check_same(study)
            return study
        except KeyError:
            raise RunError(f"{self.path}: has no trials yet; `stdpnet sweep` makes some") from None
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            reason = without_password(str(error).splitlines()[0])
            raise ConfigError(f"storage: '{shown}' is no usable database URL ({reason})") from None
        except SQLAlchemyError as error:
            reason = without_password(str(error).splitlines()[0])
            raise RunError(f"storage: '{shown}' does not answer ({reason}); start the database") from None

    def is_spent(self) -> bool:
        """Return whether all trials of the budget, or of the grid, have ended, so that there is nothing to do."""
        try:
            trials = self.study(create=False).get_trials(deepcopy=False)
        except RunError:
            return False
        wanted = self.spec.budget.trials
        if self.spec.sampler.kind == "grid":
            wanted = min(wanted, sum(1 for _ in grid(self.spec)))
        return len(trials) >= wanted and all(trial.state.is_finished() for trial in trials)

    def _check_same(self, study: optuna.Study) -> None:
        """Raise RunError if a database has another study under this name; mark a new study with its specification."""
        parts = {key: part for key, part in self.spec.model_dump().items() if key not in (*CHANGEABLE, "base")}
        digest = hashlib.sha256(f"{json.dumps(parts, sort_keys=True)}{dump_config(self.base)}".encode()).hexdigest()
        known = study.user_attrs.get(SPECIFICATION)
        if known is None:
            study.set_user_attr(SPECIFICATION, digest)  # it is new, or of an older version
        elif known != digest:
            raise RunError(
                f"{self.path}: its database has a study named {self.path.name} with another base or space; choose "
                "another --dir"
            )

    @property
    def _journal(self) -> Path:
        return self.path / "journal.log"

    def _storage(self) -> BaseStorage | str:
        if self.spec.storage:
            return RDBStorage(self.spec.storage) if "://" in self.spec.storage else self.spec.storage
        return Journal(self._journal)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock for asking for a trial or adopting one; it ends with the process at the latest."""
        with (self.path / "asking").open("a") as file:
            lock_alone(file, self.path)
            yield

    @contextlib.contextmanager
    def driving(self) -> Iterator[str]:
        """Register a driver until the block or the process ends, and give its name."""
        self._forget_dead_drivers()
        name = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        with locked(self._driver_file(name)):
            yield name
        self._driver_file(name).unlink(missing_ok=True)
        self.leave_file(name).unlink(missing_ok=True)

    def _forget_dead_drivers(self) -> None:
        """Remove the files of drivers of this machine that were killed."""
        for path in (self.path / "drivers").glob("*-*-*"):
            host, process, _ = path.stem.rsplit("-", 2)
            if host == platform.node() and process.isdecimal() and not is_alive(int(process)):
                path.unlink(missing_ok=True)

    def is_alive(self, driver: Any) -> bool:
        """Return whether a driver of this name is running."""
        return isinstance(driver, str) and is_locked(self._driver_file(driver))

    def leave_file(self, driver: str) -> Path:
        """Return the file whose presence makes the workers of a driver stop with checkpoints."""
        return self.path / "drivers" / f"{driver}.leave"

    def _driver_file(self, driver: str) -> Path:
        return self.path / "drivers" / f"{driver}.lock"


def without_password(text: str) -> str:
    """Return a text in which the password of a database URL is hidden."""
    return re.sub(r"(://[^:/@\s]*):[^/\s]*@", r"\1:***@", text)


def _difference(old: StudyDirectory, new: StudyDirectory) -> str | None:
    """Return a forbidden difference between two specifications of a study in words; None if there is none."""
    then, now = old.spec.model_dump(), new.spec.model_dump()
    for key in then:
        if key not in (*CHANGEABLE, "base") and then[key] != now[key]:
            return f"{key} = {then[key]}, the study file now says {now[key]}"
    lines = (dump_config(state.base).splitlines() for state in (old, new))
    for line_then, line_now in zip(*lines, strict=False):
        if line_then != line_now:
            return f"a base with {line_then}, which now has {line_now}"
    return None
