"""Small experiments of every model, and images for them."""

import numpy as np

from stdpnet.baselines.features.spec import FeaturesExperiment
from tests.stdp.engines.networks import ARCHITECTURES, lively

IMAGES = 40
SIDE = 6


def features(kind, architecture="locally_connected", **changes):
    """Return an experiment with features of the geometry that `lively` has."""
    kernel = {} if architecture == "fully_connected" else {"kernel": 4}
    values = {
        "seed": 3,
        "dataset": {"crop": SIDE},
        "topology": {"architecture": architecture, "channels": 5, "stride": 2, **kernel},
        "features": {"kind": kind},
    }
    for table, keys in changes.items():
        values[table] = {**values.get(table, {}), **keys}
    return FeaturesExperiment(**values)


CASES = {f"stdp-{architecture}": (lively, architecture) for architecture in ARCHITECTURES} | {
    f"{kind}-{architecture}": (features, kind, architecture)
    for kind in ("random", "kmeans", "pca")
    for architecture in ARCHITECTURES
}


def case(name, **tables):
    """Return the experiment of a name in CASES, for 30 images, with a row of progress every 7."""
    maker, *arguments = CASES[name]
    tables = {"training": {"images": 30}, "progress": {"every": 7}, "health": {"action": "ignore"}} | tables
    return maker(*arguments, **tables)


def images(count=IMAGES, seed=0):
    """Return noise that all models respond to."""
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE)).astype(np.uint8)


def labels(count=IMAGES):
    """Return two classes in turn."""
    return np.arange(count) % 2
