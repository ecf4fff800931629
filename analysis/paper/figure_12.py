"""Figure 12: hyper-parameters of a search as parallel coordinates, coloured by accuracy.

python analysis/paper/figure_12.py [SWEEP] [--trials 60] [--folder runs/paper]

SWEEP is a directory that `stdpnet sweep` has made. Without it, the script runs or continues the search of the thesis's
figure: random values of the keys that it varies, in the network that learns its competition.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stdpnet.spec.load import load_config
from stdpnet_analysis.paper.harness import guarded, image_keys, options_of
from stdpnet_analysis.sweeps import StudyDirectory, StudySpec, sweep
from stdpnet_analysis.sweeps.figure import parallel_coordinates

FILE = "figure-12-parallel-coordinates"
PRESET, KEYS = "lcsnn-25-k12-learned-thesis", ("dataset.validation=1000", "dataset.calibration=5000")
SPACE = {
    "plasticity.mean_weight": {"low": 0.2, "high": 0.7},
    "competition.c_w": {"low": -200.0, "high": -10.0},
    "competition.drift": {"low": 0.0, "high": 0.5},
    "competition.A_plus": {"low": -2.0, "high": 0.0},
    "competition.A_minus": {"low": -2.0, "high": 0.0},
    "competition.tau_plus": {"low": 5.0, "high": 30.0},
    "competition.tau_minus": {"low": 5.0, "high": 30.0},
}
"""The search space. A random sampler covers all of it; other samplers would concentrate on its best part."""


def searched(options: argparse.Namespace) -> StudyDirectory:
    """Return the search of the figure in the folder, finished."""
    from stdpnet_analysis.cluster.pool import pool

    keys = (*KEYS, *options.keys, *image_keys(options))
    study = StudySpec(
        base={"config": PRESET, "set": keys},
        space=SPACE,
        objective={"readout": "vote"},
        sampler={"kind": "random"},
        budget={"trials": options.trials},
    )
    base = load_config(PRESET, [*keys, f"checkpoint.every={study.checkpoint}"])
    directory = StudyDirectory.join(study, base, options.folder.resolve() / "sweep")
    with pool() as client:
        sweep(directory, client)
    return directory


def draw(options: argparse.Namespace, sweep: str | None) -> Path:
    """Draw the complete trials of a sweep, or of the figure's own search; return the file."""
    directory = StudyDirectory.open(sweep) if sweep else searched(options)
    path = parallel_coordinates(directory, options.folder / f"{FILE}.{options.form}")
    print(path, flush=True)
    return path


def main() -> None:
    """Draw the sweep of the command line, or the search of the figure."""
    options = options_of(__doc__)
    draw(options, options.runs[0] if options.runs else None)


if __name__ == "__main__":
    guarded(main)
