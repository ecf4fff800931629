"""Examine an installation: versions, compiler, cores and memory, caches, datasets, and both engines on a few images."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stdpnet.errors import EngineError, StdpnetError
from stdpnet.extras import EXTRAS
from stdpnet.machine import available_cores, free_memory

IMAGES = 5
"""Training images that both engines see in the self-test."""
SMALL = {
    "topology.channels": 4,
    "simulation.duration": 100.0,
    "simulation.brian2_target": "numpy",  # needs no compiler, for which there is another check
    "competition.rule": "anti_stdp",
}
"""The keys that the self-test changes in the preset "digits"."""


class Check(NamedTuple):
    """One thing that was examined."""

    name: str
    state: Literal["good", "warning", "failed"]
    """warning: stdpnet works, but is slower or lacks what not every user needs; failed: stdpnet does not work."""
    message: str
    """What was found, and what to do where it is not good."""


def examine(engines: bool = True) -> Iterator[Check]:
    """Yield the results of the checks, one after the other; nothing is downloaded, and no file is left behind.

    Parameters
    ----------
    engines : also train a network on both engines with a few images, and compare the results; this takes a few
        seconds, and longer the first time, because machine code is compiled then
    """
    yield _versions()
    yield _extras()
    yield _compiler()
    yield _machine()
    yield from _caches()
    yield _runs()
    yield _data()
    if engines:
        yield _engines()


def _versions() -> Check:
    """Compare the installed packages with those that stdpnet requires."""
    try:
        required = importlib.metadata.requires("stdpnet") or []
    except importlib.metadata.PackageNotFoundError:
        return Check("packages", "failed", "stdpnet is not installed; `pip install '.[all]'` in its folder installs it")
    names = [re.split(r"[^A-Za-z0-9._-]", line)[0] for line in required if "extra ==" not in line]
    found, missing = [], []
    for name in dict.fromkeys(["stdpnet", *names]):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", "failed", f"{', '.join(missing)}: not installed; install stdpnet with pip")
    return Check("packages", "good", f"Python {platform.python_version()}, {', '.join(found)}")


def _extras() -> Check:
    missing = [extra for extra, packages in EXTRAS.items() if not all(map(find_spec, packages))]
    if not missing:
        return Check("extras", "good", ", ".join(EXTRAS))
    return Check("extras", "warning", f"not installed: {', '.join(missing)}; `pip install 'stdpnet[all]'` installs all")


def _compiler() -> Check:
    """Ask Brian2 for a C++ compiler; the compiled engine needs none."""
    from stdpnet.stdp.engines.brian.process import preferences, require_compiler

    try:
        with preferences("cython"):
            require_compiler()
    except EngineError as error:
        return Check("compiler", "warning", f"{error}; only the brian2 engine needs it")
    return Check("compiler", "good", f"{shutil.which('g++') or shutil.which('c++') or 'found'}, for the brian2 engine")


def _machine() -> Check:
    free = free_memory()
    memory = "unknown memory" if free is None else f"{free / 2**30:.1f} GiB of free memory"
    return Check("machine", "good", f"{platform.platform()}, {available_cores()} cores for this process, {memory}")


def _caches() -> Iterator[Check]:
    """Check whether downloads and machine code can be kept."""
    import pooch

    from stdpnet.stdp.engines.compiled import kernels

    remedy = "set XDG_CACHE_HOME or NUMBA_CACHE_DIR to another folder"
    yield _writable("cache of downloads", Path(pooch.os_cache("stdpnet")), remedy)
    if path := getattr(getattr(kernels.present, "_cache", None), "cache_path", None):
        yield _writable("cache of machine code", Path(path), remedy)
    else:
        why = "no folder may be written: it is compiled each time; set NUMBA_CACHE_DIR to a folder that may be written"
        yield Check("cache of machine code", "warning", why)


def _runs() -> Check:
    from stdpnet.runs.paths import RUNS

    return _writable("runs", RUNS.absolute(), "begin in a folder that may be written, or give --run a path", "failed")


def _writable(name: str, folder: Path, remedy: str, otherwise: Literal["warning", "failed"] = "warning") -> Check:
    """Check whether a folder, or its nearest existing parent, is writable; if not, the state is `otherwise`."""
    existing = folder
    while not os.path.lexists(existing) and existing != existing.parent:
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        return Check(name, otherwise, f"{folder}: cannot be written ({error.strerror}); {remedy}")
    return Check(name, "good", f"{folder}, {free / 2**30:.1f} GiB free")


def _data() -> Check:
    """List where the published datasets are; a missing one is downloaded when it is first needed."""
    from stdpnet.data import available

    places = {each.name: each.where for each in available() if each.where != "dataset.path"}
    damaged = [name for name, where in places.items() if where.endswith("(incomplete)")]
    found = ", ".join(f"{name}: {where}" for name, where in places.items())
    return Check("data", "warning" if damaged else "good", found)


def _engines() -> Check:
    """Train a network on both engines with images of stripes; compare spikes, potentials, weights and thresholds."""
    import numpy as np

    from stdpnet.api import as_split
    from stdpnet.spec.load import load_config
    from stdpnet.stdp.verification import verify

    spec: Any = load_config("digits", SMALL)
    row, column = np.indices((spec.dataset.crop,) * 2)
    stripes = np.stack([255 * ((row * number + column) % 5 < 2) for number in range(IMAGES)]).astype(np.uint8)
    begin = time.perf_counter()
    try:
        verdict = verify(spec, IMAGES, training=as_split(stripes))
    except StdpnetError as error:
        return Check("engines", "failed", str(error))
    words = f"{verdict.message} on {verdict.images} images, {time.perf_counter() - begin:.1f} s"
    return Check("engines", "good" if verdict.identical and verdict.spikes else "failed", words)
