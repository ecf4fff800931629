"""Ready configurations by name, and the files in configs/ made of them (`python -m stdpnet.spec.presets configs`)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from stdpnet.model import presets
from stdpnet.spec.load import dump_config


def preset_names() -> list[str]:
    """Return the names of all presets, sorted."""
    return sorted(presets())


def preset(name: str) -> Any:
    """Return the preset of a name that preset_names() lists."""
    return presets()[name]


def write_configs(folder: Path) -> None:
    """Write every preset to `<folder>/<name>.toml`, only what differs from the defaults."""
    for name in preset_names():
        text = dump_config(preset(name), only_changed=True)
        (folder / f"{name}.toml").write_text(
            f"# `stdpnet config show {name}` prints every key with its meaning.\n{text}"
        )


if __name__ == "__main__":
    write_configs(Path(sys.argv[1]))
