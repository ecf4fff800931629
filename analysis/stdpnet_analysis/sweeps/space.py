"""Search space of a study: check its keys, draw the values of a trial from Optuna, put them into an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, cast

import optuna
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from stdpnet.errors import ConfigError, remedy_for
from stdpnet.spec.base import Monitoring, Spec, marked, spec_type
from stdpnet.spec.experiment import Experiment
from stdpnet_analysis.sweeps.spec import DimensionSpec, Scalar, StudySpec

FIXED = ("model", "seed", "dataset")
"""Keys that a trial must not vary: seeds are repeats, and all trials train one model and answer the same images."""


def check_space(study: StudySpec, base: Experiment) -> None:
    """Raise ConfigError unless every key can be searched and every one of its values is valid by itself."""
    for key, dimension in study.space.items():
        if key.split(".")[0] in (*FIXED, *marked(type(base), Monitoring)):
            raise ConfigError(
                f"space.{key}: cannot be searched; all trials have the same images and `repeats` seeds, set "
                f"'{key}' in base.set"
            )
        field = _field(type(base), key.split("."), key)
        whole = field.annotation is int
        if whole and not dimension.choices and not dimension.integer:
            raise ConfigError(f"space.{key}: has whole numbers only; add integer = true")
        annotated: Any = Annotated[field.annotation, field]
        kind: TypeAdapter[Any] = TypeAdapter(annotated)
        for value in dimension.choices or (dimension.low, dimension.high):
            try:
                kind.validate_python(int(value) if whole and isinstance(value, float) else value)
            except ValidationError as error:
                message = error.errors()[0]["msg"]
                raise ConfigError(f"space.{key}: {message[0].lower()}{message[1:]}, got {value!r}") from None


def _field(owner: type[Spec], path: list[str], key: str) -> FieldInfo:
    """Return the field that a dotted key names."""
    name, *rest = path
    field = owner.model_fields.get(name)
    if field is None:
        raise ConfigError(f"space.{key}: unknown key; {remedy_for(name, owner.model_fields)}")
    part = spec_type(field.annotation)
    if part is not None and rest:
        return _field(part, rest, key)
    if part is not None or rest:
        example = next(iter((part or owner).model_fields))
        raise ConfigError(f"space.{key}: names no single value; a key looks like {name}.{example}")
    return field


def suggest(study: StudySpec, trial: optuna.Trial) -> dict[str, Scalar]:
    """Return the values of a trial; Optuna draws those that the trial does not have yet."""
    values: dict[str, Scalar] = {}
    for key in study.ordered():
        if study.holds(key, values):
            values[key] = _suggest(trial, key, study.space[key])
    return values


def _suggest(trial: optuna.Trial, key: str, dimension: DimensionSpec) -> Scalar:
    if dimension.choices:
        return cast(Scalar, trial.suggest_categorical(key, dimension.choices))
    low, high = float(dimension.low or 0), float(dimension.high or 0)
    if dimension.integer:
        step = int(dimension.step or 1)
        return trial.suggest_int(key, int(low), int(high), step=step, log=dimension.log)
    return trial.suggest_float(key, low, high, step=dimension.step, log=dimension.log)


def grid(study: StudySpec) -> Iterator[dict[str, Scalar]]:
    """Yield every combination of the values of a space; a key whose condition does not hold is not in it."""

    def extend(values: dict[str, Scalar], rest: list[str]) -> Iterator[dict[str, Scalar]]:
        if not rest:
            yield values
        elif not study.holds(rest[0], values):
            yield from extend(values, rest[1:])
        else:
            for value in study.space[rest[0]].values or []:
                yield from extend({**values, rest[0]: value}, rest[1:])

    return extend({}, study.ordered())
