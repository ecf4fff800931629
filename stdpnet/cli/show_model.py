"""`stdpnet show-model`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from stdpnet.cli.common import ConfigArgument, JsonOption, SetOption, load, print_json

Form = Literal["text", "markdown", "latex"]
"""Forms of a description."""


def show_model(
    config: ConfigArgument,
    form: Annotated[Form, typer.Option("--format", help="text, markdown or latex, for a methods section.")] = "text",
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the equations of a model, and every key that decides what is computed, with value, unit and meaning."""
    from stdpnet.description import FORMS, rows
    from stdpnet.model import equations_of, facts_of

    spec = load(config, overrides)
    facts, equations, keys = facts_of(spec), equations_of(spec), rows(spec)
    if as_json:
        print_json(
            {
                "label": facts.label,
                "equations": [each._asdict() for each in equations],
                "keys": [row._asdict() for row in keys],
            }
        )
    else:
        title = f"{facts.label}: {facts.units} units, {facts.total_synapses} synapses"
        print(FORMS[form](title, equations, keys), end="")
