"""A digest of the code that computes: sources and library versions that may decide a result."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import stdpnet
import stdpnet_analysis

WITHOUT_INFLUENCE = {
    "stdpnet": ("cli", "__main__.py", "stdp/spec/presets.py"),
    "stdpnet_analysis": ("benchmark", "figures", "inspector", "report", "paper", "sweeps"),
}
"""Files and folders that decide no result of a given configuration, by package; a preset's values are in the
configuration already. Every other file counts, so that a new or moved one cannot be forgotten."""
LIBRARIES = ("brian2", "joblib", "llvmlite", "numba", "numpy", "pillow", "scikit-learn", "scipy")
"""Distributions whose version may decide a result."""


@cache
def code_digest() -> str:
    """Return the SHA-256 of the sources and versions that may decide a result; other code may change freely."""
    digest = hashlib.sha256()
    for name, path in covered_files():
        digest.update(f"{name}\n".encode())
        digest.update(path.read_bytes())
    for name in LIBRARIES:
        digest.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    return digest.hexdigest()


def covered_files() -> Iterator[tuple[str, Path]]:
    """Yield the name, such as stdpnet/random.py, and the path of every file that the digest covers."""
    for package in (stdpnet, stdpnet_analysis):
        root = Path(str(package.__file__)).parent
        left_out = [root / name for name in WITHOUT_INFLUENCE[package.__name__]]
        for path in sorted(root.rglob("*.py")):
            if path not in left_out and not any(folder in path.parents for folder in left_out):
                yield f"{package.__name__}/{path.relative_to(root).as_posix()}", path
