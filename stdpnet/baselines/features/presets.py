"""The experiments with features: the size of LCSNN 100/12 on MNIST for each kind, and a small one on digits."""

from __future__ import annotations

from typing import Any

from stdpnet.baselines.features.spec import FeaturesExperiment

# Found on validation images (docs/baselines.md).
_KINDS: dict[str, dict[str, Any]] = {
    "random": {"training": {"images": 0}},  # there is nothing to learn
    "kmeans": {"features": {"winners": 10}, "training": {"images": 5000}},
    "pca": {"features": {"whiten": True}, "training": {"images": 5000}},
}


def presets() -> dict[str, FeaturesExperiment]:
    """Return every preset of this model, by name."""
    topology = {"channels": 100, "kernel": 12}
    found = {
        f"features-{kind}-100-k12": FeaturesExperiment(
            **{**tables, "topology": topology, "features": {"kind": kind, **tables.get("features", {})}}
        )
        for kind, tables in _KINDS.items()
    }
    digits = {"dataset": {"name": "digits"}, "topology": {"channels": 50, "kernel": 12}, "training": {"images": 1000}}
    return {**found, "features-digits": FeaturesExperiment(**digits)}
