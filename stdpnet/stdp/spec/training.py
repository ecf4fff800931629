"""The training protocol of a spiking network: what learns when, and which images are shown again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stdpnet.spec.base import Schedule
from stdpnet.spec.training import TrainingSpec


class STDPTrainingSpec(TrainingSpec):
    """How long to train, what learns when, and when an image is shown again; evaluations repeat images, too."""

    two_step: Annotated[int, Schedule()] = Field(0, ge=0)
    """Image after which feedforward weights stop learning and the competition starts; 0: both learn all the time."""
    second_step_from: Annotated[Literal["initial", "zero"], Schedule()] = "initial"
    """Where the competition starts in the second step of two_step: at its initial weights, which inhibit in the first
    step; or at 0. With competition.initial = constant, zero and a pool of two_step images, this is the thesis's own
    two-step training: the same images for both."""
    min_spikes: int = Field(0, ge=0)
    """An image answered by fewer spikes of the whole network is shown again (Diehl & Cook 2015: 5); 0: never."""
    max_retries: int = Field(5, ge=0, le=255)
    """How often an image is shown again at most."""
    retry_rate: float = Field(32.0, ge=0)
    """Increase of the encoder's max_rate each time that an image is shown again, Hz."""
