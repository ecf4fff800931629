"""Brian2 in this process: preferences, compiler, cache folder, garbage collection."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import brian2
import numpy as np
import pooch
from brian2.codegen.runtime.cython_rt import CythonCodeObject
from brian2.utils.logger import catch_logs

from stdpnet.errors import EngineError

COMPILER_FLAGS = ("-w", "-g0", "-O3", "-std=c++11", "-ffp-contract=off")
"""No fused multiply-add and no reassociation: each rounds differently from the plain operations."""

WRONG_FROM = (2, 10)
"""First version of Brian2 whose cython target is not used."""

# With this preference on, Brian2 reports an uncaught error of any part of the program as an error of Brian2.
brian2.prefs["logging.display_brian_error_message"] = False


def cache_folder(flags: tuple[str, ...] = COMPILER_FLAGS) -> Path:
    """Return the folder of code compiled with these flags; Brian2's default cache does not distinguish flags."""
    key = hashlib.sha256(" ".join(flags).encode()).hexdigest()[:12]
    return Path(pooch.os_cache("stdpnet")) / "brian2" / key


def has_compiled() -> bool:
    """Return whether Brian2 has compiled anything for the cython target on this machine."""
    return any(cache_folder().glob("*.so"))


@contextmanager
def preferences(target: str) -> Iterator[None]:
    """Set the Brian2 preferences on which results depend, and restore the user's afterwards."""
    values = {
        "codegen.target": target,
        "codegen.cpp.extra_compile_args": None,
        "codegen.cpp.extra_compile_args_gcc": list(COMPILER_FLAGS),
        "codegen.runtime.cython.cache_dir": str(cache_folder()),
        "core.default_float_dtype": np.float64,
        "legacy.refractory_timing": False,
    }
    before = {name: brian2.prefs[name] for name in values}
    try:
        brian2.prefs.update(values)
        yield
    finally:
        brian2.prefs.update(before)


@contextmanager
def quick_collection() -> Iterator[None]:
    """Exclude existing objects from the garbage collection with which each run begins: it takes 0.1 to 0.3 s."""
    if gc.get_freeze_count():  # the user has frozen objects, which unfreezing would release too
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def require_compiler() -> None:
    """Raise EngineError unless Brian2 can compile with all of COMPILER_FLAGS; it only warns of flags that it drops.

    The cython target of Brian2 2.10 and 2.11 computes other synaptic currents than their numpy target and than 2.9.
    """
    version = brian2.__version__
    if tuple(map(int, version.split(".")[:2])) >= WRONG_FROM:
        raise EngineError(
            f"simulation.brian2_target: 'cython' of Brian2 {version} computes other currents than its 'numpy'; install "
            "brian2<2.10, or use simulation.brian2_target = 'numpy'"
        )
    with catch_logs() as messages:
        available = CythonCodeObject.is_available()
    if messages or not available:
        lines = [text.splitlines()[0] for _, _, text in messages]
        raise EngineError(
            f"simulation.brian2_target: 'cython' needs a C++ compiler that knows {' '.join(COMPILER_FLAGS)}; install "
            f"g++, or use simulation.brian2_target = 'numpy'. Brian2 says: {'; '.join(lines[-1:])}"
        )
