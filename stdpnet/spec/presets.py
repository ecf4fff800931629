"""Ready configurations by name; `python -m stdpnet.spec.presets configs` makes the files in configs/ and the schema."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from stdpnet.model import presets
from stdpnet.spec.base import flat
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.load import dump_config
from stdpnet.spec.schema import FILE, schema, schema_line


def preset_names() -> list[str]:
    """Return the names of all presets, sorted.

    Examples
    --------
    >>> import stdpnet
    >>> "lcsnn-25-k12" in stdpnet.preset_names()
    True
    """
    return sorted(presets())


def preset(name: str) -> Any:
    """Return the preset of a name that preset_names() lists."""
    return presets()[name]


def nearest(spec: Experiment) -> tuple[str | None, dict[str, Any]]:
    """Return the name of the preset that differs least from a spec, and the keys that differ, with the spec's values.

    For a model without presets: None, and the values of all keys.
    """
    values = flat(spec)
    found = [
        (name, {key: value for key, value in values.items() if other.get(key) != value})
        for name, other in ((name, flat(each)) for name, each in sorted(presets().items()) if each.model == spec.model)
    ]
    return min(found, key=lambda pair: len(pair[1]), default=(None, values))


def write_configs(folder: Path) -> None:
    """Write every preset to `<folder>/<name>.toml`, only what differs from the defaults."""
    for name in preset_names():
        text = dump_config(preset(name), only_changed=True)
        (folder / f"{name}.toml").write_text(
            f"{schema_line('../stdpnet/spec/schema.json')}"
            f"# `stdpnet config show {name}` prints every key with its meaning.\n{text}"
        )


if __name__ == "__main__":
    write_configs(Path(sys.argv[1]))
    FILE.write_text(f"{json.dumps(schema(), indent=1, ensure_ascii=False)}\n", encoding="utf-8")
