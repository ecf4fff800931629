"""The cores and the memory that this process may use, as the machine, its cgroups and its batch system limit them."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from stdpnet.errors import ConfigError, EngineError

_LOG = logging.getLogger(__name__)
CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
MEMORY_FILES = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))
"""Limit and use of a cgroup's memory, of versions 2 and 1."""
MEMINFO, STATM = Path("/proc/meminfo"), Path("/proc/self/statm")


def available_cores() -> int:
    """Return how many cores this process may use: the least of affinity, cgroup quota and SLURM's allocation."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([affinity, *_granted_cores()]))


@cache
def _granted_cores() -> tuple[int, ...]:
    """Return how many cores each cgroup above this process, and SLURM, grant."""
    found = []
    for folder in _cgroup_folders("cpu"):
        quota, period = _numbers(folder / "cpu.max", 2)
        if period is None:
            (quota,), (period,) = (_numbers(folder / f"cpu.cfs_{name}_us", 1) for name in ("quota", "period"))
        if quota is not None and period and quota > 0:
            found.append(math.ceil(quota / period))
    with contextlib.suppress(ValueError):
        found.append(int(os.environ.get("SLURM_CPUS_PER_TASK", "")))
    return tuple(number for number in found if number > 0)


def free_memory() -> int | None:
    """Return how many bytes the machine, the cgroups and `ulimit -v` still leave to this process; None: unknown."""
    found = []
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = MEMINFO.read_text().splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    if (space := free_address_space()) is not None:
        found.append(space)
    for folder in _cgroup_folders("memory"):
        for limit_name, used_name in MEMORY_FILES:
            (limit,), (used,) = _numbers(folder / limit_name, 1), _numbers(folder / used_name, 1)
            if limit is not None and used is not None:
                found.append(max(int(limit - used) + _reclaimable(folder), 0))
    return min(found, default=None)


def free_address_space() -> int | None:
    """Return how many bytes `ulimit -v` leaves to this process; None: it sets no limit, or none is known."""
    with contextlib.suppress(ImportError, OSError, ValueError, IndexError):
        import resource  # Windows has none

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int(STATM.read_text().split()[0])
            return max(limit - pages * resource.getpagesize(), 0)
    return None


def check_address_space(what: str, needed: int) -> None:
    """Raise EngineError if `ulimit -v` leaves less address space than is needed; a compiler would crash.

    Parameters
    ----------
    what : what needs it, as the subject of a sentence
    needed : bytes
    """
    free = free_address_space()
    if free is not None and free < needed:
        raise EngineError(
            f"ulimit -v: leaves {_size(free)} of address space, and {what} takes about {_size(needed)}; raise the "
            "limit, or limit the memory by a cgroup instead"
        )


def allow_open_files(what: str, needed: int) -> None:
    """Let this process, and those that it starts, open enough files; EngineError if `ulimit -n` forbids it.

    Parameters
    ----------
    what : what needs them
    needed : number of files, pipes and connections
    """
    try:
        import resource  # Windows has none, nor such a limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise EngineError(f"ulimit -n: permits {hard} open files, and about {needed} are needed for {what}; raise it")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def check_memory(key: str, certain: int, likely: int, what: str = "the training") -> None:
    """Compare the memory that an experiment needs with what is free, before any of it is taken.

    Parameters
    ----------
    key : the key of the configuration that decides it
    certain : bytes that are needed in any case
    likely : bytes that are needed in all, copies and buffers included
    what : the work, as the subject of a sentence

    Raises
    ------
    ConfigError
        If less than `certain` is free; if less than `likely` is free, a warning is logged.
    """
    free = free_memory()
    if free is None or likely <= free:
        return
    sentence = f"{key}: {what} needs about {_size(likely)} of memory, and {_size(free)} are free"
    if certain > free:
        raise ConfigError(f"{sentence}; choose a smaller value, or simulation.dtype = 'float32'")
    _LOG.warning("%s", sentence)


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def _cgroup_folders(controller: str) -> Iterator[Path]:
    """Yield the folders of the cgroups that this process is in, the innermost first (versions 1 and 2)."""
    with contextlib.suppress(OSError):
        for line in MEMBERSHIP.read_text().splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if controllers == "" or controller in controllers.split(","):
                root = CGROUPS / controllers if controllers else CGROUPS
                inner = root / path.lstrip("/")
                yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(root))


def _numbers(path: Path, count: int) -> list[float | None]:
    """Return the first numbers of a file, None for "max".

    If the file is missing or has fewer numbers, return [None] * count.
    """
    with contextlib.suppress(OSError, ValueError):
        words = path.read_text().split()
        if len(words) >= count:
            return [None if word == "max" else float(word) for word in words[:count]]
    return [None] * count


def _reclaimable(folder: Path) -> int:
    """Return how many bytes of cached files a cgroup gives up when memory is needed."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = (folder / "memory.stat").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)
    return 0
