"""Small experiments of every model, and images for them."""

import numpy as np

from stdpnet.baselines.colanet.spec import ColaNETExperiment
from stdpnet.baselines.features.spec import FeaturesExperiment
from stdpnet.baselines.rate_conversion.spec import RateConversionExperiment
from stdpnet.baselines.surrogate_gradient.spec import SurrogateGradientExperiment
from stdpnet.model import facts_of
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


def rate_conversion(**changes):
    """Return an experiment with a small rate-conversion network."""
    values = {
        "seed": 3,
        "dataset": {"crop": SIDE},
        "network": {"hidden": 5},
        "training": {"classes": 2, "batch": 4},
        "spiking": {"dt": 1.0, "steps": 3},
    }
    for table, keys in changes.items():
        values[table] = {**values.get(table, {}), **keys}
    return RateConversionExperiment(**values)


def filtered(**changes):
    """Return one whose training sees spikes and a low-pass filter."""
    keys = {"spike_aware": True, "rate_penalty": 0.01, **changes.pop("training", {})}
    return rate_conversion(training=keys, spiking={"dt": 1.0, "steps": 3, "lowpass": 2.0}, **changes)


def surrogate_gradient(**changes):
    """Return an experiment with a small network that is trained with surrogate gradients."""
    values = {
        "seed": 3,
        "dataset": {"crop": SIDE},
        "network": {"hidden": 5, "deviation": 0.3},
        "training": {"classes": 2, "batch": 4},
        "simulation": {"steps": 10},
    }
    for table, keys in changes.items():
        values[table] = {**values.get(table, {}), **keys}
    return SurrogateGradientExperiment(**values)


def colanet(**changes):
    """Return an experiment with a small CoLaNET."""
    values = {
        "seed": 3,
        "dataset": {"crop": SIDE},
        "training": {"classes": 2},
        "columns": {"microcolumns": 3, "threshold": 2.0},
    }
    for table, keys in changes.items():
        values[table] = {**values.get(table, {}), **keys}
    return ColaNETExperiment(**values)


def convolutional_colanet(**changes):
    """Return one behind a spiking convolution, whose kernels learn first."""
    kernels = {"channels": 4, "kernel": 3, "stride": 1, "images": 10, "threshold": 0.01}
    return colanet(kernels=kernels, **changes)


def spiking_colanet(**changes):
    """Return one with the spiking plasticity."""
    columns = {"plasticity": "spiking", "excess": 0.1, "threshold": 0.6, **changes.pop("columns", {})}
    return colanet(columns=columns, spiking={"noise": 0.2, "forcing": 0.7}, **changes)


CASES = {f"stdp-{architecture}": (lively, architecture) for architecture in ARCHITECTURES} | {
    f"{kind}-{architecture}": (features, kind, architecture)
    for kind in ("random", "kmeans", "pca")
    for architecture in ARCHITECTURES
}
CASES |= {"rate": (rate_conversion,), "rate-filtered": (filtered,), "surrogate": (surrogate_gradient,)}
CASES |= {"colanet": (colanet,), "colanet-kernels": (convolutional_colanet,)}
CASES |= {"colanet-spiking": (spiking_colanet,)}


def learns_from_labels(spec):
    """Return whether a model's training uses labels."""
    return facts_of(spec).labels > 0


def width(spec):
    """Return how many units a position has."""
    if spec.model == "colanet":
        return spec.training.classes * spec.columns.microcolumns
    return spec.topology.channels if hasattr(spec, "topology") else spec.network.hidden


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
