"""Optuna's journal of a study in its folder: locked by the system, checked where it is read."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Any

from optuna.exceptions import OptunaError
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from stdpnet.errors import RunError, StdpnetError
from stdpnet.reading import shortened
from stdpnet.runs.files import REPEAT, unwritable
from stdpnet.runs.rows import cut_torn_line


def lock_alone(file: IO[Any], path: Path) -> None:
    """Wait for the lock of an open file; RunError if its file system has none."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be locked ({error.strerror}); keep the study on a file system with locks, or in a "
            "database (storage)"
        ) from None


class _Lock(JournalFileOpenLock):
    """File lock that the system drops with the process; acquiring it cuts a half-written last line."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        self._file = self._journal.open("ab+")
        lock_alone(self._file, self._journal)
        cut_torn_line(self._file)
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()


class _Backend(JournalFileBackend):
    """The file of the journal; RunError if it cannot be written."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        try:
            super().append_logs(logs)
        except StdpnetError:
            raise
        except OSError as error:
            raise unwritable(Path(self._file_path), error, REPEAT) from None


class Journal(JournalStorage):
    """Optuna's storage in a file.

    Parameters
    ----------
    path : the file

    Raises
    ------
    RunError
        Here and in every later call, if the file holds something else, or cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            super().__init__(_Backend(str(path), _Lock(path)))
        except StdpnetError:
            raise
        except OSError as error:
            raise unwritable(path, error, REPEAT) from None

    def _sync_with_backend(self) -> None:
        try:
            super()._sync_with_backend()
        except (OptunaError, StdpnetError):
            raise
        except Exception as error:  # Optuna raises various errors where a line is not its own
            line = self._replay_result.log_number_read
            raise RunError(
                f"{self._path}: damaged near line {line} ({shortened(error) or type(error).__name__}); restore it from "
                "a copy, or begin a new study with --dir"
            ) from None
