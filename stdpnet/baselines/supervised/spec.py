"""Keys of networks that learn from labels: classes, mini-batches, optimiser."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stdpnet.spec.base import Schedule, Spec
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.training import TrainingSpec

PUBLISHED = ("mnist", "fashion-mnist")
"""Sets with 60 000 training images, the last 10 000 of which calibrate by default, and test images of their own."""


class SupervisedTrainingSpec(TrainingSpec):
    """The training protocol of a network that learns from labels, in mini-batches."""

    images: Annotated[int, Schedule()] = Field(50_000, ge=0)
    """Training images to show, in seeded order; beyond the size of the split: further epochs, each in its own order."""
    classes: int = Field(10, ge=2, le=65_536)
    """Classes of the images, and so output units of the network: 10 of digits, mnist and fashion-mnist."""
    batch: int = Field(32, ge=1, le=65_536)
    """Images behind an update of the weights; those of a batch that is not full yet wait for the next images."""


class OptimiserSpec(Spec):
    """How weights follow the gradient of the loss, the mean over the images of a batch."""

    kind: Literal["adam", "sgd"] = "adam"
    """adam (Kingma & Ba 2015, algorithm 1), or sgd: plain stochastic gradient descent."""
    learning_rate: float = Field(1e-3, gt=0)
    """Size of a step."""
    beta_1: float = Field(0.9, ge=0, lt=1)
    """adam: decay of the running mean of the gradient, per update."""
    beta_2: float = Field(0.999, ge=0, lt=1)
    """adam: decay of the running mean of its square, per update."""
    epsilon: float = Field(1e-8, gt=0)
    """adam: added to the root of that mean."""
    clip: float = Field(0.0, ge=0)
    """Largest absolute value of an element of the gradient; larger ones are cut to it; 0: none are."""


def labels_used(spec: Experiment) -> int:
    """Return how many labels a training uses, each counted once; at most that where the size of the set is unknown."""
    training, dataset = spec.training, spec.dataset
    different = training.images
    if dataset.name in PUBLISHED:
        different = 60_000 - (dataset.calibration or 10_000) - dataset.validation
    elif dataset.name == "digits":
        fifth = 1797 // 5
        different = 1797 - (dataset.calibration or fifth) - (dataset.test or fifth) - dataset.validation
    return min(training.images, training.pool or training.images, different)
