"""The record of how a run was made: versions, machine, command, source commit."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from stdpnet.runs.files import read_json
from stdpnet.runs.schema import Provenance
from stdpnet.spec.experiment import Experiment

RECORDED_PACKAGES = ("stdpnet", "numpy", "numba", "brian2", "scipy", "scikit-learn", "h5py")


def provenance(spec: Experiment) -> dict[str, Any]:
    """Return versions, machine and command of this process, JSON-serialisable."""
    return {
        "created": now(),
        "command": [readable(word) for word in sys.argv],
        "model": spec.model,
        **spec.computation,
        "seed": spec.seed,
        "versions": {"python": platform.python_version(), **_versions()},
        "git": _git_commit(),
        "machine": {"host": platform.node(), "system": platform.platform(), "cores": os.cpu_count()},
    }


def read_provenance(path: Path) -> dict[str, Any]:
    """Return the record of a run; RunError if it cannot be read, or is none."""
    recorded: dict[str, Any] = read_json(path, Provenance, "restore it from a copy")
    return recorded


def now() -> str:
    """Return the wall clock time in ISO 8601, UTC; no result depends on it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def readable(text: str) -> str:
    """Return a text that can be written as UTF-8: bytes of another encoding, as a path may have, become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@cache
def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in RECORDED_PACKAGES}


@cache
def _git_commit() -> str | None:
    """Return the commit of the source tree, marked "-dirty" if it has changes; None outside a checkout.

    The code of a process does not change, so git is called only once. If the package is installed below another
    repository, it is not part of it: git must know this very file.
    """
    git = ["git", "-C", str(Path(__file__).parent)]
    with contextlib.suppress(OSError):
        known = subprocess.run([*git, "ls-files", "--error-unmatch", Path(__file__).name], capture_output=True)
        if known.returncode == 0:
            describe = [*git, "describe", "--always", "--dirty", "--abbrev=40"]
            result = subprocess.run(describe, capture_output=True, text=True, check=False)
            return result.stdout.strip() or None
    return None
