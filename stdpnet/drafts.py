"""Files and folders that are not complete yet: their names, and what processes that were killed have left of them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import secrets
import shutil
from pathlib import Path

DRAFT = ".draft"
"""How their names end."""
MOST_NAME = 180
"""Bytes of a target's name in that of its draft."""


def new_draft(target: Path) -> Path:
    """Make an empty file beside a target, under a name that nobody can foresee; remove what dead processes left."""
    draft = _draft_of(target)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return draft


def new_draft_folder(target: Path) -> Path:
    """Make an empty folder beside a target, as `new_draft` makes a file, and the folders above it."""
    draft = _draft_of(target)
    draft.mkdir(parents=True)
    return draft


def _draft_of(target: Path) -> Path:
    """Return a path for a draft that nobody can foresee; remove the drafts that dead processes left."""
    _remove_dead_drafts(target)
    return target.with_name(f"{_draft_prefix(target, os.getpid())}{secrets.token_hex(8)}{DRAFT}")


def _draft_prefix(target: Path, process: int | str) -> str:
    """Return how the name of a draft begins: hidden, with the target, this machine and a process."""
    name = os.fsencode(target.name)[:MOST_NAME]
    host = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
    return f".{os.fsdecode(name)}.{host}-{process}-"


def _remove_dead_drafts(target: Path) -> None:
    """Remove drafts that processes of this machine left behind when they were killed."""
    begin = _draft_prefix(target, "")[:-1]
    with contextlib.suppress(OSError):
        for name in os.listdir(target.parent):
            process = name.removeprefix(begin).partition("-")[0]
            if name.startswith(begin) and name.endswith(DRAFT) and process.isdecimal() and not is_alive(int(process)):
                draft = target.parent / name
                shutil.rmtree(draft) if draft.is_dir() and not draft.is_symlink() else draft.unlink()


def is_alive(process: int) -> bool:
    """Return whether a process of this machine lives."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another user's
        return True
    return True
