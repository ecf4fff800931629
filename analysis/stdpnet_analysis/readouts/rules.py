"""The rules by which neurons vote (docs/model.md, Reading the activity).

A rule is two functions. The first makes a *weight* of each neuron for each class from the calibration counts; the
second combines count times weight over the neurons of an image into a score of each class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stdpnet.arrays import Float64s

SMOOTHING = 0.1
"""Spikes added to each neuron's sum in each class, so that no probability is 0 (additive smoothing)."""


class Rule(NamedTuple):
    """How neurons vote for classes."""

    weigh: Callable[[Float64s, Float64s], Float64s]
    """Sums of counts (n_classes, n_neurons) and numbers of calibration images (n_classes,) -> weights
    (n_classes, n_neurons)."""
    combine: Callable[[Float64s, Float64s], Float64s]
    """Counts (n_images, positions, channels) and weights (n_classes, positions, channels) -> scores
    (n_images, n_classes)."""
    log_likelihood: bool = False
    """Whether a score is the logarithm of a likelihood, so that probabilities follow from it."""


def means(sums: Float64s, images: Float64s) -> Float64s:
    """Return the votes: the mean count of each neuron in each class; 0 for a class without images."""
    votes: Float64s = sums / np.maximum(images, 1)[:, np.newaxis]
    return votes


def _proportions(sums: Float64s, images: Float64s) -> Float64s:
    """Return each neuron's votes divided by their sum; 0 for a neuron without votes."""
    votes = means(sums, images)
    total = votes.sum(axis=0)
    shares: Float64s = np.divide(votes, total, out=np.zeros_like(votes), where=total > 0)
    return shares


def _memberships(sums: Float64s, images: Float64s) -> Float64s:
    """Return 1 / (neurons of the class) for the class with the neuron's largest vote, the first of equal ones; else 0.

    A neuron without votes belongs to no class.
    """
    votes = means(sums, images)
    members = (np.arange(len(votes))[:, np.newaxis] == votes.argmax(axis=0)) & (votes.max(axis=0) > 0)
    weights: Float64s = members / np.maximum(members.sum(axis=1, keepdims=True), 1)
    return weights


def _log_probabilities(sums: Float64s, images: Float64s) -> Float64s:
    """Return log p(neuron | class): how probable it is that a spike in an image of the class is this neuron's."""
    smoothed = sums + SMOOTHING
    weights: Float64s = np.log(smoothed) - np.log(smoothed.sum(axis=1, keepdims=True))
    return weights


def _balanced_log_probabilities(sums: Float64s, images: Float64s) -> Float64s:
    """Return log p(neuron | class) as if every class had the same number of calibration images."""
    return _log_probabilities(means(sums, images) * images.mean(), images)


def _sum(counts: Float64s, weights: Float64s) -> Float64s:
    """Return the sum of the results of all neurons."""
    scores: Float64s = np.einsum("npc,kpc->nk", counts, weights, optimize=True)  # a BLAS product
    return scores


def _largest(counts: Float64s, weights: Float64s) -> Float64s:
    """Return the sum over positions of each class's largest result there.

    The code of the thesis takes this sum, its text says maximum.
    """
    results = np.empty_like(counts)
    return np.stack([np.multiply(counts, weight, out=results).max(axis=2).sum(axis=1) for weight in weights], axis=1)


def _winner(counts: Float64s, weights: Float64s) -> Float64s:
    """Return the sum over positions of the results of the neuron with most spikes there, the first of equal ones."""
    winner = counts.argmax(axis=2)
    most = np.take_along_axis(counts, winner[:, :, np.newaxis], axis=2)[:, :, 0]  # 0 where the position is silent
    weights_of_winner = weights.transpose(1, 2, 0)[np.arange(counts.shape[1]), winner]
    scores: Float64s = np.einsum("np,npk->nk", most, weights_of_winner)
    return scores


def _mean_spike(counts: Float64s, weights: Float64s) -> Float64s:
    """Return the sum over positions of the mean weight of a spike there; a silent position adds nothing."""
    spikes = counts.sum(axis=2, keepdims=True)
    return _sum(np.divide(counts, spikes, out=np.zeros_like(counts), where=spikes > 0), weights)


RULES: dict[str, Rule] = {
    "all": Rule(means, _sum),
    "patch": Rule(means, _largest),
    "spikes_first": Rule(means, _winner),
    "log_evidence": Rule(_balanced_log_probabilities, _mean_spike, log_likelihood=True),
    "naive_bayes": Rule(_log_probabilities, _sum, log_likelihood=True),
    "proportion": Rule(_proportions, _sum),
    "assigned": Rule(_memberships, _sum),
}
"""Every rule by name."""
THESIS_RULES = ("all", "patch", "spikes_first")
"""The voting rules of the thesis, whose best is its "best vote". Their weights are the votes."""
