"""Time step, duration, engine and arithmetic of a simulation."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from stdpnet.spec.base import Spec

MOST_STEPS = 1_000_000
"""Steps of the longest presentation."""


class SimulationSpec(Spec):
    """Time, engine and arithmetic."""

    dt: float = Field(1.0, gt=0)
    """Time step, ms."""
    duration: float = Field(250.0, gt=0)
    """Time for which one image is shown, ms; a whole number of steps."""
    engine: Literal["numba", "brian2"] = "numba"
    """numba (compiled, fast) or brian2 (the reference)."""
    dtype: Literal["float32", "float64"] = "float32"
    """float64: equal to Brian2 to the last bit; float32: faster, statistically equal; brian2 has float64 only."""
    brian2_target: Literal["cython", "numpy"] = "cython"
    """Code generation target of the brian2 engine; cython needs a C++ compiler."""

    @model_validator(mode="after")
    def _duration_is_whole(self) -> Self:
        steps = self.duration / self.dt
        if steps > MOST_STEPS:
            raise ValueError(
                f"dt: {self.dt:g} ms makes {steps:.3g} steps of a presentation of {self.duration:g} ms; choose a "
                f"larger dt or a shorter duration: at most {MOST_STEPS} steps"
            )
        if abs(steps - round(steps)) > 1e-9 * steps:
            raise ValueError(f"duration: {self.duration} ms is not a whole number of steps of dt = {self.dt} ms")
        return self

    @property
    def steps(self) -> int:
        """Steps T of one presentation."""
        return round(self.duration / self.dt)

    @property
    def effective_dtype(self) -> Literal["float32", "float64"]:
        """The type that is really used: Brian2 has float64 only."""
        return "float64" if self.engine == "brian2" else self.dtype
