"""The kinds of features: their untrained arrays, how a patch changes them, and how they respond to patches.

S = P sets of features, or 1 where all positions share theirs; F = k*k pixels of a patch; C channels. Images are
processed one by one with operations of fixed shapes, so that results do not depend on how many come together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.baselines.features.spec import FeaturesExperiment
from stdpnet.random import Purpose, generator

Arrays = Mapping[str, NDArray[Any]]
Response = Callable[[Floats], Floats]
"""Returns the responses (N, P, C), none below 0, to patches (N, P, F)."""
DIFFERENT = 1e-6
"""A patch becomes a new centroid only if it is farther than this from every centroid."""
PRIOR = 1e-9
"""Mean variance of a component before the first patch: almost 0."""
LEAST_VARIANCE = 1e-2
"""Lower bound of the variances by which components are whitened, as a share of the largest variance."""


class Features(Protocol):
    """One kind of features: functions of its arrays, which the state of the model holds."""

    def initial(self, spec: FeaturesExperiment) -> dict[str, NDArray[Any]]:
        """Return the untrained arrays."""
        ...

    def learn(self, arrays: Arrays, patches: Floats) -> None:
        """Change the arrays, in place, by the patches (P, F) of one image."""
        ...

    def learned(self, arrays: Arrays) -> Floats:
        """Return what is learned, as one array whose change can be measured."""
        ...

    def responses(self, spec: FeaturesExperiment, arrays: Arrays) -> Response:
        """Return the function that responds to patches."""
        ...

    def weights(self, spec: FeaturesExperiment) -> int:
        """Return the number of weights behind the responses; a shared weight counts once."""
        ...


class RandomFeatures:
    """Fixed random weights w of length 1: max(0, w x).

    Localized random projections, rectified (Illing, Gerstner & Brea 2019, Neural Networks 118,
    doi 10.1016/j.neunet.2019.06.001): the reference for what learning adds to a hidden layer of this size.
    """

    def initial(self, spec: FeaturesExperiment) -> dict[str, NDArray[Any]]:
        """Return the weights (S, F, C), normally distributed and scaled."""
        return {"weights": _directions(spec)}

    def learn(self, arrays: Arrays, patches: Floats) -> None:
        """Change nothing."""

    def learned(self, arrays: Arrays) -> Floats:
        """Return the weights."""
        return arrays["weights"]

    def responses(self, spec: FeaturesExperiment, arrays: Arrays) -> Response:
        """Return the rectified projection."""
        weights = arrays["weights"]
        return lambda patches: np.maximum(_project(patches, weights), 0.0)

    def weights(self, spec: FeaturesExperiment) -> int:
        """Return S*F*C."""
        return spec.geometry.feedforward_synapses


class KMeans:
    """Centroids c of patches, learned one patch at a time: max(0, mean distance - distance |x - c|).

    The first C different patches become the centroids; each later one moves the nearest centroid to the mean of all
    patches that it has won (MacQueen 1967). The response is the "triangle" activation of Coates, Lee & Ng 2011
    ("An analysis of single-layer networks in unsupervised feature learning"); the patches are prepared as in Coates &
    Ng 2012 ("Learning feature representations with k-means", Lecture Notes in Computer Science 7700), not whitened.
    """

    def initial(self, spec: FeaturesExperiment) -> dict[str, NDArray[Any]]:
        """Return random centroids (S, F, C) of length 1, which patches will replace, and no patch won by any (S, C)."""
        centroids = _directions(spec)
        return {"centroids": centroids, "wins": np.zeros((len(centroids), spec.geometry.channels), np.int64)}

    def learn(self, arrays: Arrays, patches: Floats) -> None:
        """Move, or replace, one centroid for each patch, position by position."""
        for position, patch in enumerate(patches):
            place = position % len(arrays["wins"])
            centroids, wins = arrays["centroids"][place], arrays["wins"][place]
            used = int(np.count_nonzero(wins))  # centroids are used in order
            squares = np.einsum("fc,fc->c", centroids, centroids) - 2 * (patch @ centroids)
            nearest = int(squares[:used].argmin()) if used else 0
            distance = squares[nearest] + patch @ patch if used else math.inf
            if used < len(wins) and distance > DIFFERENT**2:
                nearest = used
            wins[nearest] += 1
            centroids[:, nearest] += (patch - centroids[:, nearest]) / wins[nearest]

    def learned(self, arrays: Arrays) -> Floats:
        """Return the centroids."""
        return arrays["centroids"]

    def responses(self, spec: FeaturesExperiment, arrays: Arrays) -> Response:
        """Return the triangle activation."""
        centroids = arrays["centroids"]
        squares = np.einsum("sfc,sfc->sc", centroids, centroids)

        def respond(patches: Floats) -> Floats:
            lengths = np.square(patches).sum(axis=2, keepdims=True)
            distances = np.sqrt(np.maximum(lengths + squares - 2 * _project(patches, centroids), 0.0))
            nearer: Floats = np.maximum(distances.mean(axis=2, keepdims=True) - distances, 0.0)
            return nearer

        return respond

    def weights(self, spec: FeaturesExperiment) -> int:
        """Return S*F*C."""
        return spec.geometry.feedforward_synapses


class PrincipalComponents:
    """Principal components v of patches, an on unit max(0, v (x - mean)) and an off unit max(0, -v (x - mean)) each.

    Mean and covariance are running ones (Welford 1962; Chan, Golub & LeVeque 1983), the components those of the largest
    variances; the on units come first. Before the first patch the components are random orthogonal directions.
    """

    def initial(self, spec: FeaturesExperiment) -> dict[str, NDArray[Any]]:
        """Return 0 patches (S,), mean 0 (S, F), and a tiny random scatter (S, F, F), whose eigenvectors are random."""
        sets, pixels = spec.geometry.weight_sets, spec.geometry.fan_in
        drawn = generator(spec.seed, Purpose.FEATURES).standard_normal((sets, pixels, pixels))
        scatter = PRIOR / pixels * np.einsum("sif,sjf->sij", drawn, drawn)
        return {"patches": np.zeros(sets, np.int64), "mean": np.zeros((sets, pixels)), "scatter": scatter}

    def learn(self, arrays: Arrays, patches: Floats) -> None:
        """Add the patches of one image to mean and scatter (sum of squared deviations)."""
        count, mean, scatter = arrays["patches"], arrays["mean"], arrays["scatter"]
        groups = patches.reshape(len(mean), -1, mean.shape[1]) if len(mean) > 1 else patches[np.newaxis]
        size, before = groups.shape[1], int(count[0])
        center = groups.mean(axis=1)
        within, between = groups - center[:, np.newaxis], center - mean
        scatter += np.einsum("sni,snj->sij", within, within) if size > 1 else 0.0
        scatter += before * size / (before + size) * between[:, :, np.newaxis] * between[:, np.newaxis, :]
        mean += size / (before + size) * between
        count += size

    def learned(self, arrays: Arrays) -> Floats:
        """Return the covariance (S, F, F)."""
        covariance: Floats = arrays["scatter"] / np.maximum(arrays["patches"], 1)[:, np.newaxis, np.newaxis]
        return covariance

    def responses(self, spec: FeaturesExperiment, arrays: Arrays) -> Response:
        """Return the on and off units of the largest components."""
        mean, channels = arrays["mean"], spec.geometry.channels
        components = _largest_components(self.learned(arrays), self._components(spec), spec.features.whiten)

        def respond(patches: Floats) -> Floats:
            projected = _project(patches - mean, components)
            on_and_off = np.concatenate([projected, -projected], axis=2)[:, :, :channels]
            positive: Floats = np.maximum(on_and_off, 0.0)
            return positive

        return respond

    def weights(self, spec: FeaturesExperiment) -> int:
        """Return S*F for each component: its on and its off unit share them."""
        geometry = spec.geometry
        return geometry.weight_sets * geometry.fan_in * self._components(spec)

    def _components(self, spec: FeaturesExperiment) -> int:
        return (spec.geometry.channels + 1) // 2


KINDS: dict[str, Features] = {"random": RandomFeatures(), "kmeans": KMeans(), "pca": PrincipalComponents()}


def features_of(spec: FeaturesExperiment) -> Features:
    """Return the kind of features of an experiment."""
    return KINDS[spec.features.kind]


def _directions(spec: FeaturesExperiment) -> Floats:
    """Return random directions (S, F, C) of length 1."""
    geometry = spec.geometry
    shape = geometry.weight_sets, geometry.fan_in, geometry.channels
    drawn: Floats = generator(spec.seed, Purpose.FEATURES).standard_normal(shape)
    drawn /= np.sqrt(np.square(drawn).sum(axis=1, keepdims=True))
    return drawn


def _project(patches: Floats, weights: Floats) -> Floats:
    """Return the products (N, P, K) of patches (N, P, F) with weights (S, F, K), one image after the other."""
    if len(weights) == 1:
        shared: Floats = np.matmul(patches, weights[0])
        return shared
    projected: Floats = np.matmul(patches[:, :, np.newaxis, :], weights)[:, :, 0, :]
    return projected


def _largest_components(covariance: Floats, count: int, whiten: bool) -> Floats:
    """Return the eigenvectors (S, F, count) of the largest variances; the largest entry of each is positive.

    Parameters
    ----------
    covariance : (S, F, F)
    count : number of eigenvectors
    whiten : whether each is divided by its standard deviation
    """
    variances, vectors = np.linalg.eigh(covariance)  # in ascending order
    variances, vectors = variances[:, ::-1][:, :count], vectors[:, :, ::-1][:, :, :count]
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1, keepdims=True), axis=1)
    vectors = vectors * np.sign(largest)
    if whiten:
        least = np.maximum(LEAST_VARIANCE * variances[:, :1], np.finfo(np.float64).tiny)
        vectors = vectors / np.sqrt(np.maximum(variances, least) * vectors.shape[1])[:, np.newaxis, :]
    return np.ascontiguousarray(vectors)
