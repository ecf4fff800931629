"""Make a run of a network whose weights another program has learned, so that it can be scored (docs/migrating.md)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.data import load_dataset
from stdpnet.data.npz import held_arrays, read_npy
from stdpnet.errors import ConfigError, DataError
from stdpnet.model import open_model
from stdpnet.runs import Run
from stdpnet.stdp.spec.experiment import STDPExperiment

NAMES = {
    "weights": "weights",
    "w": "weights",
    "XeAe": "weights",
    "theta": "theta",
    "theta_A": "theta",
    "competition": "competition",
}
"""Name of an array in a file .npz -> the array of a network that it is."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file .npz by their names in a network, or that of a file .npy as weights; read no pickle.

    Raises
    ------
    DataError
        If it is no such file, or an .npz file has no array with a name of NAMES, or two that are the same.
    """
    if not os.path.isfile(path):
        what = "is no regular file" if os.path.lexists(path) else "no such file"
        raise DataError(f"{path}: {what}; give a file .npy or .npz of plain arrays")
    if path.suffix == ".npy":
        return {"weights": read_npy(path, "write it with numpy.save(path, weights)")}
    remedy = "write it with numpy.savez(path, weights=..., theta=...)"
    held, _ = held_arrays(path, NAMES, remedy)
    if not held:
        raise DataError(f"{path}: has no array named {', '.join(NAMES)}; name one so, or give a file .npy")
    for what in NAMES.values():
        if len(same := [name for name in held if NAMES[name] == what]) > 1:
            raise DataError(f"{path}: {' and '.join(same)} are both {what}; keep one of them")
    return {NAMES[name]: array for name, array in held.items()}


def import_run(
    spec: STDPExperiment,
    arrays: Mapping[str, NDArray[Any]],
    where: str | Path | None = None,
    name: str = "imported",
    *,
    theta_scale: float = 1.0,
) -> Run:
    """Make a run whose network has these arrays, to be scored by `evaluate`.

    It counts as finished after 0 images; `stdpnet resume RUN --images N` trains it further.

    Parameters
    ----------
    spec : the experiment: geometry, neurons, competition, encoder and dataset that the weights are for
    arrays : `weights`, in mV, of one of the shapes of `as_weights`; `theta`, in mV, of one of `as_theta`; and
        `competition` (P, C, C), mV, where spec.competition is learned
    where, name : the new run directory (see Run.create)
    theta_scale : a factor of theta; 1000 where it was saved in volts

    Raises
    ------
    ConfigError
        If the spec is not of a network with STDP, or the factor is not finite and above 0.
    DataError
        If an array is missing, has another shape, or holds values that are not finite or out of the bounds of the spec.
    """
    if not isinstance(spec, STDPExperiment):
        raise ConfigError(f"model: '{spec.model}' takes no weights of others; name a configuration with model = 'stdp'")
    if not 0 < theta_scale < float("inf"):
        raise ConfigError(f"--theta-scale {theta_scale}: is no finite factor above 0; choose 1, or 1000 for volts")
    state = open_model(spec).initial(spec)
    with np.errstate(over="ignore"):  # as_theta refuses what is not finite
        theta = as_theta(spec, _given(arrays, "theta") * theta_scale)
    made = {"weights": as_weights(spec, _given(arrays, "weights")), "theta": theta}
    if spec.competition.is_learned:
        made["competition"] = _as_competition(spec, _given(arrays, "competition"))
    for each, values in made.items():
        state.arrays[each][...] = values
    dataset = load_dataset(spec.dataset)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(made[each]).tobytes() for each in sorted(made))).hexdigest()
    run = Run.create(spec, where, f"{name}-{spec.seed}", dataset_sha256=dataset.sha256)
    with run.locked():
        run.save_state(state)
        run.log("finished", images=0, reason="imported", sha256=digest)
    return run


def as_weights(spec: STDPExperiment, given: NDArray[Any]) -> NDArray[Any]:
    """Return feedforward weights as (P, k*k, C), or (1, k*k, C) where positions share kernels.

    Parameters
    ----------
    spec : the experiment
    given : in the shape that is returned; or (n*n, C*P), neuron = channel * P + position, as in BindsNET's
        LocalConnection and, with P = 1, in its fully connected `Connection`; or (C, 1, k, k) of a Conv2dConnection; or
        a list (M, 3) of pixel, neuron and weight, as the XeAe.npy of Diehl & Cook (2015) is

    Raises
    ------
    DataError
        If they have another shape, or weights outside of receptive fields or of the bounds of the spec.
    """
    geometry = spec.geometry
    due = (geometry.weight_sets, geometry.fan_in, geometry.channels)
    dense = (geometry.pixels, geometry.channels * geometry.positions)
    if given.shape == due:
        weights = given
    elif geometry.shared and given.shape == (geometry.channels, 1, geometry.kernel, geometry.kernel):
        weights = given.reshape(geometry.channels, -1).T[None]
    elif not geometry.shared and given.shape == dense:
        weights = _inside(spec, given)
    elif not geometry.shared and given.ndim == 2 and given.shape[1] == 3:
        weights = _inside(spec, _from_list(given, dense))
    else:
        other = f"({geometry.channels}, 1, k, k)" if geometry.shared else f"{dense} or (M, 3)"
        raise DataError(
            f"weights: have the shape {given.shape}, this configuration needs {due}, {other}; change topology or "
            "dataset.crop, or name another configuration"
        )
    low, high = spec.plasticity.w_min, spec.plasticity.w_max
    return _within("weights", weights, low, high, "plasticity")


def as_theta(spec: STDPExperiment, given: NDArray[Any]) -> NDArray[Any]:
    """Return theta as (P, C), given as such, as one number, or as (C, p, p) or (C*P,): neuron = channel * P + position.

    Raises
    ------
    DataError
        If it has another shape, or values that are not finite or negative.
    """
    geometry = spec.geometry
    channels, positions, side = geometry.channels, geometry.positions, geometry.positions_per_side
    if given.shape in ((), (positions, channels)):
        theta = np.broadcast_to(given, (positions, channels))
    elif given.shape in ((channels * positions,), (channels, side, side)):
        theta = given.reshape(channels, positions).T
    else:
        raise DataError(
            f"theta: has the shape {given.shape}, this configuration needs ({positions}, {channels}), "
            f"({channels * positions},) or ({channels}, {side}, {side}); give the theta that belongs to the weights"
        )
    if not (np.abs(theta) <= np.finfo(spec.simulation.dtype).max).all() or theta.min() < 0:
        raise DataError(
            f"theta: holds values that are negative or no finite {spec.simulation.dtype} numbers; give the adaptive "
            "part of the threshold"
        )
    return theta


def _given(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise DataError(f"{name}: is missing; a network is not complete without it, so give the array of this name")
    array = np.asarray(arrays[name])
    if array.dtype.kind not in "iuf":
        raise DataError(f"{name}: is an array of {array.dtype}; give real numbers")
    return array.astype(np.float64)


def _as_competition(spec: STDPExperiment, given: NDArray[Any]) -> NDArray[Any]:
    due = (spec.geometry.positions, spec.geometry.channels, spec.geometry.channels)
    if given.shape != due or np.einsum("pii->pi", given).any():
        raise DataError(f"competition: has the shape {given.shape}; give {due} with a diagonal of 0")
    return _within("competition", given, spec.competition.w_min, max(spec.competition.w_max, 0.0), "competition")


def _within(name: str, values: NDArray[Any], low: float, high: float, table: str) -> NDArray[Any]:
    if not np.isfinite(values).all():
        raise DataError(f"{name}: hold values that are not finite; give finite ones")
    if values.min() < low or values.max() > high:
        raise DataError(
            f"{name}: lie between {values.min():g} and {values.max():g}, outside of {table}.w_min = {low:g} and "
            f"w_max = {high:g}; scale them, or change these keys"
        )
    return values


def _from_list(given: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Return a dense matrix of a list of (pixel, neuron, weight)."""
    pixels, neurons = given[:, 0], given[:, 1]
    for column, name, size in ((pixels, "pixel", shape[0]), (neurons, "neuron", shape[1])):
        if len(column) and not (column.min() >= 0 and column.max() < size and (column == np.floor(column)).all()):
            raise DataError(f"weights: a {name} of the list is no whole number from 0 to {size - 1}; mind dataset.crop")
    dense = np.zeros(shape)
    dense[pixels.astype(int), neurons.astype(int)] = given[:, 2]
    return dense


def _inside(spec: STDPExperiment, dense: NDArray[Any]) -> NDArray[Any]:
    """Return (P, k*k, C) of weights (n*n, C*P); DataError if weights outside of receptive fields are not 0."""
    geometry = spec.geometry
    matrix = dense.reshape(geometry.pixels, geometry.channels, geometry.positions)
    inside = geometry.receptive_field_rows() >= 0  # (P, n*n)
    outside = np.abs(matrix).max(axis=1, initial=0)[~inside.T]
    if outside.any():
        raise DataError(
            f"weights: {np.count_nonzero(outside)} pairs of a pixel and a position have weights outside of the "
            "receptive field; choose topology.kernel and topology.stride as the weights have them"
        )
    return np.stack([matrix[inside[position], :, position] for position in range(geometry.positions)])
