"""All tables and figures of the thesis: trains what is missing, then writes the whole set.

python analysis/paper/all.py [--seeds 5] [--images 5000] [--folder runs/study] [--sweep SWEEP]
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import figure_12
from shared import Study, guarded, options_of, write

HERE = Path(__file__).parent
OTHERS = ("all", "shared", "homeostasis", "competition", "open_road", "figure_12")
"""Scripts without a figure or table of the thesis that is made from trained networks."""


def studies() -> list[Study]:
    """Return the studies of all scripts in this folder that have one."""
    names = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in OTHERS)
    return [import_module(name).STUDY for name in names]


def main() -> None:
    """Write them all."""
    options = options_of(__doc__, runs=False)
    for study in studies():
        write(study, options)
    if options.sweep is None:
        print("Figure 12 is left out: name a sweep with --sweep", file=sys.stderr)
    else:
        figure_12.draw(options.sweep, options.folder, options.form)


if __name__ == "__main__":
    guarded(main)
