"""The settings that experiments of all models have: seed, images, training protocol, monitoring and evaluation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from stdpnet.spec.base import Monitoring, Spec
from stdpnet.spec.dataset import DatasetSpec
from stdpnet.spec.monitoring import CheckpointSpec, CurveSpec, EvaluationSpec, HealthSpec, ProgressSpec
from stdpnet.spec.training import TrainingSpec


class Experiment(Spec):
    """Model, images and protocol of one training job; each model has a subclass with tables of its own."""

    answering: ClassVar[tuple[str, ...]] = ()
    """The tables that decide, together with a trained state, what the model answers to an image."""
    operating: ClassVar[tuple[str, ...]] = ("dataset.distortion",)
    """Tables and keys that may differ between training and evaluation (stdpnet.operating)."""
    scalable: ClassVar[tuple[str, ...]] = ()
    """Arrays of the state that evaluation may multiply by a factor."""

    model: str = "stdp"
    """Which model is trained: stdp (spiking networks), features (random, k-means or PCA features),
    rate_conversion (a ReLU network, learned from labels, that answers with spikes), surrogate_gradient (a spiking
    network, learned from labels by backpropagation through time), or colanet (columns that learn from labels by a local
    rule)."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of everything random: initial weights, order of the images, input spikes."""
    dataset: DatasetSpec = DatasetSpec()
    """Which images, cut how, and how they are split."""
    training: TrainingSpec = TrainingSpec()
    """How long to train."""
    checkpoint: Annotated[CheckpointSpec, Monitoring()] = CheckpointSpec()
    """When the complete state is written."""
    progress: Annotated[ProgressSpec, Monitoring()] = ProgressSpec()
    """How often a row of progress is written."""
    evaluation: Annotated[EvaluationSpec, Monitoring()] = EvaluationSpec()
    """How the trained model is read out."""
    curve: Annotated[CurveSpec, Monitoring()] = CurveSpec()
    """Evaluations during the training."""
    health: Annotated[HealthSpec, Monitoring()] = HealthSpec()
    """What counts as unhealthy."""

    @property
    def computation(self) -> dict[str, Any]:
        """What the provenance of a run says about how it is computed."""
        return {}

    @model_validator(mode="after")
    def _shifted_images_stay_in_their_frame(self) -> Self:
        most = self.dataset.crop // 2
        if self.training.shift > most:
            raise ValueError(
                f"training.shift: {self.training.shift} moves much of an image out of its {self.dataset.crop} pixels "
                f"(dataset.crop); choose at most {most}"
            )
        return self

    @model_validator(mode="after")
    def _a_curve_has_validation_images(self) -> Self:
        if self.curve.every and not self.dataset.validation:
            raise ValueError(
                "curve.every: the learning curve is measured on validation images, and dataset.validation is 0; hold "
                "some of the training images out, such as dataset.validation = 1000"
            )
        return self
