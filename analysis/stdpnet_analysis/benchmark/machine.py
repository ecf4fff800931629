"""Describe the machine on which a speed was measured."""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib.metadata import version
from typing import Any


def machine() -> dict[str, Any]:
    """Return the processor, its cores, the system and the versions of the software that computes."""
    names = ("stdpnet", "numpy", "numba", "llvmlite", "brian2", "scikit-learn")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in names}},
    }


def peak_memory_mb() -> float:
    """Return the largest memory of this process so far, MiB."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS reports bytes, other systems KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _processor() -> str:
    """Return the name of the processor, or its architecture if the system does not know the name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
