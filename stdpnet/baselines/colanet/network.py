"""The arrays of a CoLaNET: initial resources, input spikes, and the constants of compiled code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Float64s
from stdpnet.baselines.colanet import columns, convolution, plasticity, spiking
from stdpnet.baselines.colanet.resource import resource_of, weights_of
from stdpnet.baselines.colanet.spec import BoundsSpec, ColaNETExperiment, ColumnsSpec
from stdpnet.random import Purpose, Stream, generator
from stdpnet.spec.base import Spec

WHITE = 255
RESOURCES, STABILITY, KERNELS = "resources", "stability", "kernel_resources"
"""Arrays of the state: of the columns (inputs, neurons) and (neurons,), and of the kernels (channels, k, k)."""


def initial_arrays(spec: ColaNETExperiment) -> dict[str, NDArray[Any]]:
    """Return the resources before the first image: those of weight 0, with noise."""
    random, kernels = generator(spec.seed, Purpose.WEIGHTS), spec.kernels
    neurons = spec.training.classes * spec.columns.microcolumns
    arrays = {RESOURCES: _noisy(spec.columns, random, (spec.inputs, neurons))}
    if spec.columns.plasticity == "spiking":
        arrays[STABILITY] = np.zeros(neurons)
    if kernels.channels:
        arrays[KERNELS] = _noisy(kernels, random, (kernels.channels, kernels.kernel, kernels.kernel))
    return arrays


def _noisy(bounds: BoundsSpec, random: np.random.Generator, shape: tuple[int, ...]) -> Float64s:
    return random.normal(resource_of(0.0, bounds.w_min, bounds.w_max), bounds.noise, shape)


def column_constants(table: ColumnsSpec) -> columns.Constants:
    """Return the numbers of the columns that compiled code needs."""
    return columns.Constants(**_named(columns.Constants._fields, table))


def spiking_constants(spec: ColaNETExperiment) -> plasticity.Constants:
    """Return the numbers of spiking columns that compiled code needs; their noise is that of spikes."""
    return plasticity.Constants(**_named(plasticity.Constants._fields, spec.input, spec.columns, spec.spiking))


def kernel_constants(spec: ColaNETExperiment) -> convolution.Constants:
    """Return the numbers of the kernels that compiled code needs."""
    return convolution.Constants(**_named(convolution.Constants._fields, spec.input, spec.kernels))


def _named(names: Iterable[str], *tables: Spec) -> dict[str, Any]:
    """Return the values of keys, each from the last of the tables that has it."""
    values = {name: value for table in tables for name, value in table.model_dump().items()}
    return {name: values[name] for name in names}


def spikes_of(images: NDArray[np.uint8], steps: int) -> NDArray[np.uint16]:
    """Return the spike counts of pixels, floor(steps*b/255), in the shape of the images."""
    return (images.astype(np.uint32) * steps // WHITE).astype(np.uint16)


class ColaNET:
    """A network in memory: its resources (the arrays of a state, which it changes) and the weights that they give.

    Parameters
    ----------
    spec : the experiment
    arrays : of a state
    """

    def __init__(self, spec: ColaNETExperiment, arrays: dict[str, NDArray[Any]]) -> None:
        self.spec, self._kernel_constants = spec, kernel_constants(spec)
        self._digital: tuple[columns.Columns, columns.Constants] | None = None
        if spec.columns.plasticity == "spiking":
            of_spikes = spiking_constants(spec)
            self._spiking = (plasticity.columns_of(arrays[RESOURCES], arrays[STABILITY], of_spikes), of_spikes)
        else:
            constants = column_constants(spec.columns)
            self._digital = (columns.columns_of(arrays[RESOURCES], constants), constants)
        if spec.kernels.channels:
            self._kernels = arrays[KERNELS]
            self._kernel_weights = kernel_weights(spec, self._kernels)
            self._found = np.empty((spec.kernels.channels, spec.positions**2))
            self._learned = np.empty(spec.kernels.channels, np.bool_)

    def learn_kernels(self, images: NDArray[np.uint8]) -> int:
        """Let the kernels learn from images (N, n, n); return their updates."""
        updates = 0
        for image in images:
            updates += convolution.learn(
                image / WHITE, self._kernels, self._kernel_weights, self._kernel_constants, self._found, self._learned
            )
        return updates

    def learn(self, images: NDArray[np.uint8], labels: NDArray[np.int64], first: int) -> tuple[int, int, int]:
        """Let the columns learn from images (N, n, n), presentations from number `first` on (see `columns.learn`)."""
        counts = self.inputs(images)
        if self._digital is not None:
            return columns.learn(*self._digital, counts, labels)
        noise = self._noise(Stream.TRAIN, np.arange(first, first + len(images)))
        return spiking.learn(*self._spiking, counts, labels, noise)

    def _noise(self, stream: Stream, numbers: NDArray[np.int64]) -> spiking.Noise:
        key = (np.uint32(self.spec.seed & 0xFFFFFFFF), np.uint32(self.spec.seed >> 32))
        return spiking.Noise(int(stream), numbers, key)

    def inputs(self, images: NDArray[np.uint8]) -> NDArray[np.uint16]:
        """Return the spike counts (N, inputs) that the columns see of images (N, n, n)."""
        spec = self.spec
        spikes = spikes_of(images, spec.input.steps)
        if not spec.kernels.channels:
            return spikes.reshape(len(images), -1)
        counts = np.empty((len(images), spec.kernels.channels, spec.side, spec.side), np.uint16)
        for each, into in zip(spikes / spec.input.steps, counts, strict=True):
            convolution.pooled(each, self._kernel_weights, self._kernel_constants, into)
        return counts.reshape(len(images), -1)

    def answer(
        self,
        images: NDArray[np.uint8],
        stream: Stream,
        indices: NDArray[np.int64],
        scores: Float64s,
        spikes: NDArray[np.uint16],
    ) -> NDArray[np.uint16]:
        """Answer images (N, n, n), and return the spike counts that the columns saw.

        Parameters
        ----------
        images : the images
        stream, indices : the stream and the index (N,) of an image decide the noise of spiking columns
        scores, spikes : (N, K) and (N, neurons), written in place; see `columns.answer` and `spiking.answer`
        """
        counts = self.inputs(images)
        if self._digital is not None:
            columns.answer(*self._digital, counts, scores, spikes)
        else:
            spiking.answer(*self._spiking, counts, self._noise(stream, indices), scores, spikes)
        return counts


def kernel_weights(spec: ColaNETExperiment, resources: Float64s) -> Float64s:
    """Return the weights (channels, k, k) of kernels with these resources."""
    weights = np.empty_like(resources)
    flat = (len(resources), -1)
    weights_of(resources.reshape(flat), spec.kernels.w_min, spec.kernels.w_max, weights.reshape(flat))
    return weights
