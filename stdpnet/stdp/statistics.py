"""The row of progress.jsonl: an interval of training in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.runs import TrainingState
from stdpnet.stdp.network import Network
from stdpnet.stdp.spec.experiment import ExperimentSpec

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def summarise(spec: ExperimentSpec, state: TrainingState) -> dict[str, Any]:
    """Return the statistics of the interval that ends now, JSON-serialisable; shares are fractions."""
    interval, bounds = state.interval, spec.plasticity
    network = state.network.copy()  # contiguous: how an engine lays its arrays out changes the rounding of sums
    shown = max(interval.presentations, 1)
    per_position = interval.counts.sum(axis=1, keepdims=True)
    largest = interval.counts / np.maximum(per_position, 1)
    dtype = network.dtype.type
    return {
        "images": state.images,
        "goal": spec.training.images,
        "presentations": state.presentations,
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
        "theta": _quantiles(network.theta),
        "competition": _competition(network) if spec.competition.is_learned else None,
        "unnormalised": interval.unnormalised,
        "finite": network.is_finite,
    }


def _quantiles(values: Floats) -> list[float]:
    return [float(value) for value in np.quantile(values, QUANTILES)]


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
