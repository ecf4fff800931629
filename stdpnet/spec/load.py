"""Specs from TOML files, presets and `key=value` overrides, and back to TOML."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import tomli_w

from stdpnet.errors import ConfigError
from stdpnet.spec.base import Spec, spec_type
from stdpnet.stdp.spec.experiment import ExperimentSpec
from stdpnet.stdp.spec.presets import preset, preset_names


def load_config(source: str | Path, overrides: Iterable[str] = ()) -> ExperimentSpec:
    """Return the spec of a TOML file or a preset, with overrides such as "plasticity.A_plus=0.01" applied in order.

    Raises
    ------
    ConfigError
        If there is no such file or preset, the file is not TOML, or the result is not a valid spec.
    """
    path = Path(source)
    if str(source) in preset_names() and not path.is_file():
        values = preset(str(source)).model_dump(exclude_none=True)
    elif path.suffix == ".toml" or os.path.isfile(path):  # which, unlike Path.is_file, has an answer to any string
        values = _read(path)
    else:
        close = difflib.get_close_matches(str(source), preset_names(), n=1)
        hint = f"did you mean '{close[0]}'?" if close else "`stdpnet config list` shows the presets"
        raise ConfigError(f"{source}: neither a .toml file nor a preset; {hint}")
    for override in overrides:
        _apply(values, override)
    try:
        return ExperimentSpec(**values)
    except ConfigError as error:
        where = f"{source}: " if path.suffix == ".toml" else ""
        raise ConfigError(f"{where}{error}") from None


def _read(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; `stdpnet config list` shows the presets") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text ({error})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _apply(values: dict[str, Any], override: str) -> None:
    """Set one dotted key in nested tables; the value is TOML, or else a plain string."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {override}: must look like key=value, for example plasticity.A_plus=0.01")
    *tables, name = key.strip().split(".")
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {override}: {table} is a value, not a table of keys")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    if value == "none" and not _is_choice(key.strip(), "none"):
        values.pop(name, None)
    else:
        values[name] = value


def _is_choice(key: str, value: str) -> bool:
    """Return whether a text is one of the values of a dotted key, such as "none" of competition.rule."""
    owner: type[Spec] | None = ExperimentSpec
    *tables, name = key.split(".")
    for table in tables:
        field = owner.model_fields.get(table) if owner else None
        owner = spec_type(field.annotation) if field else None
    return owner is not None and name in owner.model_fields and value in get_args(owner.model_fields[name].annotation)


def dump_config(spec: ExperimentSpec, *, documented: bool = False, only_changed: bool = False) -> str:
    """Return a spec as TOML that load_config reads back to an equal spec.

    Parameters
    ----------
    spec : what to write
    documented : add each key's manual as a comment
    only_changed : leave out keys that have their default value, but for what a reader looks for first
    """
    changed = None
    if only_changed:
        changed = spec.model_dump(exclude_defaults=True)
        changed["topology"] = spec.topology.model_dump()
        changed["dataset"] = changed.get("dataset", {}) | {"name": spec.dataset.name}
        changed["training"] = changed.get("training", {}) | {"images": spec.training.images}
    lines = _lines(spec, documented, changed)
    for name in type(spec).model_fields:
        part = getattr(spec, name)
        if isinstance(part, Spec) and (changed is None or name in changed):
            lines += ["", f"[{name}]", *_lines(part, documented, None if changed is None else changed[name])]
    return "\n".join(lines).strip() + "\n"


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
