"""Statistics of positions: how many of their neurons spike, and how often two networks answer with equal counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.data import Split
from stdpnet.data.dataset import spread
from stdpnet.model import Responses, State
from stdpnet.operating import REPLACED, REPLACEMENTS
from stdpnet.spec.experiment import Experiment
from stdpnet_analysis.readouts.base import dense

MOST = 3
"""Positions with this many spiking neurons or more are one class."""
ACTIVE = tuple(f"{number}+" if number == MOST else str(number) for number in range(MOST + 1))
"""Names of the classes of a position: how many of its neurons spike during an image."""
SHARES = {f"{number} active": f"positions_active_{number}" for number in ACTIVE} | {
    "equal with the mean weight": "positions_equal_mean",
    "equal with initial weights": "positions_equal_initial",
}
"""Heading in tables -> name in records of the shares of positions that scores have."""
COMPARED = 1000
"""Images that are also shown to the network without its learned weights."""


def active_neurons(counts: Any, positions: int) -> list[float]:
    """Return in which share of all positions and images 0, 1, 2, and 3 or more neurons spike, (4,).

    Parameters
    ----------
    counts : (N, P*C) spikes, array or scipy.sparse.csr_array
    positions : P
    """
    images, neurons = counts.shape
    rows, columns = counts.nonzero()
    where = rows.astype(np.int64) * positions + columns // (neurons // positions)
    active = np.bincount(where, minlength=images * positions)
    shares: list[float] = (np.bincount(np.minimum(active, MOST), minlength=MOST + 1) / max(len(active), 1)).tolist()
    return shares


def shares_of(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the shares of positions that scores have, by their names in SHARES."""
    shares = dict(zip(list(SHARES.values())[: len(ACTIVE)], scores.get("active_neurons", ()), strict=False))
    equal = scores.get("equal_counts", {}).get("competition", {})
    return shares | {f"positions_equal_{name}": share for name, share in equal.items()}


def equal_counts(first: NDArray[Any], second: NDArray[Any], positions: int) -> float:
    """Return the share of positions in which two networks answer an image with the same spike counts, neuron by neuron.

    Positions that are silent in both are left out: they would be equal whatever the network. 1 where all are silent.

    Parameters
    ----------
    first, second : (N, P*C) spikes in answer to the same images
    positions : P
    """
    shape = (len(first), positions, first.shape[1] // positions)
    one, other = first.reshape(shape), second.reshape(shape)
    active = (one.any(axis=2) | other.any(axis=2)).ravel()
    return float((one == other).all(axis=2).ravel()[active].mean()) if active.any() else 1.0


def equal_without_learning(
    spec: Experiment,
    state: State,
    responses: Responses,
    images: Split,
    positions: int,
    respond: Callable[[Mapping[str, Any], Split], Responses],
) -> dict[str, dict[str, float]]:
    """Return the share of positions that answer the same when learned competition weights are replaced.

    Parameters
    ----------
    spec, state : a trained network
    responses : its answers to `images`, of which up to COMPARED are shown again
    images : the scored images
    positions : P
    respond : returns the answers to some images at an operating point (see stdpnet.operating)

    Returns
    -------
    Array of the state, such as competition -> mean (each weight replaced by the mean of all) and initial (by its value
    before the training) -> the share, see `equal_counts`; empty where none of the arrays is learned.
    """
    learned = [name for name in spec.scalable if state.arrays[name].ndim]
    if not learned or not len(images):
        return {}
    places = spread(min(COMPARED, len(images)), len(images))
    counts, shown = dense(responses.counts[places]), images.at(places)
    return {
        name: {
            other: equal_counts(counts, dense(respond({f"{name}{REPLACED}": other}, shown).counts), positions)
            for other in REPLACEMENTS
        }
        for name in learned
    }
