"""Write Table 2 and all figures of the thesis; train what is missing.

python analysis/paper/all.py [--seeds 5] [--images 5000] [--folder runs/paper] [--sweep SWEEP]
"""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from pathlib import Path

import figure_12

from stdpnet.stdp.spec.presets import TABLE_2
from stdpnet_analysis.compare import compare
from stdpnet_analysis.paper import table2_report
from stdpnet_analysis.paper.harness import PaperFigure, computed, guarded, options_of, table_tasks, write

HERE = Path(__file__).parent
OTHERS = ("all", "homeostasis", "competition", "open_road", "figure_12")
"""Scripts that do not make a figure of the thesis from the runs of given networks."""


def paper_figures() -> list[PaperFigure]:
    """Return the figures of all scripts in this folder that have one."""
    names = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in OTHERS)
    return [import_module(name).FIGURE for name in names]


def write_table(options: argparse.Namespace) -> None:
    """Write Table 2, as `stdpnet reproduce table2` computes it."""
    begin, tasks = time.perf_counter(), table_tasks(list(TABLE_2), options, options.seeds)
    runs = computed(tasks)
    summary = table2_report.summarise(tasks, "best", options.keys, time.perf_counter() - begin)
    path = options.folder / "table-2.md"
    table2_report.write(summary, path, compare(runs))
    print(path, flush=True)


def main() -> None:
    """Write Table 2 and all figures."""
    options = options_of(__doc__, runs=False)
    write_table(options)
    for figure in paper_figures():
        write(figure, options)
    figure_12.draw(options, options.sweep)


if __name__ == "__main__":
    guarded(main)
