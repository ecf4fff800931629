"""The trainable state of a network: weights, adaptive thresholds, competition; initial values and normalisation."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet import notebook
from stdpnet.arrays import Floats
from stdpnet.errors import ConfigError, EngineError
from stdpnet.geometry import Geometry
from stdpnet.model import State
from stdpnet.random import Purpose, generator
from stdpnet.reading import read_limited
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet.stdp.spec.plasticity import PlasticitySpec

MOST_WEIGHTS = 2**32
"""Bytes of the largest file of initial weights that is read."""


@dataclass
class Network:
    """Everything that training changes and evaluation must not; engines update the arrays in place.

    Examples
    --------
    >>> import stdpnet
    >>> from stdpnet.stdp.network import initial_network
    >>> network = initial_network(stdpnet.load_config("lcsnn-25-k12"))
    >>> network.weights.shape, network.theta.shape, network.competition.shape
    ((9, 144, 25), (9, 25), ())
    """

    geometry: Geometry
    """Sizes: P positions, C channels, k*k pixels of a receptive field."""
    weights: Floats
    """(P, k*k, C), or (1, k*k, C) where positions share kernels: feedforward weights, mV; pixels in row-major order."""
    theta: Floats
    """(P, C) adaptive part of the threshold, mV."""
    competition: Floats
    """(P, C, C) learned weights from row neuron to column neuron, diagonal 0, or () the one fixed weight; mV, <= 0."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The floating point type of all arrays."""
        return self.weights.dtype

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays by name."""
        return {"weights": self.weights, "theta": self.theta, "competition": self.competition}

    def state(self) -> State:
        """Return a state that shares the arrays, with all counters 0."""
        return State(arrays=self.arrays())

    @property
    def is_finite(self) -> bool:
        """Whether all values are numbers, none of them infinite."""
        return self.state().is_finite

    def copy(self) -> Network:
        """Return an independent copy."""
        return Network(self.geometry, **{name: array.copy() for name, array in self.arrays().items()})

    def part(self, positions: Sequence[int]) -> Network:
        """Return a copy of the given positions as a separate network; positions have only the input in common."""
        if self.geometry.shared:
            raise EngineError("a convolutional network shares its kernels between positions: it has no parts")
        rows = list(positions)
        arrays = {name: array[rows] if array.ndim else array.copy() for name, array in self.arrays().items()}
        return Network(dataclasses.replace(self.geometry, chosen=tuple(rows)), **arrays)

    def put(self, part: Network) -> None:
        """Copy the arrays of a part to its positions in this network."""
        rows, arrays = list(part.geometry.chosen or ()), part.arrays()
        for name, array in self.arrays().items():
            if array.ndim:
                array[rows] = arrays[name]

    def release_competition(self, w_max: float) -> None:
        """Set every learned weight to its upper bound w_max <= 0, mV; the diagonal stays 0."""
        self.competition[...] = w_max
        channels = np.arange(self.geometry.channels)
        self.competition[:, channels, channels] = 0

    def __repr__(self) -> str:
        sizes, competition = self.geometry, "learned" if self.competition.ndim else "fixed"
        fields = f"{'shared' if sizes.shared else 'own'} fields of {sizes.kernel} x {sizes.kernel} pixels"
        neurons = f"{sizes.neurons} neurons: {sizes.positions} positions x {sizes.channels} channels"
        return f"<Network of {neurons}, {fields}, {competition} competition, {self.dtype}>"

    def _repr_html_(self) -> str:
        """Return sizes and arrays as a table."""
        sizes = self.geometry
        rows: list[notebook.Row] = [
            ("neurons", f"{sizes.neurons} = {sizes.positions} positions x {sizes.channels} channels"),
            ("receptive fields", f"{sizes.kernel} x {sizes.kernel} pixels, {sizes.stride} apart"),
            *((name, notebook.described(array)) for name, array in self.arrays().items()),
        ]
        return notebook.table("Network", rows)

    def changed_arrays(self, other: Network) -> list[str]:
        """Return the names of the arrays that are not equal, value for value, to the other network's."""
        return self.state().changed_arrays(other.state())


def network_of(spec: STDPExperiment, state: State) -> Network:
    """Return the network whose arrays a state holds; it shares them."""
    return Network(geometry=spec.geometry, **state.arrays)


def fitting_network(spec: STDPExperiment, network: Network | State) -> Network:
    """Return a network, or the one of a state; ConfigError if its weights do not have the shape that the spec needs."""
    given = network_of(spec, network) if isinstance(network, State) else network
    expected = (spec.geometry.weight_sets, spec.geometry.fan_in, spec.geometry.channels)
    if given.weights.shape != expected:
        raise ConfigError(
            f"network: its weights are {given.weights.shape}, this spec needs {expected}; give the spec it has"
        )
    return given


def initial_network(spec: STDPExperiment) -> Network:
    """Return the untrained network of a spec (docs/model.md, Initial values)."""
    geometry, dtype = spec.geometry, np.dtype(spec.simulation.effective_dtype)
    shape = (geometry.weight_sets, geometry.fan_in, geometry.channels)
    if spec.plasticity.initial == "uniform":
        weights = generator(spec.seed, Purpose.WEIGHTS).random(shape).astype(dtype)
    else:
        weights = weights_of_file(spec.plasticity, shape).astype(dtype)
    normalise(weights, spec.plasticity, np.ones(shape[::2], bool))
    theta = np.zeros((geometry.positions, geometry.channels), dtype)
    competition = _initial_competition(spec, dtype)
    return Network(geometry=geometry, weights=weights, theta=theta, competition=competition)


def weights_of_file(plasticity: PlasticitySpec, shape: tuple[int, int, int]) -> Floats:
    """Return the initial weights (S, k*k, C) that a NumPy file holds, none below w_min.

    Parameters
    ----------
    plasticity : its `initial` is the path, of an array of this shape or of one set (k*k, C) for all positions
    shape : S, k*k, C

    Raises
    ------
    ConfigError
        If there is no such array, or a neuron has no weight above 0.
    """
    key = f"plasticity.initial: {plasticity.initial}"
    try:
        content = io.BytesIO(read_limited(plasticity.initial, MOST_WEIGHTS))
        read: Any = np.lib.format.read_array
        weights: Floats = read(content, allow_pickle=False)
    except (OSError, ValueError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or "it is no NumPy file of numbers"
        raise ConfigError(f"{key}: cannot be read ({reason}); numpy.save writes such a file") from None
    if weights.dtype.kind not in "fiu" or weights.shape not in (shape[1:], shape):
        found, sizes = f"{weights.dtype} {weights.shape}", f"({shape[1]}, {shape[2]}) or {shape}"
        raise ConfigError(f"{key}: holds {found}; numbers of shape {sizes} are needed")
    if not np.isfinite(weights).all():
        raise ConfigError(f"{key}: not all weights are finite numbers; mend the file")
    weights = np.maximum(np.broadcast_to(weights, shape).astype(np.float64), plasticity.w_min)
    if (weights.sum(axis=1) <= 0).any():
        raise ConfigError(f"{key}: neuron {np.argwhere(weights.sum(axis=1) <= 0)[0][1]} has no sum of weights above 0")
    return weights


def _initial_competition(spec: STDPExperiment, dtype: np.dtype[Any]) -> Floats:
    """Return the fixed weight (), or weights (P, C, C) to be learned, uniform in (c_w, 0) or all c_w."""
    competition, geometry = spec.competition, spec.geometry
    if not competition.is_learned:
        return np.array(competition.fixed_weight, dtype)
    weights = np.empty((geometry.positions, geometry.channels, geometry.channels), dtype)
    random = generator(spec.seed, Purpose.COMPETITION)
    for matrix in weights:  # one position at a time, to save memory: each synapse needs a float64
        shares = 1 - random.random(matrix.shape) if competition.initial == "uniform" else np.ones(matrix.shape)
        matrix[:] = np.clip(competition.c_w * shares, competition.w_min, competition.w_max)
        np.fill_diagonal(matrix, 0)
    return weights


def to_normalise(counts: NDArray[np.integer], spec: STDPExperiment) -> NDArray[np.bool_]:
    """Return whether each neuron's weights (S, C) are normalised after a presentation with spike counts (P, C)."""
    chosen = counts > 0 if spec.plasticity.normalise == "spiked" else np.ones_like(counts, bool)
    return np.any(chosen, axis=0, keepdims=True) if spec.geometry.shared else chosen


def normalise(weights: Floats, plasticity: PlasticitySpec, chosen: NDArray[np.bool_]) -> int:
    """Scale the weights of chosen neurons to the sum mean_weight * fan-in, and clip them, in place.

    Parameters
    ----------
    weights : (S, k*k, C) feedforward weights, mV
    plasticity : mean weight and bounds
    chosen : (S, C) whether to normalise a neuron, or a shared kernel

    Returns
    -------
    Number of neurons whose weights were not changed because their sum is not above 0.
    """
    dtype = weights.dtype.type
    norm = dtype(plasticity.mean_weight * weights.shape[1])
    by_pixel = weights.transpose(1, 0, 2)
    columns = by_pixel[:, chosen]  # (k*k, M), a copy
    total = np.zeros(columns.shape[1], weights.dtype)
    for pixel in columns:  # one after the other: the order is part of the model
        total += pixel
    positive = total > 0
    scaled = chosen.copy()
    scaled[chosen] = positive
    by_pixel[:, scaled] = (columns[:, positive] * (norm / total[positive])).clip(
        dtype(plasticity.w_min), dtype(plasticity.w_max)
    )
    return int(np.count_nonzero(~positive))
