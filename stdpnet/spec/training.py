"""How long to train, in what time steps, on which engine."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from stdpnet.spec.base import Spec


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
        if abs(steps - round(steps)) > 1e-9 * steps:
            raise ValueError(f"duration: {self.duration} ms is not a whole number of steps of dt = {self.dt} ms")
        return self

    @property
    def steps(self) -> int:
        """Steps T of one presentation."""
        return round(self.duration / self.dt)

    @property
    def effective_dtype(self) -> Literal["float32", "float64"]:
        """The arithmetic that is really used: Brian2 knows float64 only."""
        return "float64" if self.engine == "brian2" else self.dtype


class TrainingSpec(Spec):
    """The training protocol."""

    images: int = Field(5000, ge=0)
    """Training images to show, in seeded order; beyond the size of the split: further epochs, each in its own order."""
    pool: int = Field(0, ge=0)
    """Different images to show: the first so many of the seeded order, in epochs; 0: all of the split."""
    two_step: int = Field(0, ge=0)
    """Image after which feedforward weights stop learning and the competition starts; 0: both learn all the time."""
    min_spikes: int = Field(0, ge=0)
    """An image answered by fewer spikes of the whole network is shown again (Diehl & Cook 2015: 5); 0: never."""
    max_retries: int = Field(5, ge=0, le=255)
    """How often an image is shown again at most."""
    retry_rate: float = Field(32.0, ge=0)
    """What each new showing adds to the encoder's max_rate, Hz."""
