"""Answer at another operating point than that of the training: other input, another duration, weaker competition."""

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
from stdpnet.spec.experiment import Experiment

STRENGTH = ".strength"
"""How a key ends that is a factor of an array of the state, such as competition.strength."""


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
    changes, arrays = {}, dict(state.arrays)
    for key, value in point.items():
        array = key.removesuffix(STRENGTH)
        if key.endswith(STRENGTH) and array in spec.scalable:
            arrays[array] = np.asarray(arrays[array] * arrays[array].dtype.type(_factor(key, value)))
        elif any(key == name or key.startswith(f"{name}.") for name in spec.operating):
            changes[key] = value
        else:
            names = [*(f"{name}{STRENGTH}" for name in spec.scalable), *spec.operating]
            known = f"choose among {', '.join(names)}" if names else f"a model of {spec.model} has no such keys"
            raise ConfigError(f"{shortened(key)}: is not to differ from the training; {known}")
    return spec.updated(changes), State(arrays=arrays, images=state.images, presentations=state.presentations)


def _factor(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ConfigError(f"{key}: {shortened(str(value))} is no factor; give a number from 0, such as 0.25")
    return float(value)


def label(point: Mapping[str, Any]) -> str:
    """Return a short name of an operating point for names of files: `at-` and a digest; "" for that of the training."""
    if not point:
        return ""
    return "at-" + hashlib.sha256(json.dumps(dict(point), sort_keys=True).encode()).hexdigest()[:8]
