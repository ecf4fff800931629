"""Write figures to files, whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from stdpnet.errors import ConfigError, RunError
from stdpnet.runs import Run
from stdpnet.runs.files import write_bytes
from stdpnet_analysis.figures import style

UNDATED: dict[str, dict[str, None]] = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
"""Metadata left out of a file of each format, so that the same figure is the same file."""
FORMATS = tuple(UNDATED)
CANVASES = {"png": FigureCanvasAgg, "pdf": FigureCanvasPdf, "svg": FigureCanvasSVG}


def parse_formats(text: str) -> list[str]:
    """Return the formats of a list separated by commas.

    Raises
    ------
    ConfigError
        If one is unknown.
    """
    forms = list(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    for form in forms:
        if form not in FORMATS:
            raise ConfigError(f"--format {text}: '{form}' is unknown; choose among {', '.join(FORMATS)}")
    return forms


def folder(run: Run) -> Path:
    """Return the folder of a run's figures; make it if it is missing."""
    path = run.path / "figures"
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(f"{path}: cannot be made ({error.strerror}); permit writing to the run") from None
    return path


def save(figure: Figure, path: Path, dpi: int = style.DPI) -> None:
    """Write a figure to a file that appears whole or not at all.

    Parameters
    ----------
    figure : what to write
    path : the file, its suffix a format; one of that name is replaced
    dpi : resolution of a png, and of the images inside a pdf or svg
    """
    write_bytes(path, encoded(figure, path.suffix[1:], dpi))


def encoded(figure: Figure, form: str, dpi: float) -> bytes:
    """Return the bytes of a figure in a format.

    The figure is written into memory, because on a full disk the writer of a format may fail in ways of its own. The
    bytes are the same as from `Figure.savefig`. With constrained layout, `savefig` draws the figure once more to lay it
    out. The canvas of a format lays it out, too, and is therefore called directly.
    """
    content = io.BytesIO()
    with style.context():
        style.fit_titles(figure)
        canvas, usual_dpi, colour = figure.canvas, figure.dpi, figure.get_facecolor()
        try:
            writer = CANVASES[form](figure)
            figure.set(dpi=dpi, facecolor=mpl.rcParams["savefig.facecolor"])
            getattr(writer, f"print_{form}")(content, metadata=UNDATED[form])
        finally:
            figure.set(canvas=canvas, dpi=usual_dpi, facecolor=colour)
    return content.getvalue()
