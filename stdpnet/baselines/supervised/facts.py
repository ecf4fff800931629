"""Facts about models that learn from labels: their sizes, and how many labels they use."""

from __future__ import annotations

from typing import Any

from stdpnet.model import Facts
from stdpnet.spec.experiment import Experiment

PUBLISHED = ("mnist", "fashion-mnist", "n-mnist")
"""Datasets with 60 000 training images, the last 10 000 of which calibrate by default, and separate test images."""


def facts_of_layers(spec: Any, family: str) -> Facts:
    """Return the facts of a network of pixels, hidden and output units, fully connected.

    Parameters
    ----------
    spec : the experiment, with pixels, label, network.hidden and training.classes
    family : name of the kind of network in tables
    """
    hidden = spec.network.hidden
    return Facts(
        label=spec.label,
        family=family,
        positions=1,
        units=hidden,
        synapses={"feedforward": spec.pixels * hidden, "output": hidden * spec.training.classes},
        labels=labels_used(spec),
        details={"hidden": hidden},
    )


def labels_used(spec: Experiment) -> int:
    """Return the number of labelled images that a training uses, each counted once.

    It is an upper bound where the size of the dataset is unknown.
    """
    training, dataset = spec.training, spec.dataset
    different = training.images
    if dataset.name in PUBLISHED:
        different = 60_000 - (dataset.calibration or 10_000) - dataset.validation
    elif dataset.name in ("digits", "digits-events"):
        fifth = 1797 // 5
        different = 1797 - (dataset.calibration or fifth) - (dataset.test or fifth) - dataset.validation
    return min(training.images, training.pool or training.images, different)
