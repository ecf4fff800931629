"""How long to train."""

from __future__ import annotations

from pydantic import Field

from stdpnet.spec.base import Spec


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
