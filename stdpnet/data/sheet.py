"""Draw a contact sheet: examples of every class on one page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stdpnet.data.dataset import Images, Split
from stdpnet.errors import DataError

GAP, PAPER = 2, 255  # pixels between images, and their grey value
INCHES_PER_IMAGE = 0.5


def contact_sheet(
    split: Split, classes: Sequence[str], path: str | Path, columns: int = 12, rows: int | None = None
) -> Path:
    """Write a PNG with a row of examples per class, and return its path.

    Parameters
    ----------
    split
        The images to show: the first `columns` of each class.
    classes
        The names of the classes, by label.
    path
        The file to write; its folder is created.
    columns, rows
        Examples per class, and how many classes (default all).
    """
    from matplotlib.figure import Figure

    if not len(split):
        raise DataError("contact sheet: the split has no images; choose one that has")
    names = list(classes)[:rows]
    counts = np.bincount(split.labels, minlength=len(classes))
    mosaic = _mosaic(split, len(names), columns)
    width, height = columns * INCHES_PER_IMAGE, len(names) * INCHES_PER_IMAGE
    figure = Figure(figsize=(width, height), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(mosaic, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="equal")
    axes.set_axis_off()
    pitch = mosaic.shape[0] / len(names)
    for row, name in enumerate(names):
        middle = (row + 0.5) * pitch - 0.5
        axes.text(-0.2 * pitch, middle - 0.02 * pitch, name.replace("$", r"\$"), ha="right", va="bottom", fontsize=9)
        axes.text(
            -0.2 * pitch, middle + 0.08 * pitch, f"{counts[row]:,}", ha="right", va="top", fontsize=7, color="0.45"
        )
    target, content = Path(path), io.BytesIO()
    figure.savefig(content, format="png", bbox_inches="tight", pad_inches=0.15)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.getbuffer())
    return target


def _mosaic(split: Split, rows: int, columns: int) -> Images:
    """Return the first images of each class, on paper: (rows * (n + GAP), columns * (n + GAP))."""
    side = split.images.shape[1]
    tiles = np.full((rows, columns, side + GAP, side + GAP), PAPER, dtype=np.uint8)
    for row in range(rows):
        shown = split.images[np.flatnonzero(split.labels == row)[:columns]]
        tiles[row, : len(shown), GAP // 2 : -(GAP // 2), GAP // 2 : -(GAP // 2)] = shown
    return tiles.swapaxes(1, 2).reshape(rows * (side + GAP), columns * (side + GAP))
