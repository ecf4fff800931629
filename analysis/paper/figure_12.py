"""Figure 12: hyper-parameters of a sweep as parallel coordinates, coloured by accuracy.

python analysis/paper/figure_12.py SWEEP [--folder runs/paper]

SWEEP is the directory that `stdpnet sweep` has made.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stdpnet_analysis.paper.harness import FOLDER, FORMATS, guarded
from stdpnet_analysis.sweeps import StudyDirectory
from stdpnet_analysis.sweeps.figure import parallel_coordinates

FILE = "figure-12-parallel-coordinates"


def draw(sweep: str, folder: Path, form: str) -> Path:
    """Draw the complete trials of a sweep; return the file."""
    path = parallel_coordinates(StudyDirectory.open(sweep), folder / f"{FILE}.{form}")
    print(path, flush=True)
    return path


def main() -> None:
    """Draw what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", metavar="SWEEP", help="a sweep's name below runs/, or its path")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the figure goes")
    parser.add_argument("--format", dest="form", choices=FORMATS, default="png")
    options = parser.parse_args()
    draw(options.sweep, options.folder, options.form)


if __name__ == "__main__":
    guarded(main)
