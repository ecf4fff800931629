"""Types of arrays that several rooms share."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[Any]
"""Arrays of a network's floating point type, float32 or float64."""
Float64s: TypeAlias = NDArray[np.float64]
"""Arrays of float64, whatever the network computes in."""
Counts: TypeAlias = NDArray[np.uint16]
"""Spike counts."""
