"""Operating points of a trained model that differ from its training: distorted input, weaker or other competition."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.errors import ConfigError, remedy_for
from stdpnet.model import State, open_model
from stdpnet.reading import shortened
from stdpnet.spec.base import flat
from stdpnet.spec.experiment import Experiment

STRENGTH = ".strength"
"""Suffix of a key whose value multiplies an array of the state, such as competition.strength."""
REPLACED = ".replaced"
"""Suffix of a key whose value names what such an array is replaced by."""
REPLACEMENTS = ("mean", "initial")
"""mean: every weight becomes the mean of all weights; initial: the weights are those before the training."""
DISTORTION = "dataset.distortion."
"""Prefix of the keys of a distortion of the images."""
SPLITS = f"{DISTORTION}splits"
"""The key that says which images are distorted."""
MOST_STRENGTH = 1e6
"""Largest factor of weights; their products must stay finite in float32."""


def resolved(spec: Experiment, point: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operating point without keys that equal those of the training, and with the key of distorted splits.

    A distortion applies to the scored images alone, unless the point says otherwise: training images, and calibration
    images, whose labels belong to the training, remain as in the training.

    Raises
    ------
    ConfigError
        If a key may not differ from the training, or a value is not valid.
    """
    given: dict[str, Any] = {}
    for key, value in point.items():
        given |= {f"{key}.{name}": part for name, part in value.items()} if isinstance(value, Mapping) else {key: value}
    trained, tested = flat(spec), flat(experiment_at(spec, given))
    keys = {key: value for key, value in given.items() if key not in trained or trained[key] != tested[key]}
    if any(key.startswith(DISTORTION) for key in keys if key != SPLITS):
        return keys | {SPLITS: given.get(SPLITS, "scored")}
    if keys.get(SPLITS) == "scored" or spec.dataset.distortion.is_none:
        keys.pop(SPLITS, None)
    return keys


def of_calibration(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operating point of the calibration images that belongs to a resolved operating point."""
    if point.get(SPLITS) != "scored":
        return dict(point)
    return {key: value for key, value in point.items() if not key.startswith(DISTORTION)}


def at_point(spec: Experiment, state: State, point: Mapping[str, Any]) -> tuple[Any, State]:
    """Return the experiment and the state with which a trained model answers at another operating point.

    Parameters
    ----------
    spec : the experiment of the training
    state : a trained state; it is not changed
    point : dotted key -> value. Keys of the spec that `spec.operating` names are replaced, such as simulation.duration;
        `<array>.strength` multiplies an array of the state that `spec.scalable` names: competition.strength = 0.25 is a
        quarter of the trained inhibition. `<array>.replaced` gives it other weights (see REPLACEMENTS), which shows
        what the learned ones are worth. All other arrays are those of `state`.

    Raises
    ------
    ConfigError
        If a key may not differ from the training, or a value is not valid.
    """
    arrays = dict(state.arrays)
    for array in spec.scalable:
        if (other := point.get(f"{array}{REPLACED}")) is not None:
            arrays[array] = _mean(arrays[array]) if other == "mean" else open_model(spec).initial(spec).arrays[array]
        if (value := point.get(key := f"{array}{STRENGTH}")) is not None:
            arrays[array] = np.asarray(arrays[array] * arrays[array].dtype.type(_factor(key, value)))
    tested = State(arrays=arrays, images=state.images, presentations=state.presentations)
    return experiment_at(spec, point), tested


def experiment_at(spec: Experiment, point: Mapping[str, Any]) -> Any:
    """Return the experiment with which a trained model answers at another operating point, as `at_point` does."""
    changes = {}
    for key, value in point.items():
        if _scaled(spec, key, STRENGTH):
            _factor(key, value)
        elif _scaled(spec, key, REPLACED):
            if value not in REPLACEMENTS:
                words = shortened(str(value))
                raise ConfigError(f"{key}: {words} is unknown; {remedy_for(words, REPLACEMENTS)}")
        elif any(key == name or key.startswith(f"{name}.") for name in spec.operating):
            changes[key] = value
        else:
            of_arrays = (f"{name}{end}" for name in spec.scalable for end in (STRENGTH, REPLACED))
            remedy = remedy_for(key, [*of_arrays, *spec.operating])
            raise ConfigError(f"{shortened(key)}: is not to differ from the training; {remedy}")
    return spec.updated(changes)


def _scaled(spec: Experiment, key: str, end: str) -> bool:
    return key.endswith(end) and key.removesuffix(end) in spec.scalable


def _mean(array: NDArray[Any]) -> NDArray[Any]:
    """Return learned weights (P, C, C), diagonal 0, each replaced by the mean of all; a fixed weight stays as it is."""
    if array.ndim == 0 or array.shape[-1] == 1:
        return array
    pairs = ~np.eye(array.shape[-1], dtype=bool)
    mean = array[:, pairs].mean(dtype=np.float64).astype(array.dtype)
    return np.broadcast_to(np.where(pairs, mean, array.dtype.type(0)), array.shape).copy()


def _factor(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_STRENGTH:
        words = shortened(str(value))
        raise ConfigError(f"{key}: {words} is no factor; give a number from 0 to {MOST_STRENGTH:g}, such as 0.25")
    return float(value)


def label(point: Mapping[str, Any]) -> str:
    """Return a short name of an operating point for names of files: `at-` and a digest; "" for that of the training."""
    if not point:
        return ""
    return "at-" + hashlib.sha256(json.dumps(dict(point), sort_keys=True).encode()).hexdigest()[:8]
