"""Which code computes: a digest of every source file and library version that decides a result."""

from __future__ import annotations

import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path

import stdpnet
import stdpnet_analysis

ENGINE = ("spec", "data", "engines", "training", "encoding.py", "network.py", "parallel.py", "_jit.py")
"""What decides a network's state and its responses, below stdpnet/."""
READING = ("responses.py", "votes.py", "readout.py", "scores.py", "evaluation.py")
"""What decides its scores, below stdpnet_analysis/."""
PRESETS = "presets.py"
"""Not a part of the code that computes: a preset's values are in the configuration already."""
LIBRARIES = ("numpy", "numba", "scipy", "scikit-learn")


@cache
def code_digest() -> str:
    """Return the SHA-256 of the sources and versions that decide a result; other code may change freely."""
    digest = hashlib.sha256()
    for package, names in ((stdpnet, ENGINE), (stdpnet_analysis, READING)):
        root = Path(str(package.__file__)).parent
        for path in sorted(path for name in names for path in _sources(root / name)):
            if path.name != PRESETS:
                digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
                digest.update(path.read_bytes())
    for name in LIBRARIES:
        digest.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    return digest.hexdigest()


def _sources(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))
