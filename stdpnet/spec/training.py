"""How long to train, and on how many different images."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stdpnet.spec.base import Schedule, Spec


class TrainingSpec(Spec):
    """The training protocol that all models share."""

    images: Annotated[int, Schedule()] = Field(5000, ge=0)
    """Training images to show, in seeded order; beyond the size of the split: further epochs, each in its own order."""
    pool: Annotated[int, Schedule()] = Field(0, ge=0)
    """Different images to show: the first so many of the seeded order, in epochs; 0: all of the split."""
