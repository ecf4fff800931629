"""Train single layers with more labels or images, other fields, kernel sizes side by side, and on Fashion-MNIST.

    python analysis/paper/open_road.py [NAME ...] [--folder runs/open-road] [--set KEY=VALUE]

Trains what is missing, scores it on the test images and writes open-road.md: the linear read-out and the best vote,
beside the linear read-out of the pixels. These figures are not used for any choice. "Side by side" means that the
counts of networks that were trained separately are read out together.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import hstack

import stdpnet
from stdpnet.data import load_dataset
from stdpnet.errors import ConfigError
from stdpnet.runs import Run
from stdpnet.runs.files import write_text
from stdpnet_analysis.evaluation import response_key
from stdpnet_analysis.paper.harness import Network, add_set_option, guarded, trained
from stdpnet_analysis.readouts.linear import LinearReadout
from stdpnet_analysis.readouts.scores import accuracies, best_vote, wilson_interval
from stdpnet_analysis.tables import markdown_lines

LABELS = "dataset.calibration=55000"
K8 = ("topology.channels=1000", "topology.stride=4")
K16 = ("topology.kernel=16", "topology.stride=2", "plasticity.mean_weight=0.028", "plasticity.A_plus=0.0011")
"""A field of 256 pixels instead of 144: the same sum of weights."""
FASHION = ("dataset.name=fashion-mnist", "dataset.crop=28")
NETWORKS = {
    "k12": Network("lcsnn-1000-k12", (LABELS,)),
    "many": Network("lcsnn-100-k12", ("dataset.calibration=30000", "training.pool=0", "training.images=60000")),
    "k8": Network("lcsnn-100-k8", (LABELS, *K8)),
    "k16": Network("lcsnn-1000-k12", (LABELS, *K16)),
    "fashion-k12": Network("lcsnn-100-k12", (LABELS, *FASHION)),
    "fashion-k8": Network("lcsnn-100-k8", (LABELS, *FASHION)),
}
TOGETHER = {"k8+k12+k16": ("k8", "k12", "k16"), "fashion-k8+k12": ("fashion-k8", "fashion-k12")}
"""Networks whose counts are read out together; they have the same labels."""


class Row(NamedTuple):
    """A line of the table."""

    name: str
    network: str
    images: str
    labels: int
    vote: float | None
    linear: float
    pixels: float
    n: int


def row(name: str, options: argparse.Namespace) -> tuple[Row, Run]:
    """Return the figures of a network, trained and scored as far as that is missing, and its run."""
    network = NETWORKS[name]
    spec = stdpnet.load_config(network.preset, [*network.keys, *options.keys])
    run = trained(options.folder / "runs" / name, spec)
    scores = run.load_scores() or {}
    accuracy, protocol = accuracies(scores), scores["protocol"]
    different = spec.training.pool or min(spec.training.images, len(load_dataset(spec.dataset).train.labels))
    label = f"{spec.dataset.name}, {spec.topology.label}, stride {spec.topology.stride}, crop {spec.dataset.crop}"
    line = Row(
        name=name,
        network=label,
        images=f"{different} x {run.images / different:.3g}",
        labels=protocol["calibration_images"],
        vote=accuracy[best_vote(accuracy)],
        linear=accuracy["linear"],
        pixels=accuracies(scores["pixels"])["linear"],
        n=protocol["images"],
    )
    return line, run


def together(name: str, rows: dict[str, tuple[Row, Run]]) -> Row:
    """Return the figures of several networks, read out together by a linear classifier."""
    chosen = [rows[part] for part in TOGETHER[name]]
    readout = LinearReadout()
    calibration, test = (_counts([run for _, run in chosen], part) for part in ("calibration", "test"))
    readout.fit(*calibration)
    accuracy = float(np.mean(readout.predict(test[0]) == test[1]))
    first = chosen[0][0]
    return first._replace(name=name, network="side by side", vote=None, linear=accuracy, n=len(test[1]))


def _counts(runs: list[Run], part: str) -> tuple[object, np.ndarray]:
    """Return the counts of several networks beside each other, and the labels."""
    found = []
    for run in runs:
        key = response_key(run.spec, run.load_state(), load_dataset(run.spec.dataset).sha256, part)
        found.append(run.load_responses(f"trained-{part}", key, sparse=True))
    if any(responses is None for responses in found):
        raise ConfigError(f"{runs[0].path.parent}: has no {part} responses; remove scores.json of its runs, and repeat")
    counts = hstack([responses.counts for responses in found if responses], format="csr")
    return counts, found[0].labels if found[0] else np.empty(0)


def table(rows: list[Row]) -> str:
    """Return the Markdown table; the interval is of the linear read-out."""
    headings = ["name", "network", "images x passes", "labels", "vote", "linear [95 %]", "pixels, linear"]
    lines = []
    for measured in rows:
        low, high = wilson_interval(round(measured.linear * measured.n), measured.n)
        vote = "–" if measured.vote is None else f"{100 * measured.vote:.2f}"
        linear = f"{100 * measured.linear:.2f} [{100 * low:.2f}, {100 * high:.2f}]"
        pixels = f"{100 * measured.pixels:.2f}"
        lines.append((measured.name, measured.network, measured.images, str(measured.labels), vote, linear, pixels))
    return "\n".join(markdown_lines(headings, lines)) + "\n"


def main() -> None:
    """Train, score, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NETWORKS)}; default all")
    parser.add_argument("--folder", type=Path, default=Path("runs/open-road"))
    add_set_option(parser)
    options = parser.parse_args()
    names = options.names or list(NETWORKS)
    if unknown := set(names) - set(NETWORKS):
        raise ConfigError(f"{', '.join(sorted(unknown))}: unknown; choose from {', '.join(NETWORKS)}")
    rows: dict[str, tuple[Row, Run]] = {}
    for name in names:
        rows[name] = row(name, options)
        print(rows[name][0], file=sys.stderr, flush=True)
    joint = [together(name, rows) for name, parts in TOGETHER.items() if set(parts) <= set(rows)]
    path = options.folder / "open-road.md"
    write_text(path, table([*(first for first, _ in rows.values()), *joint]))
    print(path)


if __name__ == "__main__":
    guarded(main)
