"""The JSON schema of configuration files, by which editors complete keys, show their manual and mark mistakes.

`stdpnet/spec/schema.json` holds it; `python -m stdpnet.spec.presets configs` writes it. The first line
`#:schema PATH` of a TOML file tells editors that know the language server Taplo where it is.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from stdpnet.model import MODELS, spec_class

FILE = Path(__file__).with_name("schema.json")
"""The schema, as it is installed."""
DRAFT = "http://json-schema.org/draft-07/schema#"


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 7) of the configurations of all models; `model` says which one a file is of.

    Every table and key has its manual as the description, its default, its type and its bounds. What one key demands of
    another is not in it: a configuration that the schema accepts may still be refused.
    """
    definitions: dict[str, Any] = {}
    for model in MODELS:
        made = spec_class(model).model_json_schema(ref_template=f"#/definitions/{model}.{{model}}")
        if model != "stdp":  # a file without the key `model` is of this one
            made["required"] = ["model"]
        tables = made.pop("$defs")
        definitions |= {model: made, **{f"{model}.{name}": table for name, table in tables.items()}}
    models = [{"$ref": f"#/definitions/{model}"} for model in MODELS]
    complete = {"title": "A configuration of stdpnet", "type": "object", "anyOf": models}
    return {"$schema": DRAFT, **complete, "definitions": {name: _tidy(part) for name, part in definitions.items()}}


def _tidy(part: Any) -> Any:
    """Return a part of a schema without titles, infinite numbers and line breaks."""
    if isinstance(part, list):
        return [_tidy(each) for each in part]
    if isinstance(part, str):
        return " ".join(part.split())
    if not isinstance(part, dict):
        return part
    return {
        key: {name: _tidy(each) for name, each in value.items()} if key == "properties" else _tidy(value)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str)) and not (isinstance(value, float) and math.isinf(value))
    }


def schema_line(where: str | None = None) -> str:
    """Return the line by which an editor finds the schema: a path, or by default that of the installed file."""
    return f"#:schema {where or FILE.as_uri()}\n"
