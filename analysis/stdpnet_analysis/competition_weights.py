"""Statistics of learned competition: pairs, symmetry, relation to the similarity of receptive fields; clamping."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Float64s
from stdpnet.stdp.network import Network

MOST_CHANNELS = 300
"""Largest number of channels of a position in the permutation test; of more channels, so many are drawn."""


def off_diagonal(competition: NDArray[np.floating]) -> Float64s:
    """Return the weights of all ordered pairs, (P, C*(C - 1)), mV."""
    channels = competition.shape[-1]
    pairs: Float64s = competition[:, ~np.eye(channels, dtype=bool)].astype(np.float64)
    return pairs


def reciprocal(competition: NDArray[np.floating]) -> tuple[Float64s, Float64s]:
    """Return w_ij and w_ji of every unordered pair i < j, each (P, C*(C - 1)/2), mV."""
    i, j = np.triu_indices(competition.shape[-1], 1)
    return competition[:, i, j].astype(np.float64), competition[:, j, i].astype(np.float64)


def similarity(network: Network) -> Float64s:
    """Return (P, C, C) the cosine of the angle between the receptive fields of two neurons of a position."""
    weights = network.weights.astype(np.float64)
    norms = np.linalg.norm(weights, axis=1, keepdims=True)
    unit = np.divide(weights, norms, out=np.zeros_like(weights), where=norms > 0)
    cosines: Float64s = unit.transpose(0, 2, 1) @ unit
    return np.broadcast_to(cosines, (network.geometry.positions, *cosines.shape[1:]))


class Association(NamedTuple):
    """Result of the test whether neurons with similar receptive fields compete more."""

    similarity: Float64s
    """(P, pairs) cosine of the receptive fields, pairs i < j."""
    strength: Float64s
    """(P, pairs) mean of -w_ij and -w_ji, mV."""
    correlation: float
    """Mean over positions of Pearson's correlation."""
    p_value: float
    """Share of permutations whose correlation is at least as far from 0 (two-sided)."""
    null: Float64s
    """(permutations,) correlations when the channels' receptive fields are permuted."""


def associate(network: Network, permutations: int = 999, seed: int = 0) -> Association:
    """Test whether similar receptive fields compete more (a Mantel test within positions).

    The pairs of a position share neurons, so they are not independent, and a test of pairs would give much too small
    p-values. Instead the receptive fields are permuted among the neurons of each position (Mantel 1967, Cancer Res.
    27:209); p = (1 + number of permutations with a correlation at least as far from 0)/(1 + permutations).

    Parameters
    ----------
    network : with learned competition and at least three channels
    permutations : number of permutations
    seed : of the permutations
    """
    random = np.random.default_rng(seed)
    alike, weights = similarity(network), network.competition.astype(np.float64)
    strength = -(weights + weights.transpose(0, 2, 1)) / 2
    i, j = np.triu_indices(alike.shape[-1], 1)
    pairs = alike[:, i, j], strength[:, i, j]
    if alike.shape[-1] > MOST_CHANNELS:
        kept = np.sort(random.choice(alike.shape[-1], MOST_CHANNELS, replace=False))
        alike, strength = (matrix[:, kept][:, :, kept] for matrix in (alike, strength))
        i, j = np.triu_indices(MOST_CHANNELS, 1)
    standard = [_standardise(matrix[:, i, j]) for matrix in (alike, strength)]
    observed = float(np.mean(np.mean(standard[0] * standard[1], axis=1)))
    null = np.zeros(permutations)
    square = np.zeros_like(alike)
    square[:, i, j] = standard[0]
    square += square.transpose(0, 2, 1)
    for number in range(permutations):
        for position, matrix in enumerate(square):
            permuted = random.permutation(len(matrix))
            null[number] += np.mean(matrix[permuted[i], permuted[j]] * standard[1][position]) / len(square)
    further = int(np.count_nonzero(np.abs(null) >= abs(observed) - 1e-12))
    return Association(
        similarity=pairs[0],
        strength=pairs[1],
        correlation=observed,
        p_value=(1 + further) / (1 + permutations),
        null=null,
    )


def _standardise(values: Float64s) -> Float64s:
    """Return values with mean 0 and standard deviation 1 in each row; 0 where all are equal."""
    centred = values - values.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    scaled: Float64s = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    return scaled


def clamp(network: Network, low: float = -np.inf, high: float = 0.0) -> Network:
    """Return a copy of a network whose learned competition is clamped; the diagonal stays exactly 0.

    Parameters
    ----------
    network : with learned competition
    low : no weight is below it, mV (clamped from below: the strongest inhibition is weakened)
    high : no weight is above it, mV (clamped from above: the weakest inhibition is strengthened)
    """
    clamped = network.copy()
    np.clip(clamped.competition, low, high, out=clamped.competition)
    clamped.competition[:, np.arange(network.geometry.channels), np.arange(network.geometry.channels)] = 0
    return clamped
