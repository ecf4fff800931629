"""The experiments with rate-conversion networks: 784-128-10 on MNIST and Fashion-MNIST, and a small one on digits."""

from __future__ import annotations

from typing import Any

from stdpnet.baselines.rate_conversion.spec import RateConversionExperiment

EPOCHS = 10
_SETS: dict[str, dict[str, Any]] = {
    "mnist": {"dataset": {"name": "mnist"}, "training": {"images": EPOCHS * 50_000}},
    "fashion": {"dataset": {"name": "fashion-mnist"}, "training": {"images": EPOCHS * 50_000}},
    "digits": {
        "dataset": {"name": "digits"},
        "network": {"hidden": 64},
        "training": {"images": 10_000},
        "progress": {"every": 1000},
    },
}


def presets() -> dict[str, RateConversionExperiment]:
    """Return every preset of this model, by name."""
    shared = {"evaluation": {"readouts": ("linear",)}, "progress": {"every": 10_000}}
    return {
        f"rate-conversion-{name}": RateConversionExperiment(
            **{**shared, **tables, "dataset": {**tables["dataset"], "crop": 28}}
        )
        for name, tables in _SETS.items()
    }
