"""Machine code for several types of processors in one cache: each has its own, of fitting width, and equal numbers."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import numpy as np
from stdpnet._numba.jit import compiled
from stdpnet.stdp.engines.compiled.blocks import one_register, register_bytes
from stdpnet.stdp.engines.compiled.vectors import clip_vector, integrate, length, load, store

@compiled
def decay(v, current, block):
    for start in range(0, v.shape[1], length(block)):
        for row in range(v.shape[0]):
            new = integrate(load(v, row, start, block), load(current, row, start, block), -65.0, 0.951)
            store(v, row, start, clip_vector(new, -70.0, -52.0))

random = np.random.default_rng(0)
v, current = random.normal(-60, 5, (3, 64)), random.normal(0, 3, (3, 64))
decay(v, current, one_register(8))
print(register_bytes(), v.tobytes().hex())
"""
PROCESSORS = {"nehalem": {"NUMBA_CPU_NAME": "nehalem", "NUMBA_CPU_FEATURES": ""}, "own": {}}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names processors of this kind")
def test_types_of_processors_share_a_cache_and_find_the_same_numbers(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    root = str(Path(__file__).parents[3])
    widths, numbers = [], []
    for processor in PROCESSORS.values():
        keys = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": root, **processor}
        done = subprocess.run(
            [sys.executable, str(program)], env=os.environ | keys, capture_output=True, text=True, check=True
        )
        width, bits = done.stdout.split()
        widths.append(int(width))
        numbers.append(bits)
    assert widths[0] == 16, "SSE has no wider registers"
    assert widths[1] in (16, 32, 64)
    assert numbers[0] == numbers[1]
    assert len(list((tmp_path / "cache").rglob("*.nbc"))) == 2
