"""Every seeded source of random numbers: what a generator is for, and the streams of input spikes."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a seeded NumPy generator is for; each has a sequence of its own."""

    WEIGHTS = 0
    COMPETITION = 1
    IMAGE_ORDER = 2


def generator(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """Return the generator of (seed, purpose, numbers), independent of all others."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, int(purpose), *numbers))))


class Stream(IntEnum):
    """Independent sources of input spikes; they never overlap."""

    TRAIN = 0
    CALIBRATE = 1
    VALIDATE = 2
    TEST = 3
