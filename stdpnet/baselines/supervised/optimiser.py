"""Update weights along the gradient of a loss: stochastic gradient descent and Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.baselines.supervised.spec import OptimiserSpec

MEAN, SQUARE = "gradient_mean_", "gradient_square_"
"""Prefixes of the names of Adam's running means; the name of the array of weights follows."""


def moments(spec: OptimiserSpec, weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the running means of the optimiser before the first update, by name; none for sgd.

    Parameters
    ----------
    spec : the optimiser
    weights : name -> array that learns
    """
    if spec.kind == "sgd":
        return {}
    return {f"{kind}{name}": np.zeros_like(array) for kind in (MEAN, SQUARE) for name, array in weights.items()}


def update(
    spec: OptimiserSpec, arrays: Mapping[str, NDArray[Any]], gradients: Mapping[str, NDArray[Any]], number: int
) -> None:
    """Change the weights and the running means of the optimiser, in place.

    Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1), with g the gradient and t the number of the update:
    m <- b1 m + (1 - b1) g; v <- b2 v + (1 - b2) g^2; w <- w - a m/(1 - b1^t) / (sqrt(v/(1 - b2^t)) + epsilon).

    Parameters
    ----------
    spec : the optimiser
    arrays : weights and moments by name
    gradients : name of an array of weights -> its gradient, of the same shape
    number : of this update, from 1 on
    """
    for name, given in gradients.items():
        gradient = np.clip(given, -spec.clip, spec.clip) if spec.clip else given
        if spec.kind == "sgd":
            arrays[name][...] -= spec.learning_rate * gradient
            continue
        mean, square = arrays[f"{MEAN}{name}"], arrays[f"{SQUARE}{name}"]
        mean *= spec.beta_1
        mean += (1 - spec.beta_1) * gradient
        square *= spec.beta_2
        square += (1 - spec.beta_2) * np.square(gradient)
        size = np.sqrt(square / (1 - spec.beta_2**number)) + spec.epsilon
        arrays[name][...] -= spec.learning_rate / (1 - spec.beta_1**number) * mean / size
