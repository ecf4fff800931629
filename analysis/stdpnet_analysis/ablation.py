"""Measure the accuracy of damaged networks: channels left out of the votes, synapses deleted, competition clamped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Float64s
from stdpnet.data import Dataset, Split
from stdpnet.model import Responses
from stdpnet.stdp.network import Network
from stdpnet.stdp.respond import respond
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.competition_weights import clamp
from stdpnet_analysis.evaluation import STREAMS
from stdpnet_analysis.readouts.base import answers
from stdpnet_analysis.readouts.rules import THESIS_RULES
from stdpnet_analysis.readouts.votes import class_means, vote_scores

Accuracies = dict[str, Float64s]
"""For each voting rule (K,) the share of images answered right."""


def vote_accuracies(
    counts: NDArray[np.uint16], labels: NDArray[np.int64], votes: Float64s, positions: int
) -> dict[str, float]:
    """Return the accuracy under each voting rule of the thesis."""
    return {
        rule: float(np.mean(answers(vote_scores(counts, votes, positions, rule)) == labels)) for rule in THESIS_RULES
    }


def _by_rule(rows: Sequence[Mapping[str, float]]) -> Accuracies:
    """Return the accuracies of K networks by voting rule."""
    return {rule: np.array([row[rule] for row in rows]) for rule in THESIS_RULES}


def by_channels_kept(
    votes: Float64s, scored: Responses, positions: int, kept: Sequence[int], orders: NDArray[np.intp]
) -> Accuracies:
    """Return the accuracy of the votes of the first `kept` channels of an order.

    The other channels are ignored in the read-out only: they competed while the responses were recorded.

    Parameters
    ----------
    votes : (n_classes, P*C)
    scored : responses to the scored images
    positions : P
    kept : (K,) numbers of channels
    orders : (P, C) the channels of each position, in the order in which they are kept
    """
    channels = orders.shape[1]
    neurons = np.arange(positions)[:, np.newaxis] * channels + orders
    rows = []
    for number in kept:
        columns = neurons[:, :number].ravel()
        rows.append(vote_accuracies(scored.counts[:, columns], scored.labels, votes[:, columns], positions))
    return _by_rule(rows)


def by_synapses_deleted(
    spec: STDPExperiment,
    network: Network,
    votes: Float64s,
    images: Split,
    part: str,
    shares: Sequence[float],
    *,
    seed: int = 0,
    threads: int | None = None,
) -> Accuracies:
    """Return the accuracy after deleting feedforward synapses at random (Saunders et al. 2019, robustness).

    The network is simulated anew for each share; the votes are those of the undamaged network. A synapse that is
    deleted at one share is deleted at all larger shares.

    Parameters
    ----------
    spec, network : a trained network
    votes : (n_classes, P*C) of the whole network
    images : scored images, of the split called `part`
    shares : (K,) share of the synapses to delete, 0..1
    seed : decides which synapses are deleted
    threads : how many threads may compute; default all cores
    """
    spec, network = unshared(spec, network)
    draw = np.random.default_rng(seed).random(network.weights.shape)
    rows = []
    for share in shares:
        damaged = network.copy()
        damaged.weights[draw < share] = 0
        shown = respond(spec, damaged.state(), images, STREAMS[part], threads=threads)
        rows.append(vote_accuracies(shown.counts, shown.labels, votes, network.geometry.positions))
    return _by_rule(rows)


def unshared(spec: STDPExperiment, network: Network) -> tuple[STDPExperiment, Network]:
    """Return the network with a copy of the shared weights for every position; it computes the same."""
    if not network.geometry.shared:
        return spec, network
    geometry = replace(network.geometry, shared=False)
    weights = np.repeat(network.weights, geometry.positions, axis=0)
    spec = spec.updated({"topology.architecture": "locally_connected"})
    copied = Network(
        geometry=geometry, weights=weights, theta=network.theta.copy(), competition=network.competition.copy()
    )
    return spec, copied


class Clamping(NamedTuple):
    """Accuracy of a network whose learned competition is clamped."""

    bounds: Float64s
    """(K,) the bound, mV."""
    below: Accuracies
    """No weight below the bound."""
    above: Accuracies
    """No weight above the bound."""
    unclamped: dict[str, float]
    """Accuracy of the network as it is."""
    images: int
    """Number of calibration images, and of scored images."""


def by_clamp(
    spec: STDPExperiment,
    network: Network,
    dataset: Dataset,
    part: str,
    bounds: Float64s,
    images: int,
    *,
    threads: int | None = None,
) -> Clamping:
    """Return the accuracy with the learned competition clamped from below, and from above, at evaluation.

    Each clamped network is calibrated anew on the first calibration images and scored on the first images of `part`.

    Parameters
    ----------
    spec, network : a network with learned competition
    dataset : its images
    part : the scored split
    bounds : (K,) mV, <= 0
    images : how many images calibrate, and how many score
    threads : how many threads may compute; default all cores
    """
    splits = clamp_splits(dataset, part, images)
    classes = len(dataset.classes)

    def accuracy(clamped: Network) -> dict[str, float]:
        return calibrated_accuracy(spec, clamped, splits, classes, threads=threads)

    return Clamping(
        bounds=bounds,
        below=_by_rule([accuracy(clamp(network, low=bound)) for bound in bounds]),
        above=_by_rule([accuracy(clamp(network, high=bound)) for bound in bounds]),
        unclamped=accuracy(network),
        images=min(map(len, splits.values())),
    )


def clamp_splits(dataset: Dataset, part: str, images: int) -> dict[str, Split]:
    """Return up to `images` calibration images, and as many of the scored split `part` (see Dataset.some)."""
    return {name: dataset.some(name, images) for name in ("calibration", part)}


def calibrated_accuracy(
    spec: STDPExperiment, network: Network, splits: Mapping[str, Split], classes: int, *, threads: int | None = None
) -> dict[str, float]:
    """Return the accuracy of the votes of a network that is simulated on few images.

    Parameters
    ----------
    spec, network : the network
    splits : the images that calibrate, then those that score, by the name of their split
    classes : number of classes
    threads : how many threads may compute; default all cores
    """
    calibration, scored = (
        respond(spec, network.state(), split, STREAMS[name], threads=threads) for name, split in splits.items()
    )
    votes = class_means(calibration.counts, calibration.labels, classes)
    return vote_accuracies(scored.counts, scored.labels, votes, network.geometry.positions)
