"""A lock file that lets one process write a run; the operating system releases it when that process dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import platform
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from pydantic import ValidationError

from stdpnet.drafts import is_alive
from stdpnet.errors import RunError
from stdpnet.reading import open_regular
from stdpnet.runs.files import RESUME, unwritable
from stdpnet.runs.schema import Count, Open, Text, adapter

ATTEMPTS, PAUSE_SECONDS = 25, 0.02
"""Number of attempts to take a lock, and the time between two of them."""
HELD = (errno.EWOULDBLOCK, errno.EACCES)
"""Error numbers of a lock that another process holds; others mean that the file system has no locks."""
MOST_HOLDER = 10_000
"""Bytes of a lock file that are read."""


class Holder(Open):
    """What the holder of a lock writes into the file."""

    pid: Count
    host: Text


class Held(NamedTuple):
    """A lock that this process holds."""

    path: Path
    identity: tuple[int, int]
    """Device and inode of the lock file."""
    died: str | None
    """A sentence about a process that died while it held the lock."""

    def check(self) -> None:
        """Raise RunError if the lock file, or the folder that it is in, is no longer the one that was locked."""
        try:
            found = os.stat(self.path)
        except OSError:
            found = None
        if found is None or (found.st_dev, found.st_ino) != self.identity:
            raise RunError(
                f"{self.path.parent}: was moved, removed or replaced while this process wrote it, which stops here; "
                "move it back and go on with `stdpnet resume`"
            )


@contextlib.contextmanager
def locked(path: Path, take_over: bool = False) -> Iterator[Held]:
    """Hold a lock within a block, which gets the lock file and a note on a process that died while it held the lock.

    Where the file system has no locks, a warning says so, and the process that the file names counts as the holder.

    Parameters
    ----------
    path : the lock file
    take_over : whether to take a lock that a process of another host left behind, because that process is dead

    Raises
    ------
    RunError
        If a living process holds it, or a process of another host left it behind and `take_over` is false.
    """
    try:
        file = path.open("ab+", buffering=0)  # on a full disk closing a buffer would fail once more
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}); permit writing to the run's folder") from None
    with file:
        taken, holder = _lock(file), _holder(file)
        if taken is None:
            warnings.warn(f"{path}: this file system has no locks; let no second process write the run", stacklevel=3)
        if taken is False or (taken is None and _is_alive(holder) and holder["pid"] != os.getpid()):
            raise RunError(
                f"{path.parent}: is being written by process {holder.get('pid', '?')} on {holder.get('host', '?')}; "
                "wait for it, or stop it first"
            )
        if holder and holder["host"] != platform.node() and not take_over:
            raise RunError(
                f"{path}: was left by process {holder['pid']} on {holder['host']}; "
                "if that process is dead, remove this file"
            )
        try:
            _write(file, {"pid": os.getpid(), "host": platform.node()})
        except OSError as error:
            raise unwritable(path, error, RESUME) from None
        try:
            status = os.fstat(file.fileno())
            died = f"process {holder['pid']} died while it wrote this run" if holder else None
            yield Held(path, (status.st_dev, status.st_ino), died)
        finally:
            with contextlib.suppress(OSError):  # the disk may be full; closing the file releases the lock in any case
                _write(file, {})


def is_locked(path: Path) -> bool:
    """Return whether a living process of this host holds the lock file; needs no permission to write it."""
    try:
        with open_regular(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two readers do not exclude each other
            except OSError as error:
                return error.errno in HELD or _is_alive(_holder(file))
            return False
    except OSError:
        return False


def _lock(file: IO[bytes]) -> bool | None:
    """Try to take the lock, several times because `is_locked` in another process holds it for a moment.

    Returns
    -------
    Whether it was taken; None if the file system has no locks.
    """
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in HELD:
                return None
            time.sleep(PAUSE_SECONDS)
    return False


def _is_alive(holder: dict[str, Any]) -> bool:
    """Return whether the process that has written itself into a lock file is one of this host that lives."""
    if not holder or holder["host"] != platform.node():
        return False
    return is_alive(holder["pid"])


def _holder(file: IO[bytes]) -> dict[str, Any]:
    """Return what the last holder wrote; {} if it released the lock normally, or wrote something else."""
    file.seek(0)
    try:
        holder: dict[str, Any] = adapter(Holder).validate_json(file.read(MOST_HOLDER).strip(b"\0"))
    except ValidationError:
        return {}
    return holder


def _write(file: IO[bytes], content: dict[str, Any]) -> None:
    file.seek(0)
    file.truncate()
    data = json.dumps(content).encode() if content else b""
    while data:
        data = data[file.write(data) :]
