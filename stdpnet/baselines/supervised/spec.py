"""Keys of networks that learn from labels: classes, mini-batches, optimiser."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stdpnet.spec.base import Schedule, Spec
from stdpnet.spec.training import TrainingSpec


class SupervisedTrainingSpec(TrainingSpec):
    """The training protocol of a network that learns from labels, in mini-batches."""

    images: Annotated[int, Schedule()] = Field(50_000, ge=0)
    """Training images to show, in seeded order; beyond the size of the split: further epochs, each in its own order."""
    classes: int = Field(10, ge=2, le=65_536)
    """Classes of the images, and so output units of the network: 10 of digits, mnist and fashion-mnist."""
    batch: int = Field(32, ge=1, le=65_536)
    """Images of a mini-batch; those of a batch that is not full yet wait for the next images."""


class OptimiserSpec(Spec):
    """How weights follow the gradient of the loss, the mean over the images of a batch."""

    kind: Literal["adam", "sgd"] = "adam"
    """adam (Kingma & Ba 2015, algorithm 1), or sgd: plain stochastic gradient descent."""
    learning_rate: float = Field(1e-3, gt=0)
    """Learning rate: factor of the gradient (sgd), or of its normalised running mean (adam), in an update."""
    beta_1: float = Field(0.9, ge=0, lt=1)
    """adam: decay of the running mean of the gradient, per update."""
    beta_2: float = Field(0.999, ge=0, lt=1)
    """adam: decay of the running mean of its square, per update."""
    epsilon: float = Field(1e-8, gt=0)
    """adam: added to the root of that mean."""
    clip: float = Field(0.0, ge=0)
    """Largest absolute value of an element of the gradient, to which larger ones are clipped; 0: no limit."""
