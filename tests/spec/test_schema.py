import json
import tomllib
from pathlib import Path

import pytest

from stdpnet.model import MODELS, spec_class
from stdpnet.spec.load import dump_config
from stdpnet.spec.presets import preset, preset_names
from stdpnet.spec.schema import FILE, schema

CONFIGS = Path(__file__).parents[2] / "configs"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
SCHEMA = schema()


def mistakes(value, rule, path="config"):
    """Return what a value has that a JSON schema forbids; a validator of the keywords that the schema uses."""
    if "$ref" in rule:
        rule = SCHEMA["definitions"][rule["$ref"].removeprefix("#/definitions/")]
    found = []
    if "anyOf" in rule:
        found += min((mistakes(value, each, path) for each in rule["anyOf"]), key=len)
    if "type" in rule and not has_type(value, rule["type"]):
        return [*found, f"{path}: no {rule['type']}"]
    if value not in rule.get("enum", [value]) or value != rule.get("const", value):
        found.append(f"{path}: {value} is no choice")
    if not isinstance(value, str | dict | list | bool) and value is not None:
        within = rule.get("minimum", value) <= value <= rule.get("maximum", value)
        strictly = rule.get("exclusiveMinimum", value - 1) < value < rule.get("exclusiveMaximum", value + 1)
        found += [] if (within and strictly) or abs(value) > 1e15 else [f"{path}: {value} is out of bounds"]
    if isinstance(value, list):
        found += [each for part in value for each in mistakes(part, rule["items"], path)]
    if isinstance(value, dict):
        found += [f"{path}.{name}: missing" for name in rule.get("required", []) if name not in value]
        for name, part in value.items():
            known = rule.get("properties", {})
            if name in known:
                found += mistakes(part, known[name], f"{path}.{name}")
            elif rule.get("additionalProperties", True) is False:
                found.append(f"{path}.{name}: unknown")
    return found


def has_type(value, name):
    if name in ("integer", "number"):
        return isinstance(value, int if name == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def test_the_file_is_the_schema():
    assert json.loads(FILE.read_text()) == SCHEMA, "python -m stdpnet.spec.presets configs"
    assert "Infinity" not in FILE.read_text()


def test_every_key_of_every_model_has_its_manual():
    for model in MODELS:
        spec = spec_class(model)
        for name, field in spec.model_fields.items():
            shown = SCHEMA["definitions"][model]["properties"][name]
            table = SCHEMA["definitions"].get(shown.get("$ref", "").removeprefix("#/definitions/"), {})
            assert (table | shown)["description"] == " ".join(field.description.split())


@pytest.mark.parametrize("name", preset_names())
def test_a_config_file_names_the_schema_and_obeys_it(name):
    text = (CONFIGS / f"{name}.toml").read_text()
    line, _, rest = text.partition("\n")
    assert (CONFIGS / line.removeprefix("#:schema ")).resolve() == FILE
    assert mistakes(tomllib.loads(rest), SCHEMA) == []
    assert mistakes(tomllib.loads(dump_config(preset(name))), SCHEMA) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", -1), ("seed", 1.5), ("dataset", {"crop": "20"}), ("neuron", {"tau_w": 1.0}), ("model", "spin")],
)
def test_a_mistake_is_marked(key, value):
    values = tomllib.loads((CONFIGS / "digits.toml").read_text())
    assert mistakes(values | {key: value}, SCHEMA)


def test_the_command_prints_the_schema_and_shown_configurations_name_it(stdpnet_command):
    assert json.loads(stdpnet_command("config", "schema").stdout) == SCHEMA
    first = stdpnet_command("config", "show", "digits").stdout.partition("\n")[0]
    assert first == f"#:schema {FILE.as_uri()}"
