"""The record of how a run was made: versions, machine, command, source commit."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from stdpnet.runs.files import read_json
from stdpnet.runs.schema import Provenance
from stdpnet.spec.experiment import Experiment

RECORDED_PACKAGES = ("stdpnet", "numpy", "numba", "brian2", "scipy", "scikit-learn", "h5py")


def provenance(spec: Experiment) -> dict[str, Any]:
    """Return versions, machine and command of this process, JSON-serialisable."""
    packages = {name: importlib.metadata.version(name) for name in RECORDED_PACKAGES}
    return {
        "created": now(),
        "command": sys.argv,
        "model": spec.model,
        **spec.computation,
        "seed": spec.seed,
        "versions": {"python": platform.python_version(), **packages},
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


def _git_commit() -> str | None:
    """Return the commit of the source tree, marked "-dirty" if it has changes; None outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40"]
    with contextlib.suppress(OSError):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.stdout.strip() or None
    return None
