"""Drafts: files and folders under a temporary name until they are complete, and the removal of abandoned ones."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import secrets
import shutil
from pathlib import Path

DRAFT = ".draft"
"""Suffix of the name of a draft."""
MOST_NAME = 180
"""Largest number of bytes of a target's name that the name of its draft repeats."""


def new_draft(target: Path) -> Path:
    """Create an empty file in the folder of a target, under an unpredictable name; remove drafts of dead processes."""
    draft = _draft_of(target)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return draft


def new_draft_folder(target: Path) -> Path:
    """Create an empty folder in the folder of a target, with its parents; otherwise do the same as `new_draft`."""
    draft = _draft_of(target)
    draft.mkdir(parents=True)
    return draft


def _draft_of(target: Path) -> Path:
    """Return an unpredictable path for a draft of a target; remove the drafts of dead processes."""
    _remove_dead_drafts(target)
    return target.with_name(f"{_draft_prefix(target, os.getpid())}{secrets.token_hex(8)}{DRAFT}")


def _draft_prefix(target: Path, process: int | str) -> str:
    """Return the beginning of the name of a draft: a dot, the target, this machine and a process."""
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
    """Return whether a process is running on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another user's
        return True
    return True
