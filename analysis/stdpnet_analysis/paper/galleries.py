"""Published results of one layer, and the networks that are trained and scored beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from stdpnet.errors import ConfigError
from stdpnet.spec.load import load_config
from stdpnet_analysis.paper.table2 import CHECKPOINT, Task, tasks_of

READOUTS = ("vote", "log_evidence", "proportion", "assigned", "n_gram", "linear")
"""The read-outs that every network of a gallery is scored by."""


class GalleryRow(NamedTuple):
    """A network of a gallery, and what was published of one like it."""

    preset: str
    keys: tuple[str, ...] = ()
    """Keys that differ from the preset."""
    published: float | None = None
    """Published accuracy on the test images, a fraction; None if nothing was published."""
    sd: float | None = None
    """Its published standard deviation over trainings."""
    readout: str = "n_gram"
    """The read-out of the publication, by its name in this project."""


class Gallery(NamedTuple):
    """Networks that are trained by one command."""

    title: str
    source: str
    """Source of the published figures."""
    rows: tuple[GalleryRow, ...]
    """Row 1 is the first."""
    labels: bool = False
    """Whether accuracy is shown against the number of labels."""


ONCE = ("training.pool=0", "training.images=60000")
"""As many presentations as MNIST has training images. As 10 000 of these are for calibration, the network sees the
50 000 others in turn."""

LARGE_FIELD = (
    "topology.kernel=16",
    "topology.stride=2",
    "plasticity.mean_weight=0.028",
    "plasticity.A_plus=0.0011",
)
"""256 pixels instead of 144, with the same sum of weights."""


def _diehl_cook(channels: int, published: float, *keys: str) -> GalleryRow:
    return GalleryRow("fcsnn-100", (f"topology.channels={channels}", *ONCE, *keys), published, readout="assigned")


def _saunders(channels: int, published: float, sd: float) -> GalleryRow:
    preset = "lcsnn-25-k12" if channels < 50 else "lcsnn-100-k12" if channels < 150 else "lcsnn-1000-k12"
    keys = ONCE if channels < 150 else (*ONCE, *LARGE_FIELD)
    return GalleryRow(preset, (f"topology.channels={channels}", *keys), published, sd)


GALLERIES = {
    "diehl-cook": Gallery(
        title="Fully connected networks of Diehl & Cook",
        source="Diehl & Cook 2015, doi 10.3389/fncom.2015.00099",
        rows=(
            _diehl_cook(100, 0.829),
            _diehl_cook(400, 0.870),
            _diehl_cook(1600, 0.919),
            _diehl_cook(6400, 0.950),
        ),
    ),
    "saunders": Gallery(
        title="Locally connected networks of Saunders et al.",
        source="Saunders et al. 2019, arXiv 1904.06269",
        rows=(
            _saunders(25, 0.8401, 0.0228),
            _saunders(50, 0.8821, 0.0179),
            _saunders(100, 0.9168, 0.0131),
            _saunders(200, 0.9314, 0.0113),
            _saunders(500, 0.9459, 0.0061),
            _saunders(1000, 0.9507, 0.0063),
        ),
    ),
    "fashion": Gallery(
        title="Fashion-MNIST, 5000 training images",
        source="none of one layer trained on so few images",
        rows=(GalleryRow("fashion-lcsnn-25-k12"), GalleryRow("fashion-lcsnn-100-k12")),
    ),
    "labels": Gallery(
        title="Labels needed, MNIST, 5000 training images",
        source="none",
        rows=(GalleryRow("lcsnn-25-k12"), GalleryRow("lcsnn-100-k12"), GalleryRow("lcsnn-1000-k12")),
        labels=True,
    ),
}
"""Name on the command line -> gallery."""


def plan(
    name: str, rows: Iterable[int] | None, seeds: range, folder: Path, overrides: Sequence[str] = ()
) -> list[Task]:
    """Return the tasks of a gallery, as `stdpnet_analysis.paper.computing.compute` computes them.

    Parameters
    ----------
    name : of the gallery
    rows : numbers of rows from 1; None: all
    seeds : of the trainings
    folder : where the runs are
    overrides : as for `stdpnet train --set`

    Raises
    ------
    ConfigError
        If there is no such row, or an override is wrong.
    """
    gallery, tasks = GALLERIES[name], []
    for number in range(1, len(gallery.rows) + 1) if rows is None else rows:
        if not 1 <= number <= len(gallery.rows):
            raise ConfigError(f"--rows {number}: {name} has the rows 1 to {len(gallery.rows)}")
        row = gallery.rows[number - 1]
        spec = load_config(row.preset, [f"checkpoint.every={10 * CHECKPOINT}", *row.keys, *overrides])
        label = f"{name}-{spec.topology.label.lower().replace(' ', '-').replace('/', '-k')}"
        tasks += tasks_of(number, label, spec, seeds, folder, READOUTS)
    return tasks
