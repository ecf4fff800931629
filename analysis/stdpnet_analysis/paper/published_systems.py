"""Published accuracies of the systems that CoLaNET's authors compare, beside the nearest systems of this project.

The authors' images (Neovision2, objects of five classes) are not available. Published and measured accuracies are
therefore of different images: a row compares ways of learning, not numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stdpnet_analysis.readouts import title_of
from stdpnet_analysis.tables import Table
from stdpnet_analysis.text import MISSING, percent


class Published(NamedTuple):
    """A system that others have measured; accuracies in percent, as printed."""

    name: str
    source: str
    neovision2: str = MISSING
    """Mean ± standard deviation."""
    mnist: str = MISSING
    nearest: tuple[str, str] | None = None
    """System of `systems.SYSTEMS` that learns in the most similar way, and its read-out."""


CSNN_PAPER = "arXiv 2505.08514"
"""Kiselev & Lavrentyev; the figures come from slides on this paper."""
PUBLISHED = (
    Published("CNN1: convolutions 32 of 4 x 4, 64 of 3 x 3, dense", CSNN_PAPER, "94.35 ± 0.32", "> 99"),
    Published("CNN2: convolution 28 of 9 x 9, dense", CSNN_PAPER, "92.34 ± 0.42"),
    Published("CSNN: learned kernels and CoLaNET", CSNN_PAPER, "91.58 ± 1.1", nearest=("colanet-kernels", "own")),
    Published("ULSNN: Diehl & Cook 2015", CSNN_PAPER, "78.30 ± 0.28", nearest=("fcsnn", "log_evidence")),
    Published("CoLaNET, 15 microcolumns", "arXiv 2506.18306", mnist="92", nearest=("colanet-spiking", "own")),
)
"""The systems by decreasing accuracy on Neovision2."""
HERE = ("MNIST", "Fashion-MNIST")
"""Columns of `systems.CONDITIONS`."""


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the published systems beside the nearest rows of `systems.summary`; accuracies in percent."""
    found = {(row["system"], row["readout"]): row for row in rows}
    headings = ["system", "Neovision2, published", "MNIST, published", "source", "nearest here", *HERE]
    cells = []
    for system in PUBLISHED:
        here = [MISSING, MISSING, MISSING]
        if system.nearest and (row := found.get(system.nearest)):
            name = f"{row['name']}, {title_of(row['readout'])}"
            here = [name, *(percent(row["accuracy"][column]) for column in HERE)]
        cells.append([system.name, system.neovision2, system.mnist, system.source, *here])
    return Table("Published accuracy on test images, %, beside the nearest systems measured here", headings, cells)
