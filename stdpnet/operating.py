"""Answer at another operating point than that of the training: other or distorted input, weaker competition."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from stdpnet.errors import ConfigError
from stdpnet.model import State
from stdpnet.reading import shortened
from stdpnet.spec.base import flat
from stdpnet.spec.experiment import Experiment

STRENGTH = ".strength"
"""How a key ends that is a factor of an array of the state, such as competition.strength."""
DISTORTION = "dataset.distortion."
"""How the keys of a distortion of the images begin."""
SPLITS = f"{DISTORTION}splits"
"""The key that says which images are distorted."""


def resolved(spec: Experiment, point: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operating point without what does not differ from the training, and with what it implies.

    A distortion is of the scored images, unless the point says otherwise: training images, and calibration images,
    whose labels belong to the training, stay those of the training.

    Raises
    ------
    ConfigError
        If a key may not differ from the training, or a value is not valid.
    """
    given: dict[str, Any] = {}
    for key, value in point.items():
        given |= {f"{key}.{name}": part for name, part in value.items()} if isinstance(value, Mapping) else {key: value}
    usual, there = flat(spec), flat(experiment_at(spec, given))
    keys = {key: value for key, value in given.items() if key not in usual or usual[key] != there[key]}
    if any(key.startswith(DISTORTION) for key in keys if key != SPLITS):
        return keys | {SPLITS: given.get(SPLITS, "scored")}
    if keys.get(SPLITS) == "scored" or spec.dataset.distortion.is_none:
        keys.pop(SPLITS, None)
    return keys


def of_calibration(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operating point, which is resolved, of calibration images."""
    if point.get(SPLITS) != "scored":
        return dict(point)
    return {key: value for key, value in point.items() if not key.startswith(DISTORTION)}


def at_point(spec: Experiment, state: State, point: Mapping[str, Any]) -> tuple[Any, State]:
    """Return the experiment and the state with which a trained model answers at another operating point.

    Parameters
    ----------
    spec : the experiment of the training
    state : a trained state; stays as it is
    point : dotted key -> value. Keys of the spec that `spec.operating` names are replaced, such as simulation.duration;
        `<array>.strength` multiplies an array of the state that `spec.scalable` names: competition.strength = 0.25 is a
        quarter of the trained inhibition. All other arrays are those of `state`.

    Raises
    ------
    ConfigError
        If a key may not differ from the training, or a value is not valid.
    """
    arrays = dict(state.arrays)
    for key, value in point.items():
        if _is_strength(spec, key):
            array = key.removesuffix(STRENGTH)
            arrays[array] = np.asarray(arrays[array] * arrays[array].dtype.type(_factor(key, value)))
    there = State(arrays=arrays, images=state.images, presentations=state.presentations)
    return experiment_at(spec, point), there


def experiment_at(spec: Experiment, point: Mapping[str, Any]) -> Any:
    """Return the experiment with which a trained model answers at another operating point, as `at_point` does."""
    changes = {}
    for key, value in point.items():
        if _is_strength(spec, key):
            _factor(key, value)
        elif any(key == name or key.startswith(f"{name}.") for name in spec.operating):
            changes[key] = value
        else:
            names = ", ".join([*(f"{name}{STRENGTH}" for name in spec.scalable), *spec.operating])
            raise ConfigError(f"{shortened(key)}: is not to differ from the training; choose among {names}")
    return spec.updated(changes)


def _is_strength(spec: Experiment, key: str) -> bool:
    return key.endswith(STRENGTH) and key.removesuffix(STRENGTH) in spec.scalable


def _factor(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ConfigError(f"{key}: {shortened(str(value))} is no factor; give a number from 0, such as 0.25")
    return float(value)


def label(point: Mapping[str, Any]) -> str:
    """Return a short name of an operating point for names of files: `at-` and a digest; "" for that of the training."""
    if not point:
        return ""
    return "at-" + hashlib.sha256(json.dumps(dict(point), sort_keys=True).encode()).hexdigest()[:8]
