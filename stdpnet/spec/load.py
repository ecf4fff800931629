"""Specs from TOML files, presets and `key=value` overrides, and back to TOML."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

import tomli_w

from stdpnet.errors import ConfigError, remedy_for
from stdpnet.model import presets, spec_class
from stdpnet.reading import parse_toml, read_toml, shortened
from stdpnet.spec.base import Before, Spec, set_key, spec_type
from stdpnet.spec.experiment import Experiment


def load_config(source: str | Path, overrides: Iterable[str] | Mapping[str, Any] = ()) -> Any:
    """Return the spec of a TOML file or a preset, with overrides applied in order.

    Parameters
    ----------
    source : path of a .toml file, or the name of a preset; the file of a run is read as `recorded` describes
    overrides : keys to change: {"plasticity.A_plus": 0.01}, or texts such as "plasticity.A_plus=0.01"

    Returns
    -------
    The experiment, of the class that its `model` has, such as STDPExperiment.

    Raises
    ------
    ConfigError
        If there is no such file or preset, the file is not TOML, or the result is not a valid spec.

    Examples
    --------
    >>> import stdpnet
    >>> spec = stdpnet.load_config("lcsnn-25-k12", {"seed": 3, "plasticity.A_plus": 0.01})
    >>> spec.seed, spec.topology.channels, spec.plasticity.A_plus
    (3, 25, 0.01)
    """
    path = Path(source)
    if str(source) in presets() and not path.is_file():
        values = presets()[str(source)].model_dump(exclude_none=True)
    elif path.suffix == ".toml" or os.path.isfile(path):  # os.path functions do not raise on over-long names
        values = read_toml(path)
        if path.with_name("provenance.json").is_file():  # the file of a run
            values = recorded(values)
    else:
        remedy = remedy_for(str(source), presets(), "`stdpnet config list` shows the presets")
        raise ConfigError(f"{source}: neither a .toml file nor a preset; {remedy}")
    if isinstance(overrides, Mapping):
        for key, value in overrides.items():
            set_key(values, key, value)
    else:
        for override in overrides:
            _apply(values, override)
    try:
        return experiment(values)
    except ConfigError as error:
        raise (error.within(str(source)) if path.suffix == ".toml" else error) from None


def recorded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that a run or study has recorded, complete with keys that were added since.

    Such a key gets the value that stands for the earlier behaviour (stdpnet.spec.base.Before).
    """
    return _recorded(spec_class(str(values.get("model", "stdp"))), values)


def _recorded(kind: type[Spec], values: Mapping[str, Any]) -> dict[str, Any]:
    complete = dict(values)
    for name, field in kind.model_fields.items():
        inner, value = spec_type(field.annotation), values.get(name)
        if inner is not None and isinstance(value, Mapping):
            complete[name] = _recorded(inner, value)
        for mark in field.metadata:
            if isinstance(mark, Before) and (mark.beside is None or values.get(mark.beside)):
                complete.setdefault(name, mark.value)
    return complete


def experiment(values: Mapping[str, Any]) -> Any:
    """Return the experiment that nested tables of keys describe, of the class that its `model` has.

    Raises
    ------
    ConfigError
        If they do not describe a valid experiment of their model.
    """
    return spec_class(str(values.get("model", "stdp")))(**values)


def _apply(values: dict[str, Any], override: str) -> None:
    """Set the dotted key of a text key=value in nested tables."""
    key, value = parse_key(override)
    is_default = value == "none" and not _is_choice(values, key, value)
    try:
        set_key(values, key, value)
    except ConfigError as error:
        raise ConfigError(f"--set {shortened(override)}: {str(error).partition(': ')[2]}") from None
    if is_default:  # TOML has no null: `none` restores the default
        *path, name = key.split(".")
        for part in path:
            values = values[part]
        del values[name]


def parse_key(text: str, option: str = "--set", example: str = "plasticity.A_plus=0.01") -> tuple[str, Any]:
    """Return key and value of a text key=value, such as an option of the command line; the value is TOML, or else text.

    Raises
    ------
    ConfigError
        If the text has another form; the message names the option and gives the example.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"{option} {shortened(text)}: must look like key=value, for example {example}")
    try:
        return key.strip(), parse_toml(f"value = {value}")["value"]
    except ValueError:
        return key.strip(), value.strip()


def refuse_key(key: str, overrides: Iterable[str], option: str) -> None:
    """Raise ConfigError if one of the overrides key=value sets a key that another option of the command chooses."""
    for name, value in map(parse_key, overrides):
        if name == key:
            raise ConfigError(f"--set {shortened(f'{key}={value}')}: {key} is chosen by {option}; leave this --set out")


def _is_choice(values: Mapping[str, Any], key: str, value: str) -> bool:
    """Return whether a text is one of the values of a dotted key, such as "none" of competition.rule."""
    owner: type[Spec] | None = spec_class(str(values.get("model", "stdp")))
    *tables, name = key.split(".")
    for table in tables:
        field = owner.model_fields.get(table) if owner else None
        owner = spec_type(field.annotation) if field else None
    return owner is not None and name in owner.model_fields and value in get_args(owner.model_fields[name].annotation)


def dump_config(spec: Experiment, *, documented: bool = False, only_changed: bool = False) -> str:
    """Return a spec as TOML that load_config reads back to an equal spec.

    Parameters
    ----------
    spec : what to write
    documented : add each key's manual as a comment
    only_changed : leave out keys with their default value, except network, dataset name and number of images, and a
        model other than stdp
    """
    changed = None
    if only_changed:
        changed = spec.model_dump(exclude_defaults=True)
        if spec.model != Experiment.model_fields["model"].default:  # a file without this key means the default
            changed["model"] = spec.model
        for name in ("topology", "network", "features"):
            if isinstance(part := getattr(spec, name, None), Spec):
                changed[name] = part.model_dump()
        changed["dataset"] = changed.get("dataset", {}) | {"name": spec.dataset.name}
        changed["training"] = changed.get("training", {}) | {"images": spec.training.images}
    lines = _lines(spec, documented, changed)
    for name in _tables(type(spec)):
        part = getattr(spec, name)
        if isinstance(part, Spec) and (changed is None or name in changed):
            lines += _table(name, part, documented, None if changed is None else changed[name])
    return "\n".join(lines).strip() + "\n"


def _table(name: str, part: Spec, documented: bool, changed: dict[str, Any] | None) -> list[str]:
    """Return the lines of a table, and of the tables in it."""
    lines = ["", f"[{name}]", *_lines(part, documented, changed)]
    for key in type(part).model_fields:
        inner = getattr(part, key)
        if isinstance(inner, Spec) and (changed is None or key in changed):
            lines += _table(f"{name}.{key}", inner, documented, None if changed is None else changed[key])
    return lines


def _tables(kind: type[Experiment]) -> list[str]:
    """Return the names of an experiment's fields in the order of a file: the images, the model, its training."""
    shared = list(Experiment.model_fields)
    after = shared.index("dataset") + 1
    return [*shared[:after], *(name for name in kind.model_fields if name not in shared), *shared[after:]]


def _lines(spec: Spec, documented: bool, changed: dict[str, Any] | None) -> list[str]:
    """Return `key = value` lines for the plain fields of one table; None is a comment, as TOML has no such value."""
    lines = []
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        if isinstance(value, Spec) or (changed is not None and name not in changed):
            continue
        if documented:
            lines.append(f"# {' '.join((field.description or '').split())}")
        if value is not None:
            lines.append(tomli_w.dumps({name: value}).strip())
        elif documented:
            lines.append(f"# {name} =")
    return lines
