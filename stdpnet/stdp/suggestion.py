"""Suggest a configuration for a set of images, from their statistics and a short training without labels.

Sets of images differ most in how strongly they drive a neuron: the ink in a receptive field decides how fast its
neurons charge, and at which threshold they answer an image with a few spikes. All other values are those of the presets
of the architecture, which were found by search on MNIST and Fashion-MNIST.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stdpnet.data import Dataset, load_dataset
from stdpnet.data.checks import looks_inverted
from stdpnet.errors import ConfigError, DataError
from stdpnet.spec.dataset import DatasetSpec
from stdpnet.spec.topology import Architecture
from stdpnet.stdp import model
from stdpnet.stdp.spec.experiment import STDPExperiment

PROBED = 400
"""Training images of a probe; the second half of them is measured."""
PROBES = 7
"""Probes, each of which halves the range of thresholds."""
THRESHOLDS = (2.0, 200.0)
"""Range that is searched for a threshold, mV above rest."""
SHARE = 0.1
"""Share of the threshold that v_thresh has from the beginning; the rest is theta at the end of the training."""
POOL = 5000
"""Largest number of different images that are shown."""


class Family(NamedTuple):
    """What the networks of an architecture have in common."""

    rate: float
    """Mean rate of an input pixel, Hz."""
    drive: float
    """Sum of the feedforward weights of a neuron, mV."""
    tau_v: float
    c_w: float
    tau_plus: float
    change: float
    """A_plus times the training images: how far the weights may move."""
    spikes: float
    """Target number of spikes of a position for an image."""
    epochs: int
    half_life: float = 0.0
    """Half-life of the learning rate, as a share of the training; 0: none."""


FAMILIES: dict[str, Family] = {
    "locally_connected": Family(30.0, 29.0, 300.0, -400.0, 30.0, 25.0, 3.5, 3),
    "convolutional": Family(30.0, 17.0, 100.0, -50.0, 30.0, 5.4, 8.0, 1, 0.4),
    "fully_connected": Family(30.0, 54.0, 1000.0, -850.0, 100.0, 100.0, 10.0, 6, 0.7),
}


class Suggestion(NamedTuple):
    """A configuration, and why it is as it is."""

    spec: STDPExperiment
    reasons: list[str]
    """A sentence for each choice."""


def suggest(
    dataset: DatasetSpec,
    *,
    architecture: Architecture = "locally_connected",
    channels: int = 25,
    kernel: int = 12,
    stride: int = 4,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Suggestion:
    """Suggest a configuration for a dataset; neither labels nor other images than those of training are used.

    Parameters
    ----------
    dataset : the images; its crop is chosen, and so is invert, unless it is set; 10 % become validation images where it
        has none
    architecture, channels, kernel, stride : of the network; a fully connected one has neither kernel nor stride
    seed : of the weights, the order of the images and their spikes
    threads : how many threads may compute; default all cores; results do not depend on it
    progress : called after each of the PROBES probes

    Raises
    ------
    ConfigError
        If the receptive field is larger than the images.
    DataError
        If the images are black.
    """
    reasons: list[str] = []
    spec = _with_images(dataset, architecture, kernel, stride, reasons)
    loaded = load_dataset(spec)
    topology: dict[str, Any] = {"architecture": architecture, "channels": channels}
    if architecture != "fully_connected":
        topology |= {"kernel": kernel, "stride": stride}
    base = STDPExperiment(seed=seed, dataset=spec, topology=topology)
    base = base.updated(_from_statistics(base, loaded, reasons))
    threshold = _threshold(base, loaded, threads, progress, reasons)
    return Suggestion(base.updated(_homeostasis(base, threshold, reasons)), reasons)


def _with_images(
    dataset: DatasetSpec, architecture: Architecture, kernel: int, stride: int, reasons: list[str]
) -> DatasetSpec:
    """Return the dataset with polarity, crop and validation images."""
    whole = load_dataset(dataset.updated({"crop": dataset.whole_side}))
    if dataset.path and not dataset.invert and looks_inverted(whole.train.images):
        dataset = dataset.updated({"invert": True})
        whole = load_dataset(dataset.updated({"crop": dataset.whole_side}))
        reasons.append("dataset.invert = true: the images are bright on average, so their ink is taken to be dark")
    if not whole.train.images.any():
        raise DataError(f"{dataset.path or dataset.name}: the training images are black; nothing can be learned")
    ink = whole.train.images.mean(axis=0)
    side, step = (1, 1) if architecture == "fully_connected" else (kernel, stride)
    if side > len(ink):
        raise ConfigError(
            f"--kernel {kernel}: is larger than the images ({len(ink)} pixels a side); choose a smaller one"
        )
    crop = range(side, len(ink) + 1, step)[-1]
    reasons.append(
        f"dataset.crop = {crop}: the largest part of the {len(ink)} pixels that receptive fields tile, with "
        f"{_inside(ink, crop):.1%} of the ink"
    )
    changes: dict[str, Any] = {"crop": crop}
    if not dataset.validation:
        changes["validation"] = min(2000, len(whole.train) // 10)
        reasons.append(f"dataset.validation = {changes['validation']}: images for tuning, which training never sees")
    return dataset.updated(changes)


def _inside(ink: np.ndarray[Any, Any], side: int) -> float:
    """Return the share of the ink (n, n) that lies in the central side x side pixels."""
    first = (len(ink) - side) // 2
    return float(ink[first : first + side, first : first + side].sum() / ink.sum())


def _from_statistics(base: STDPExperiment, loaded: Dataset, reasons: list[str]) -> dict[str, Any]:
    """Return rate, weights and the length of the training, from the images and the size of a receptive field."""
    family, images = FAMILIES[base.topology.architecture], loaded.train.images
    ink, fan_in = float(images.mean()) / 255, base.geometry.fan_in
    rate = float(np.clip(family.rate / max(ink, 1e-6), 50.0, 400.0))
    pool = min(len(images), POOL)
    shown = max(family.epochs * pool, min(3000, 10 * pool))
    A_plus = float(np.clip(family.change / shown, 0.001, 0.01))
    weight = family.drive / fan_in
    reasons += [
        f"encoder.max_rate = {rate:.0f} Hz: the mean pixel is {ink:.3f} of white, so a pixel spikes at "
        f"{rate * ink:.0f} Hz on average",
        f"plasticity.mean_weight = {weight:.3g} mV: {fan_in} synapses have {family.drive:g} mV together",
        f"training.images = {shown}: {shown / pool:.3g} passes over {pool} different images",
        f"plasticity.A_plus = {A_plus:.2g} mV: {shown} images may move a weight by about {family.change:g} mV",
    ]
    return {
        "neuron": {"tau_v": family.tau_v, "tau_refrac": 2.0, "tau_theta": 1e6 if base.topology.channels < 100 else 3e6},
        "encoder": {"kind": "regular", "max_rate": _rounded(rate)},
        "plasticity": {
            "mean_weight": _rounded(weight),
            "w_max": max(1.0, _rounded(3 * weight)),
            "A_plus": _rounded(A_plus),
            "A_minus": 0.0,
            "tau_plus": family.tau_plus,
            "half_life": _rounded(family.half_life * shown),
        },
        "competition": {"c_w": family.c_w},
        "training": {"images": shown, "pool": pool if pool < len(images) else 0},
    }


def _threshold(
    base: STDPExperiment,
    loaded: Dataset,
    threads: int | None,
    progress: Callable[[int], None],
    reasons: list[str],
) -> float:
    """Return the threshold, mV above rest, at which a position has its target number of spikes, by bisection."""
    target = FAMILIES[base.topology.architecture].spikes
    low, high = map(math.log, THRESHOLDS)
    for _ in range(PROBES):
        middle = (low + high) / 2
        if _probe(base, loaded, math.exp(middle), threads) > target:
            low = middle
        else:
            high = middle
        progress(1)
    found = math.exp((low + high) / 2)
    reasons.append(
        f"threshold of {found:.3g} mV above rest in the end: with it {min(PROBED, len(loaded.train))} training images "
        f"got about {target:g} spikes from each position in {PROBES} probes"
    )
    return found


def _probe(base: STDPExperiment, loaded: Dataset, threshold: float, threads: int | None) -> float:
    """Return the spikes of a position per image, in a short training with a threshold that does not adapt."""
    images = min(PROBED, len(loaded.train))
    spec = base.updated(
        {
            "neuron.v_thresh": base.neuron.v_rest + threshold,
            "neuron.theta_plus": 0.0,
            "training.images": images,
            "health.action": "ignore",
        }
    )
    learner = model.learner(spec, loaded.train, model.initial(spec), threads=threads)
    for goal in (images // 2, images):
        learner.begin_interval()
        while learner.state.images < goal:
            learner.advance(goal - learner.state.images)
    return float(learner.row()["spikes_per_image"]) / spec.geometry.positions


def _homeostasis(base: STDPExperiment, threshold: float, reasons: list[str]) -> dict[str, Any]:
    """Return v_thresh, and the theta_plus with which theta grows to the rest of the threshold during the training.

    theta grows by theta_plus per spike and decays by tau_theta; with n spikes per presentation of duration d it comes
    to theta_plus*n*(tau_theta/d)*(1 - exp(-L*d/tau_theta)) after L presentations.
    """
    family, duration = FAMILIES[base.topology.architecture], base.simulation.duration
    spikes, decays = family.spikes / base.topology.channels, base.neuron.tau_theta / duration
    growth = spikes * decays * -math.expm1(-base.training.images / decays)
    v_thresh, theta_plus = base.neuron.v_rest + SHARE * threshold, (1 - SHARE) * threshold / growth
    reasons.append(
        f"neuron.v_thresh = {v_thresh:.3g} mV, neuron.theta_plus = {theta_plus:.2g} mV: {SHARE:.0%} of that threshold "
        f"from the beginning, the rest as theta after {base.training.images} images"
    )
    return {"neuron.v_thresh": _rounded(v_thresh), "neuron.theta_plus": _rounded(theta_plus)}


def _rounded(value: float) -> float:
    """Return a number with three significant digits."""
    return float(f"{value:.3g}")
