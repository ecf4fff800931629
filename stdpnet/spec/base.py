"""The base of every spec: frozen, typed, strict about unknown keys, and clear about what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticKnownError

from stdpnet import notebook
from stdpnet.errors import ConfigError, remedy_for
from stdpnet.reading import shortened

LARGEST_INTEGER, LARGEST = 2**63 - 1, 1e100
"""Largest absolute value of a whole number and of any other finite number."""
DEEPEST = 8
"""Largest number of nested tables that a dotted key may name."""


class Spec(BaseModel):
    """A frozen description: no arrays, no behaviour beyond derived numbers; an attribute's docstring is its manual.

    Raises
    ------
    ConfigError
        On an unknown key (with the nearest valid one), a value of the wrong type, or one out of range.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True, allow_inf_nan=False
    )

    def __init__(self, /, **values: Any) -> None:  # a file may have a key called self
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(*_sentences(type(self), error.errors())) from None

    # Without this mark pydantic would build nested specs through __init__ too, and a nested error would lose its path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_not_booleans(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false in place of a number, which pydantic reads as 1 and 0."""
        parts = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(part, bool) for part in parts):
            types = _plain_types(cls.model_fields[str(info.field_name)].annotation)
            if bool not in types and (int in types or float in types):
                raise PydanticKnownError("int_type" if int in types else "float_type")
        return value

    @model_validator(mode="after")
    def _numbers_are_within_limits(self) -> Self:
        """Refuse numbers with which arithmetic overflows."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
                raise ValueError(f"{name}: {shortened(value)} is too large; choose at most 2**63 - 1")
            if isinstance(value, float) and LARGEST < abs(value) < float("inf"):
                raise ValueError(f"{name}: {value:g} is too large; choose at most {LARGEST:g}")
        return self

    def updated(self, changes: Mapping[str, Any]) -> Self:
        """Return a validated copy with some keys changed; a table that is given as a dict keeps its other keys.

        Parameters
        ----------
        changes : dotted key -> value, such as {"plasticity.A_plus": 0.1}, or nested tables of keys; the value of a
            table may be a spec, which replaces it
        """
        tables = self.model_dump()
        for key, value in changes.items():
            set_key(tables, key, value)
        return type(self)(**tables)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Give repr and str the keys that do not have their default value: they make an equal spec."""
        for name, field in type(self).model_fields.items():
            if (value := getattr(self, name)) != field.default:
                yield name, value

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        """Return the keys that are not the default as a table, each with its manual, and the others below."""
        rows = list(_documented(self))
        changed = [row for row, is_changed in rows if is_changed]
        others = [row for row, is_changed in rows if not is_changed]
        return notebook.table(type(self).__name__, changed, (f"{len(others)} keys have their default value", others))


def _documented(spec: Spec, default: Spec | None = None) -> Iterator[tuple[notebook.Row, bool]]:
    """Yield each key with value and manual, and whether the value differs from that of `default`.

    Without `default`, the default of the class takes its place.
    """
    for name, field in type(spec).model_fields.items():
        value, usual = getattr(spec, name), field.default if default is None else getattr(default, name, None)
        if isinstance(value, Spec):
            for (key, *rest), is_changed in _documented(value, usual if isinstance(usual, Spec) else None):
                yield (f"{name}.{key}", *rest), is_changed
        else:
            yield (name, value, " ".join((field.description or "").split())), value != usual


class Monitoring:
    """Marks a field (in its annotation) that decides what is written and when, but not what is learned."""


class Before:
    """Marks a field (in its annotation) that was added later, and whose default differs from the earlier behaviour.

    The configuration of a run holds every key that existed when it was written: a key that it lacks was added later.

    Parameters
    ----------
    value : the value that stands for the behaviour before the key existed
    beside : another key of the same table; where that one is not set, the field has no effect and keeps its default
    """

    def __init__(self, value: Any, beside: str | None = None) -> None:
        self.value, self.beside = value, beside


class Schedule:
    """Marks a field (in its annotation) that decides only how long and in which order images are trained on."""


def flat(spec: Spec, *without: type) -> dict[str, Any]:
    """Return the values of a spec by dotted key, without the fields that carry one of the given marks."""
    values: dict[str, Any] = {}
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        if any(isinstance(mark, without) for mark in field.metadata):
            continue
        if isinstance(value, Spec):
            values |= {f"{name}.{key}": part for key, part in flat(value, *without).items()}
        else:
            values[name] = value
    return values


def differences(first: Spec, second: Spec, *without: type) -> dict[str, tuple[Any, Any]]:
    """Return the dotted keys in which two specs differ, sorted, with both values; None where a spec lacks the key."""
    one, two = flat(first, *without), flat(second, *without)
    return {key: (one.get(key), two.get(key)) for key in sorted(one | two) if one.get(key) != two.get(key)}


def marked(owner: type[Spec], mark: type) -> list[str]:
    """Return the names of the fields of a spec class that carry a mark."""
    return [
        name for name, field in owner.model_fields.items() if any(isinstance(found, mark) for found in field.metadata)
    ]


def set_key(tables: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in nested tables, in place; a dict is merged into the table that is there.

    Raises
    ------
    ConfigError
        If a part of the key before the last one names a value instead of a table.
    """
    *path, name = key.split(".")
    if len(path) > DEEPEST:
        raise ConfigError(f"{shortened(key)}: has {len(path)} tables within each other; no key has more than {DEEPEST}")
    for part in path:
        inner = tables.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{key}: {part} is a value, not a table of keys")
        tables = inner
    if isinstance(value, Mapping) and isinstance(tables.get(name), dict):
        for inner_key, inner_value in value.items():
            set_key(tables[name], inner_key, inner_value)
    else:
        tables[name] = value


def spec_type(annotation: Any) -> type[Spec] | None:
    """Return the spec class that a field's annotation names, or None for a plain value."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, Spec) else None


def _spec_within(annotation: Any) -> type[Spec] | None:
    """Return the spec class that a field's annotation names, itself or as the values of a dict."""
    return spec_type(annotation) or next(filter(None, map(spec_type, get_args(annotation))), None)


def _plain_types(annotation: Any) -> set[Any]:
    """Return the types of which an annotation is made, such as int and None of `int | None`."""
    parts = get_args(annotation)
    return set().union(*map(_plain_types, parts)) if parts else {annotation}


def _sentences(root: type[Spec], errors: list[ErrorDetails]) -> list[str]:
    """Return one sentence for each key that is wrong; a key with several possible types has an error for each."""
    found: dict[tuple[str, ...], str] = {}
    for error in errors:
        found.setdefault(_key_of(root, [str(part) for part in error["loc"]]), _sentence(root, error))
    return list(dict.fromkeys(found.values()))


def _key_of(root: type[Spec], path: list[str]) -> tuple[str, ...]:
    """Return the part of a path that names a key, without what pydantic adds within its value."""
    owner: type[Spec] | None = root
    for depth, part in enumerate(path):
        field = owner.model_fields.get(part) if owner else None
        owner = spec_type(field.annotation) if field else None
        if owner is None:
            return tuple(path[: depth + 1])
    return tuple(path)


def _sentence(root: type[Spec], error: ErrorDetails) -> str:
    """Return one sentence for a pydantic error: the key, what is wrong, the value, the remedy."""
    path = [str(part) for part in error["loc"]]
    key = shortened(".".join(path) or root.__name__)
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key{_nearest(root, path)}"
    if error["type"] == "value_error":
        message = str(error["ctx"]["error"])  # begins with its key if the path lacks it
        return ".".join(path) + message if message.startswith(":") else ".".join([*path, message])
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{key}: {message}, got {_quoted(error['input'])}"


def _quoted(value: object) -> str:
    """Return a value as a message quotes it."""
    return repr(shortened(value)) if isinstance(value, str) else shortened(value)


def _nearest(root: type[Spec], path: list[str]) -> str:
    """Return the suggestion for an unknown key at `path`, or the list of valid keys."""
    owner = root
    for part in path[:-1]:
        field = owner.model_fields.get(part)
        owner = (_spec_within(field.annotation) if field else None) or owner
    valid = list(owner.model_fields)
    tables = {name: _spec_within(field.annotation) for name, field in owner.model_fields.items()}
    within = [f"{name}.{path[-1]}" for name, table in tables.items() if table and path[-1] in table.model_fields]
    elsewhere = f"did you mean {' or '.join(within)}?" if within else f"valid keys are {', '.join(valid)}"
    return f"; {remedy_for(path[-1], valid, elsewhere)}"
