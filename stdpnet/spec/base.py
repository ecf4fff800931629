"""The base of every spec: frozen, typed, strict about unknown keys, and clear about what is wrong."""

from __future__ import annotations

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from stdpnet.errors import ConfigError


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

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(_sentence(type(self), error.errors()[0])) from None

    # Without this mark pydantic would build nested specs through __init__ too, and a nested error would lose its path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def replace(self, **values: Any) -> Any:
        """Return a validated copy with the given top-level fields replaced."""
        return type(self)(**{**{name: getattr(self, name) for name in type(self).model_fields}, **values})


def spec_type(annotation: Any) -> type[Spec] | None:
    """Return the spec class that a field's annotation names, or None for a plain value."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, Spec) else None


def _spec_within(annotation: Any) -> type[Spec] | None:
    """Return the spec class that a field's annotation names, itself or as the values of a dict."""
    return spec_type(annotation) or next(filter(None, map(spec_type, get_args(annotation))), None)


def _sentence(root: type[Spec], error: ErrorDetails) -> str:
    """Return one sentence for a pydantic error: the key, what is wrong, the value, the remedy."""
    path = [str(part) for part in error["loc"]]
    key = ".".join(path) or root.__name__
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key{_nearest(root, path)}"
    if error["type"] == "value_error":
        return ".".join([*path, str(error["ctx"]["error"])])  # a validator's message begins with the key it is about
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{key}: {message}, got {error['input']!r}"


def _nearest(root: type[Spec], path: list[str]) -> str:
    """Return the suggestion for an unknown key at `path`, or the list of valid keys."""
    owner = root
    for part in path[:-1]:
        field = owner.model_fields.get(part)
        owner = (_spec_within(field.annotation) if field else None) or owner
    valid = list(owner.model_fields)
    close = difflib.get_close_matches(path[-1], valid, n=1, cutoff=0.5) or [
        name for name in valid if name.lower() == path[-1].lower()
    ]
    return f"; did you mean '{close[0]}'?" if close else f"; valid keys are {', '.join(valid)}"
