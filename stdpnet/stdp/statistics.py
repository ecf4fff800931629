"""Statistics of an interval of training: the counters, and the row of progress that is computed from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.stdp.network import Network
from stdpnet.stdp.spec.experiment import STDPExperiment

QUANTILES = {"min": 0.0, "p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "max": 1.0}


@dataclass
class Interval:
    """What has happened since the last row of progress."""

    counts: NDArray[np.int64]
    """(P, C) spikes of each neuron."""
    weights: Floats
    """(S, k*k, C) feedforward weights when the interval began, mV."""
    images: int = 0
    presentations: int = 0
    silent: int = 0
    """Presentations without any spike."""
    unnormalised: int = 0
    """How often a neuron's weights could not be normalised because their sum was not above 0."""

    @classmethod
    def begin(cls, network: Network) -> Interval:
        """Return an interval in which nothing has happened yet."""
        return cls(counts=np.zeros(network.theta.shape, np.int64), weights=network.weights.copy())


def summarise(
    spec: STDPExperiment, network: Network, interval: Interval, images: int, presentations: int
) -> dict[str, Any]:
    """Return the statistics of the interval that ends now, JSON-serialisable; shares are fractions.

    Parameters
    ----------
    spec : the experiment
    network : as it is now
    interval : what has happened
    images, presentations : shown so far, since the beginning of the training
    """
    bounds = spec.plasticity
    network = network.copy()  # contiguous, because the layout of an engine's arrays changes the rounding of sums
    shown = max(interval.presentations, 1)
    per_position = interval.counts.sum(axis=1, keepdims=True)
    largest = interval.counts / np.maximum(per_position, 1)
    dtype = network.dtype.type
    return {
        "images": images,
        "goal": spec.training.images,
        "presentations": presentations,
        "interval_images": interval.images,
        "retries": interval.presentations - interval.images,
        "spikes_per_image": float(interval.counts.sum() / shown),
        "spikes_per_neuron": _quantiles(interval.counts / shown),
        "silent_images": interval.silent / shown,
        "dead_neurons": float(np.mean(interval.counts == 0)),
        "largest_share": float(largest.max()),
        "at_w_min": float(np.mean(network.weights <= dtype(bounds.w_min))),
        "at_w_max": float(np.mean(network.weights >= dtype(bounds.w_max))),
        "weight_change": float(np.mean(np.abs(network.weights - interval.weights), dtype=np.float64)),
        "similarity": similarity(network.weights),
        "theta": _quantiles(network.theta),
        "competition": _competition(network) if spec.competition.is_learned else None,
        "unnormalised": interval.unnormalised,
        "finite": network.is_finite,
    }


def _quantiles(values: Floats) -> dict[str, float]:
    return dict(zip(QUANTILES, map(float, np.quantile(values, list(QUANTILES.values()))), strict=True))


def similarity(weights: Floats) -> float:
    """Return how alike receptive fields of one position are: the mean correlation of two of them, over positions.

    Neurons without competition learn the same, and come near 1. A single channel has no other to compare with: 0.

    Parameters
    ----------
    weights : (S, k*k, C) feedforward weights
    """
    channels = weights.shape[2]
    if channels < 2:
        return 0.0
    pairs = np.array([_sum_of_correlations(fields) for fields in weights])  # one position at a time: less memory
    return float(pairs.mean() / (channels * (channels - 1)))


def _sum_of_correlations(fields: Floats) -> float:
    """Return the sum of the correlations of all pairs of fields (k*k, C), those of a field with itself left out."""
    centred = fields - fields.mean(axis=0, keepdims=True, dtype=np.float64)
    lengths = np.linalg.norm(centred, axis=0, keepdims=True)
    unit = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    return float((unit.sum(axis=1) ** 2).sum() - (unit**2).sum())


def _competition(network: Network) -> dict[str, float]:
    """Return mean, standard deviation and extremes of the learned competition, mV, without its diagonal."""
    positions, channels, _ = network.competition.shape
    synapses = max(positions * channels * (channels - 1), 1)
    total = float(network.competition.sum(dtype=np.float64))
    mean = total / synapses  # the diagonal is 0
    squares = float(np.einsum("pij,pij->", network.competition, network.competition, dtype=np.float64))
    off_diagonal: NDArray[np.bool_] = ~np.eye(channels, dtype=bool)
    return {
        "mean": mean,
        "sd": float(np.sqrt(max(squares / synapses - mean**2, 0.0))),
        "min": float(network.competition.min()),
        "max": float(network.competition.max(where=off_diagonal, initial=-np.inf)) if channels > 1 else 0.0,
    }
