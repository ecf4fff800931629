"""The experiments with surrogate gradients: 784-100-10 on MNIST and Fashion-MNIST, and a small one on digits."""

from __future__ import annotations

from typing import Any

from stdpnet.baselines.surrogate_gradient.spec import SurrogateGradientExperiment

EPOCH = 50_000
"""Training images of MNIST and Fashion-MNIST."""
_SETS: dict[str, dict[str, Any]] = {
    "mnist": {"dataset": {"name": "mnist"}, "training": {"images": 5 * EPOCH}},
    "fashion": {
        "dataset": {"name": "fashion-mnist"},
        "training": {"images": 5 * EPOCH},
        "optimiser": {"learning_rate": 0.0005},
    },
    "digits": {"dataset": {"name": "digits"}, "training": {"images": 10_000}, "progress": {"every": 1000}},
}
# Found on validation images of MNIST; the learning rate of "fashion" on those of Fashion-MNIST
# (docs/surrogate-gradient.md).
_SHARED: dict[str, dict[str, Any]] = {
    "dataset": {"crop": 28},
    "network": {"deviation": 0.02},
    "neuron": {"reset": "subtract"},
    "surrogate": {"slope": 2.0, "through_reset": True},
    "training": {"batch": 32, "temperature": 10.0},
    "evaluation": {"readouts": ("linear",)},
    "progress": {"every": 10_000},
}


def presets() -> dict[str, SurrogateGradientExperiment]:
    """Return every preset of this model, by name."""
    return {
        f"bptt-{name}": SurrogateGradientExperiment(
            **{table: {**_SHARED.get(table, {}), **tables.get(table, {})} for table in (*tables, *_SHARED)}
        )
        for name, tables in _SETS.items()
    }
