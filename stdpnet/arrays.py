"""Types of arrays that several rooms share."""

from __future__ import annotations

from typing import Any, TypeAlias

from numpy.typing import NDArray

Floats: TypeAlias = NDArray[Any]
"""Arrays of a network's floating point type, float32 or float64."""
