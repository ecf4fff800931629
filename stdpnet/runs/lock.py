"""A lock file that lets one process write a run; the operating system releases it when that process dies."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from stdpnet.errors import RunError

ATTEMPTS, PAUSE_SECONDS = 25, 0.02
"""How often a lock is tried for, and the time between two attempts."""


@contextlib.contextmanager
def locked(path: Path, take_over: bool = False) -> Iterator[str | None]:
    """Hold the lock; yield a sentence about a process that died while it held the lock, or None.

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
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}); permit writing to the run's folder") from None
    with file:
        if not _lock(file):
            holder = _holder(file)
            raise RunError(
                f"{path.parent}: is being written by process {holder.get('pid', '?')} on {holder.get('host', '?')}; "
                "wait for it, or stop it first"
            )
        holder = _holder(file)
        if holder and holder.get("host") != platform.node() and not take_over:
            raise RunError(
                f"{path}: was left by process {holder.get('pid')} on {holder.get('host')}; "
                "if that process is dead, remove this file"
            )
        _write(file, {"pid": os.getpid(), "host": platform.node()})
        try:
            yield f"process {holder['pid']} died while it wrote this run" if holder else None
        finally:
            with contextlib.suppress(OSError):  # the disk may be full; closing the file releases the lock in any case
                _write(file, {})


def is_locked(path: Path) -> bool:
    """Return whether a living process of this host holds the lock file."""
    try:
        with path.open("r+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two readers do not exclude each other
            except OSError:
                return True
            return False
    except OSError:
        return False


def _lock(file: IO[str]) -> bool:
    """Try to take the lock, several times because `is_locked` in another process holds it for a moment."""
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            time.sleep(PAUSE_SECONDS)
    return False


def _holder(file: IO[str]) -> dict[str, Any]:
    """Return what the last holder wrote; {} if it released the lock normally."""
    file.seek(0)
    with contextlib.suppress(json.JSONDecodeError):
        content = json.loads(file.read() or "{}")
        return content if isinstance(content, dict) else {}
    return {}


def _write(file: IO[str], content: dict[str, Any]) -> None:
    file.seek(0)
    file.truncate()
    file.write(json.dumps(content) if content else "")
    file.flush()
