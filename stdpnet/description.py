"""Describe a configuration as a methods section does: equations, and every key with value, unit and meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from stdpnet.spec.base import Spec
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.monitoring import CheckpointSpec, CurveSpec, EvaluationSpec, HealthSpec, ProgressSpec

WATCHING = (CheckpointSpec, CurveSpec, EvaluationSpec, HealthSpec, ProgressSpec)
"""Tables without influence on what is computed; a description leaves them out."""
UNIT = re.compile(r", (?:in )?(ms|mV|Hz|degrees|pixels)\b")
SPECIAL = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "^": r"\^{}", "<": r"\(<\)", ">": r"\(>\)"}


class Equation(NamedTuple):
    """An equation of a model."""

    name: str
    text: str
    """As plain text, with the names of the keys."""
    latex: str


class Row(NamedTuple):
    """A key of a configuration."""

    key: str
    value: Any
    unit: str
    meaning: str


def rows(spec: Experiment) -> list[Row]:
    """Return every key that decides what is computed, in the order of a configuration file."""
    return list(_rows(spec, ""))


def _rows(spec: Spec, prefix: str) -> Iterator[Row]:
    for name, field in type(spec).model_fields.items():
        value, meaning = getattr(spec, name), " ".join((field.description or "").split())
        if isinstance(value, Spec):
            if not isinstance(value, WATCHING):
                yield from _rows(value, f"{prefix}{name}.")
        else:
            unit = UNIT.search(meaning)
            yield Row(f"{prefix}{name}", value, unit[1] if unit else "", meaning)


def as_text(title: str, equations: list[Equation], keys: list[Row]) -> str:
    """Return a description for a terminal."""
    lines = [title, "", *(f"{each.name}:\n    {each.text}" for each in equations), *([""] if equations else [])]
    width = max(len(row.key) for row in keys)
    lines += [f"{row.key:{width}}  {f'{_value(row.value)} {row.unit}'.strip():18}  {row.meaning}" for row in keys]
    return "\n".join(lines) + "\n"


def as_markdown(title: str, equations: list[Equation], keys: list[Row]) -> str:
    """Return a description in Markdown, with the equations in LaTeX."""
    lines = [f"# {title}", ""]
    for each in equations:
        lines += [f"**{each.name}**", "", f"$$\n{each.latex}\n$$", ""]
    lines += ["| key | value | unit | meaning |", "|---|---|---|---|"]
    lines += [
        "| " + " | ".join((f"`{row.key}`", _value(row.value), row.unit, row.meaning.replace("|", r"\|"))) + " |"
        for row in keys
    ]
    return "\n".join(lines) + "\n"


def as_latex(title: str, equations: list[Equation], keys: list[Row]) -> str:
    """Return a description for a methods section in LaTeX; it needs the packages amsmath and longtable."""
    lines = [rf"\paragraph{{{_escaped(title)}}}"]
    for each in equations:
        lines += [f"{_escaped(each.name)}:", r"\begin{equation}", f"  {each.latex}", r"\end{equation}"]
    lines += [r"\begin{longtable}{llp{0.5\linewidth}}", r"key & value & meaning \\ \hline"]
    for row in keys:
        value = f"{_value(row.value)} {row.unit}".strip()
        lines.append(rf"\texttt{{{_escaped(row.key)}}} & {_escaped(value)} & {_escaped(row.meaning)} \\")
    return "\n".join([*lines, r"\end{longtable}"]) + "\n"


FORMS: dict[str, Callable[[str, list[Equation], list[Row]], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "latex": as_latex,
}


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:.12g}" if isinstance(value, float) else "default" if value is None else str(value)


def _escaped(text: str) -> str:
    return "".join(SPECIAL.get(character, character) for character in text)
