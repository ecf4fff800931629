"""The experiments with rate-conversion networks: 784-128-10 on MNIST and Fashion-MNIST, and a small one on digits."""

from __future__ import annotations

from typing import Any

from stdpnet.baselines.rate_conversion.spec import RateConversionExperiment

EPOCHS = 10
_SETS: dict[str, dict[str, Any]] = {
    "mnist": {"dataset": {"name": "mnist"}, "training": {"images": EPOCHS * 50_000}},
    "fashion": {"dataset": {"name": "fashion-mnist"}, "training": {"images": EPOCHS * 50_000}},
    "digits": {"dataset": {"name": "digits"}, "network": {"hidden": 64}, "training": {"images": 10_000}},
}


def presets() -> dict[str, RateConversionExperiment]:
    """Return every preset of this model, by name."""
    shared = {"evaluation": {"readouts": ("linear",)}, "progress": {"every": 10_000}}
    return {
        f"rate-conversion-{name}": RateConversionExperiment(
            **{**tables, "dataset": {**tables["dataset"], "crop": 28}, **shared}
        )
        for name, tables in _SETS.items()
    }
