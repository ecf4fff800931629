"""Settings of a training: its length, and the number of different images."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stdpnet.spec.base import Schedule, Spec

MOST_IMAGES = 10**9
"""Training images of a run, at most."""


class TrainingSpec(Spec):
    """The training protocol that all models share."""

    images: Annotated[int, Schedule()] = Field(5000, ge=0, le=MOST_IMAGES)
    """Training images to show, in seeded order; beyond the size of the split: further epochs, each in its own order."""
    pool: Annotated[int, Schedule()] = Field(0, ge=0)
    """Different images to show: the first so many of the seeded order, in epochs; 0: all of the split."""
    shift: Annotated[int, Schedule()] = Field(0, ge=0)
    """Each training image is moved, whenever it is shown, by up to so many pixels down or up and right or left, both
    drawn at random; what is moved in is black. 0: images stay where they are."""
