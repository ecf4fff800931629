"""The rate-conversion network: weights, the loss with its gradient, and what a row of progress says of the units.

N images, D pixels, H hidden units, K classes, T steps:
    a = max(0, x W1 + b1)        activity of the hidden units, Hz; x in [0, 1]
    h = mean over steps of the spikes / dt (spiking), of a (rate), or the low-pass filter of either
    output = h W2 + b2           the largest is the answer; loss: cross-entropy of its softmax
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.baselines.rate_conversion.spec import RateConversionExperiment
from stdpnet.baselines.rate_conversion.spiking import Filtered, lowpass, spikes
from stdpnet.baselines.supervised.learner import Batch
from stdpnet.model import Finding
from stdpnet.random import Purpose, Stream, generator

WHITE = 255.0
DEAD = 0.5
"""Share of hidden units that answer no image above which they are reported."""

Arrays = Mapping[str, NDArray[Any]]


def weights(spec: RateConversionExperiment) -> dict[str, Floats]:
    """Return the untrained weights: uniform within +-sqrt(6 / (inputs + outputs)) (Glorot & Bengio 2010), biases 0."""
    random, sizes = generator(spec.seed, Purpose.WEIGHTS), (spec.pixels, spec.network.hidden, spec.training.classes)
    arrays: dict[str, Floats] = {}
    for name, inputs, outputs in zip(("hidden", "output"), sizes[:-1], sizes[1:], strict=True):
        bound = np.sqrt(6 / (inputs + outputs))
        arrays[f"{name}_weights"] = random.uniform(-bound, bound, (inputs, outputs))
        arrays[f"{name}_bias"] = np.zeros(outputs)
    if spec.spiking.lowpass:
        arrays["log_tau"] = np.full(spec.network.hidden, np.log(spec.spiking.lowpass))
        arrays["level"] = np.zeros(spec.network.hidden)
    return arrays


class Steps(NamedTuple):
    """Output of the hidden units while images are shown."""

    rates: Floats
    """(T, N, H) output of each step, Hz: spikes / dt, or the activity."""
    filtered: Filtered | None
    """The low-pass filter after the last step, where there is one."""

    @property
    def hidden(self) -> Floats:
        """(N, H) input of the output units, Hz."""
        mean: Floats = self.rates.mean(axis=0) if self.filtered is None else self.filtered.value
        return mean


def hidden_steps(spec: RateConversionExperiment, arrays: Arrays, activity: Floats, v: Floats | None) -> Steps:
    """Return the output of hidden units of an activity (N, H) in each step.

    Parameters
    ----------
    spec, arrays : of the network
    activity : (N, H), Hz
    v : (N, H) potentials at the start; None: the units do not spike
    """
    spiking = spec.spiking
    if v is None:
        rates = np.broadcast_to(activity, (spiking.steps, *activity.shape))
    else:
        rates = spikes(activity, v, spiking.dt, spiking.steps) / spiking.dt
    filtered = lowpass(rates, arrays["log_tau"], arrays["level"], spiking.dt) if spiking.lowpass else None
    return Steps(rates, filtered)


def softmax(output: Floats) -> Floats:
    """Return probabilities (..., K) of classes."""
    raised = np.exp(output - output.max(axis=-1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


class RateNetwork:
    """Computes the gradients that training follows (a stdpnet.baselines.supervised.learner.Network)."""

    def __init__(self, spec: RateConversionExperiment) -> None:
        self.spec = spec

    @property
    def sums(self) -> Mapping[str, Any]:
        """Sum of the rates of each hidden unit over the images of updates, Hz."""
        return {"rates": np.zeros(self.spec.network.hidden)}

    def batch(self, arrays: Arrays, images: NDArray[np.uint8], labels: NDArray[np.int64], first: int) -> Batch:
        """Return gradients and statistics of a batch of images (B, n, n).

        Where the loss is that of the spiking network, the derivative of the spikes by the activity is taken to be that
        of the activity itself (straight-through), and none goes through v.
        """
        spec, number = self.spec, np.arange(len(images))
        x = images.reshape(len(images), -1) / WHITE
        z = x @ arrays["hidden_weights"] + arrays["hidden_bias"]
        v = None
        if spec.training.spike_aware:
            v = generator(spec.seed, Purpose.POTENTIALS, Stream.TRAIN, first).random(z.shape)
        steps = hidden_steps(spec, arrays, np.maximum(z, 0), v)
        hidden, filtered = steps.hidden, steps.filtered
        output = hidden @ arrays["output_weights"] + arrays["output_bias"]
        error = softmax(output)
        loss = -float(np.log(np.maximum(error[number, labels], np.finfo(float).tiny)).mean())
        error[number, labels] -= 1
        error /= len(images)
        by_hidden = error @ arrays["output_weights"].T
        by_activity = by_hidden if filtered is None else by_hidden * filtered.by_input
        rates = steps.rates.mean(axis=0)
        if penalty := spec.training.rate_penalty:
            excess = rates - spec.training.target_rate
            loss += penalty * float(np.square(excess).sum()) / len(images)
            by_activity = by_activity + 2 * penalty / len(images) * excess
        by_z = np.where(z > 0, by_activity, 0.0)
        gradients = {
            "hidden_weights": x.T @ by_z,
            "hidden_bias": by_z.sum(axis=0),
            "output_weights": hidden.T @ error,
            "output_bias": error.sum(axis=0),
        }
        if filtered is not None:
            gradients["log_tau"] = (by_hidden * filtered.by_log_tau).sum(axis=0)
            gradients["level"] = (by_hidden * filtered.by_level).sum(axis=0)
        correct = int(np.count_nonzero(output.argmax(axis=1) == labels))
        return Batch(gradients, loss=loss, correct=correct, sums={"rates": rates.sum(axis=0)})

    def row(self, interval: Mapping[str, Any]) -> dict[str, Any]:
        """Return the mean rate of the hidden units, Hz, and the share of those that answered no image."""
        shown = interval["updates"] * self.spec.training.batch
        if not shown:
            return {"rate": None, "dead_units": None}
        return {"rate": float(interval["rates"].mean() / shown), "dead_units": float(np.mean(interval["rates"] == 0))}

    def findings(self, row: Mapping[str, Any]) -> list[Finding]:
        """Return a finding where most hidden units answer no image."""
        dead = row["dead_units"] or 0.0
        if dead <= DEAD:
            return []
        message = f"{dead:.0%} of the hidden units answered no image; lower optimiser.learning_rate"
        if self.spec.training.spike_aware:
            message += ", or raise spiking.dt or spiking.steps"
        return [Finding("dead units", message)]
