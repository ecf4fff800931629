"""Figure 1: images of each class, with the part of them that the network sees.

python analysis/paper/figure_01.py [RUN] [--folder runs/paper]
"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from stdpnet.data import load_dataset
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.mosaic import tile
from stdpnet_analysis.paper.harness import LCSNN, PaperFigure, main
from stdpnet_analysis.view import TITLES, RunView

SIDE, ROWS, GAP = 28, 4, 2
"""Pixels of a whole image and of the gap between two; examples of each class."""


def draw(views: list[RunView]) -> Figure:
    """Draw training images of each class, whole, and the square in their middle that is left after cropping."""
    spec = views[0].experiment.dataset
    whole = load_dataset(spec.updated({"crop": max(SIDE, spec.crop)}))
    split, classes = whole.train, whole.classes
    columns = [split.images[np.flatnonzero(split.labels == label)[:ROWS]] for label in range(len(classes))]
    rows = min(map(len, columns))
    pictures = np.array([column[row] for row in range(rows) for column in columns], np.float64)
    figure, axes = style.new_axes(style.DOUBLE, 18 * rows + 12)
    axes.imshow(tile(pictures, GAP, (rows, len(classes))), cmap="gray_r", vmin=0, vmax=255)
    side = pictures.shape[1]
    pitch, margin = side + GAP, (side - spec.crop) // 2
    look = {"fill": False, "linewidth": 0.6, "edgecolor": style.OKABE_ITO[1]}
    for row, column in np.ndindex(rows, len(classes)):
        corner = (column * pitch + margin - 0.5, row * pitch + margin - 0.5)
        axes.add_patch(Rectangle(corner, spec.crop, spec.crop, **look))
    style.bare(axes)
    axes.set_xticks(np.arange(len(classes)) * pitch + (side - 1) / 2, classes)
    axes.tick_params(length=0)
    axes.set_xlabel(f"class; frame: the {spec.crop} × {spec.crop} pixels that the network sees")
    axes.set_title(f"{TITLES.get(spec.name, spec.name)}: training images of {side} × {side} pixels")
    return figure


FIGURE = PaperFigure("figure-01-images", (LCSNN,), draw)

if __name__ == "__main__":
    main(FIGURE, __doc__)
