"""The experiments with surrogate gradients: 784-100-10 on MNIST and Fashion-MNIST, and a small one on digits."""

from __future__ import annotations

from typing import Any

from stdpnet.baselines.surrogate_gradient.spec import SurrogateGradientExperiment

EPOCHS = 5
_SETS: dict[str, dict[str, Any]] = {
    "mnist": {"dataset": {"name": "mnist"}, "training": {"images": EPOCHS * 50_000}},
    "fashion": {"dataset": {"name": "fashion-mnist"}, "training": {"images": EPOCHS * 50_000}},
    "digits": {"dataset": {"name": "digits"}, "training": {"images": 5000, "batch": 32}},
}


def presets() -> dict[str, SurrogateGradientExperiment]:
    """Return every preset of this model, by name."""
    shared = {"evaluation": {"readouts": ("linear",)}, "progress": {"every": 5000}}
    return {
        f"bptt-{name}": SurrogateGradientExperiment(
            **{**tables, "dataset": {**tables["dataset"], "crop": 28}, **shared}
        )
        for name, tables in _SETS.items()
    }
