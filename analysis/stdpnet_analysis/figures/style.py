"""Style of all figures: sizes of a journal column, fonts, colours that colour-blind readers can tell apart."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import Colormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

MM = 1 / 25.4
DPI = 200
SINGLE, DOUBLE = 85.0, 180.0
"""Widths of a figure in one column and across two, mm."""

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Okabe & Ito's colours (2008), the ones with most contrast on white first."""
ARCHITECTURES = {"LCSNN": OKABE_ITO[0], "CSNN": OKABE_ITO[1], "FCSNN": OKABE_ITO[2]}
"""The colour of each architecture, the same in every figure."""
MARKERS = {"LCSNN": "o", "CSNN": "s", "FCSNN": "D"}
"""The marker of each architecture."""
OTHER_COLOURS = (*OKABE_ITO[3:7], "#8C510A")
"""Colours of all other models. Brown takes the place of yellow, which is hard to see on white."""
OTHER_MARKERS = "^v<>ph"
LINES = ("-", "--", "-.", ":")
WEIGHTS, COUNTS = "viridis", "cividis"
"""Colour maps: feedforward weights; counts and shares."""
GREY = "0.55"
PIXELS_LOOK = {"color": GREY, "linestyle": ":", "marker": ""}
"""Line of a read-out of the raw pixels."""

RC: Any = {  # matplotlib's own type lists every key as a literal
    "font.family": ["DejaVu Sans", "sans-serif"],  # the second for readers of an SVG who lack the first
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "figure.titlesize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.35,
    "image.interpolation": "nearest",
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,  # text stays text in a PDF
    "svg.fonttype": "none",  # and in an SVG
    "svg.hashsalt": "stdpnet",  # the same figure is the same file
}


def context() -> AbstractContextManager[None]:
    """Return the context in which figures are drawn and written; outside of it matplotlib keeps its own style."""
    return mpl.rc_context(RC)


def new_figure(width: float = SINGLE, height: float = 60.0) -> Figure:
    """Return an empty figure of a size in mm with constrained layout."""
    return Figure(figsize=(width * MM, height * MM), layout="constrained")


def new_axes(width: float = SINGLE, height: float = 60.0) -> tuple[Figure, Axes]:
    """Return a figure of a size in mm with constrained layout, and its only axes."""
    figure = new_figure(width, height)
    return figure, figure.subplots()


def new_panels(figure: Figure, count: int, columns: int, **options: Any) -> list[Axes]:
    """Return `count` panels of a figure, row by row; what is left of the last row stays empty.

    Parameters
    ----------
    figure : where to draw
    count : how many panels
    columns : panels in a row
    options : as for `Figure.subplots`
    """
    panels: list[Axes] = figure.subplots(-(-count // columns), columns, squeeze=False, **options).ravel().tolist()
    for spare in panels[count:]:
        spare.set_visible(False)
    return panels[:count]


def colour(number: int) -> str:
    """Return the colour of the line of this number."""
    return OKABE_ITO[number % len(OKABE_ITO)]


def line_look(number: int) -> dict[str, Any]:
    """Return colour, marker and line style of the line of this number."""
    marker = "os^vDPX*"[number % 8]
    return {"color": colour(number), "marker": marker, "linestyle": LINES[number % len(LINES)]}


def log_ticks(axis: Axis, subs: tuple[int, ...] = (1, 2, 5)) -> None:
    """Put ticks with plain numbers on a logarithmic axis, at these multiples of the powers of ten."""
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def fit_titles(figure: Figure) -> None:
    """Break the lines of titles that are wider than the figure, or wider than the panels below them."""
    titles = [(figure._suptitle, 1.0)] if figure._suptitle else []  # type: ignore[attr-defined]
    for axes in figure.axes:
        spec = axes.get_subplotspec()
        share = len(spec.colspan) / spec.get_gridspec().ncols if spec else 1.0
        titles += [(axes.title, share)]
    for title, share in titles:
        room = 0.97 * share * figure.bbox.width
        if title.get_text() and (width := title.get_window_extent().width) > room:
            longest = max(map(len, title.get_text().split("\n")))
            lines = -(-width // room)
            length = int(min(longest * room / width, 1.15 * longest / lines))  # lines of about one length
            title.set_text("\n".join(textwrap.fill(line, length) for line in title.get_text().split("\n")))


def darker(shade: str) -> tuple[float, ...]:
    """Return a darker shade of a colour, for small text."""
    return tuple(0.65 * part for part in to_rgb(shade))


def family_looks(families: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each family of models.

    Parameters
    ----------
    families : LCSNN, CSNN, FCSNN; every other family has the next free colour and marker
    """
    others = (name for name in dict.fromkeys(families) if name not in ARCHITECTURES)
    looks = {
        name: (OTHER_COLOURS[number % len(OTHER_COLOURS)], OTHER_MARKERS[number % len(OTHER_MARKERS)])
        for number, name in enumerate(others)
    }
    return looks | {name: (colour, MARKERS[name]) for name, colour in ARCHITECTURES.items()}


def group_looks(architectures: Sequence[str]) -> list[dict[str, Any]]:
    """Return colour and line style of groups of runs: a colour for each architecture, line styles within it.

    Parameters
    ----------
    architectures : LCSNN, CSNN or FCSNN for each group; every other name has the next free colour
    """
    colours = {name: colour for name, (colour, _) in family_looks(architectures).items()}
    looks = []
    for number, name in enumerate(architectures):
        earlier = architectures[:number].count(name)
        looks.append({"color": colours[name], "linestyle": LINES[earlier % len(LINES)]})
    return looks


def colour_map(name: str, bad: str = "white", under: str | None = None) -> Colormap:
    """Return a colour map with a colour for nan and, if `under` is given, one for values below its range."""
    return mpl.colormaps[name].with_extremes(bad=bad, under=under)


def bar_below(figure: Figure, image: AxesImage, axes: Any, label: str, *, extend: str = "neither") -> None:
    """Draw the colour bar of an image below its axes, with few ticks, so that long numbers do not collide.

    Parameters
    ----------
    figure, image : where to draw, and what the colours mean
    axes : one or several, from which the bar takes its room
    label : quantity and unit
    extend : neither, min, max or both: at which ends of the bar values lie beyond it
    """
    look: Any = {"location": "bottom", "shrink": 0.5, "aspect": 35, "pad": 0.02, "extend": extend}
    figure.colorbar(image, ax=axes, label=label, ticks=MaxNLocator(5), **look)


def bare(axes: Axes) -> None:
    """Remove ticks and frame; title and labels stay."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def class_ticks(axes: Axes, names: Sequence[str], which: str, most: int = 24) -> None:
    """Label an axis of classes; of many classes only as many as stay legible.

    Parameters
    ----------
    axes : where
    names : names of the classes, by number
    which : "x" or "y"
    most : how many labels fit
    """
    step = -(-len(names) // most)
    shown = range(0, len(names), step)
    labels = [names[number] for number in shown]
    if which == "y":
        axes.set_yticks(shown, labels)
    else:
        long = len(labels) * max(map(len, labels)) > 50
        axes.set_xticks(shown, labels, rotation=60 if long else 0, ha="right" if long else "center")
        if long:
            for label in axes.get_xticklabels():
                label.set_rotation_mode("anchor")
