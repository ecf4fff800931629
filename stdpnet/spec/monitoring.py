"""Settings of checkpoints, progress, curve, evaluation and health checks; none of them changes what is learned."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from stdpnet.spec.base import Spec


class CheckpointSpec(Spec):
    """When the complete state is written."""

    every: int = Field(10_000, ge=0)
    """Training images between two checkpoints; 0: none but by time and at the end."""
    minutes: float = Field(5.0, ge=0)
    """Minutes between two checkpoints; 0: none but by images and at the end."""


class ProgressSpec(Spec):
    """How often progress.jsonl gets a row, and the health of the network is looked at."""

    every: int = Field(1000, ge=1)
    """Training images between two rows."""
    tensorboard: bool = False
    """Whether each row, and each of the learning curve, is written as a TensorBoard event, too, with histograms of what
    learns and a picture of the receptive fields; into tensorboard/ of the run; needs the extra tensorboard."""


class EvaluationSpec(Spec):
    """How the trained model is read out."""

    readouts: tuple[str, ...] = Field(("all", "patch", "spikes_first", "log_evidence", "linear"), min_length=1)
    """Read-outs that `stdpnet evaluate` and the learning curve score: all, patch, spikes_first (or vote: these three),
    log_evidence, naive_bayes, proportion, assigned, n_gram, colanet, linear,
    linear_cv (`stdpnet docs readouts`)."""

    @property
    def first_spikes(self) -> bool:
        """Whether responses must say when each neuron spiked first."""
        return "n_gram" in self.readouts

    @field_validator("readouts", mode="before")
    @classmethod
    def _names_with_commas(cls, value: Any) -> Any:
        """Allow --set evaluation.readouts=all,linear."""
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


class CurveSpec(Spec):
    """The learning curve: evaluations of the frozen network while it is trained."""

    every: int = Field(0, ge=0)
    """Training images between two evaluations (the thesis: 250); 0: none."""
    calibration: int = Field(5000, ge=1)
    """Calibration images used for an evaluation; all where there are fewer."""
    validation: int = Field(1000, ge=1)
    """Validation images scored in an evaluation; all where there are fewer. The test split is never used."""
    readout: str = "linear"
    """The read-out by which the best state is chosen and a plateau is found; it is scored, too."""
    patience: int = Field(0, ge=0)
    """Stop when so many evaluations in a row bring no better accuracy; 0: never."""


class HealthSpec(Spec):
    """What is done where an interval of progress is unhealthy; each model adds its own bounds."""

    action: Literal["warn", "stop", "ignore"] = "warn"
    """warn: say so and go on; stop: write a checkpoint and stop; ignore. Values that are not finite always stop."""
