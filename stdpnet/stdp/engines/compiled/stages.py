"""Time the stages of presentations inside compiled code.

Each `lap` adds the time since the previous lap to a stage, so that the stages of a call add up to its whole time. If
`Memory.stages` is empty, which is the normal case, a lap is one comparison.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, instruction, internal

REST, MAP, INTEGRATE, SPIKES, COMPETITION, PLASTICITY, NORMALISE, OTHER = range(8)
STAGES = ("rest", "map", "integrate", "spikes", "competition", "plasticity", "normalise", "other")
"""The names of the stages; `other` is the time of Python, and of stages that are shorter than their laps."""
CLOCK, NAME = time.CLOCK_MONOTONIC, "clock_gettime"
LAPS = 2000
"""Number of laps from which the duration of a lap itself is measured."""


def stage_times(timed: bool) -> NDArray[np.int64]:
    """Return memory (S + 1, 2): time, ns, and laps of each stage; in the last row, the time of the last lap."""
    times = np.zeros((len(STAGES) + 1 if timed else 0, 2), np.int64)
    if timed:
        times[-1, 0] = time.clock_gettime_ns(CLOCK)
    return times


@instruction
def _nanoseconds(_: Any) -> Any:
    """_nanoseconds(): the time of CLOCK, of the C library."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, word = ir.IntType(32), ir.IntType(64)
        timespec = ir.ArrayType(word, 2)
        kind = ir.FunctionType(number, [number, timespec.as_pointer()])
        function = builder.module.globals.get(NAME) or ir.Function(builder.module, kind, NAME)
        with builder.goto_entry_block():
            place = builder.alloca(timespec)
        builder.call(function, [ir.Constant(number, CLOCK), place])
        seconds, rest = (builder.extract_value(builder.load(place), index) for index in (0, 1))
        return builder.add(builder.mul(seconds, ir.Constant(word, 10**9)), rest)

    return types.int64(), generate


@internal
def lap(times: NDArray[np.int64], stage: int) -> None:
    """Add the time since the last lap to a stage, if stages are timed."""
    if times.shape[0] > 0:
        last, now = times.shape[0] - 1, _nanoseconds()
        times[stage, 0] += now - times[last, 0]
        times[stage, 1] += 1
        times[last, 0] = now


def lap_in_python(times: NDArray[np.int64], stage: int) -> None:
    """Do the same as `lap`, without compiled code."""
    if len(times):
        now = time.clock_gettime_ns(CLOCK)
        times[stage] += (now - times[-1, 0], 1)
        times[-1, 0] = now


@compiled
def _many_laps(times: NDArray[np.int64], laps: int) -> None:
    for _ in range(laps):
        lap(times, 0)


def stage_seconds(times: NDArray[np.int64]) -> dict[str, float]:
    """Return the time of each stage, s, without that of the laps.

    A stage that takes less time than its laps do is a part of `other`.
    """
    costs = []
    for _ in range(5):
        trial = stage_times(timed=True)
        _many_laps(trial, LAPS)
        costs.append(trial[0, 0] / LAPS)
    lapped, spent = times[:-1, 1] * min(costs), times[:-1, 0] - times[:-1, 1] * min(costs)
    apart = spent > lapped
    apart[OTHER] = False
    seconds = {name: float(value) / 1e9 for name, value, is_apart in zip(STAGES, spent, apart, strict=True) if is_apart}
    return seconds | {STAGES[OTHER]: max(float(spent[~apart].sum()) / 1e9, 0.0)}
