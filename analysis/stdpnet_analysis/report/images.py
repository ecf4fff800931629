"""Encode figures as images inside an HTML page."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple

import PIL.Image
from matplotlib.figure import Figure

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.write import encoded

LARGEST_SVG = 250_000
"""Largest vector image, bytes; a larger figure becomes smaller, and is shown faster, as pixels."""
WIDEST_PNG = 2400
"""Largest width of an image, pixels."""
LARGEST_PNG = 500_000
"""A larger image, bytes, gets a palette of 256 colours: a colour map has no more, and the file shrinks to a third."""
CSS_PER_INCH = 96.0


class Image(NamedTuple):
    """A figure encoded for the page."""

    source: str
    """Data URI."""
    width: int
    """Natural width, CSS pixels."""
    height: int
    name: str
    caption: str


def encode(figure: Figure, name: str, caption: str) -> Image:
    """Return a figure as a data URI: SVG if that is small, else PNG."""
    inches = figure.get_size_inches()
    content, form = encoded(figure, "svg", style.DPI), "svg+xml"
    if len(content) > LARGEST_SVG:
        content, form = encoded(figure, "png", min(style.DPI, WIDEST_PNG / inches[0])), "png"
        content = _with_palette(content) if len(content) > LARGEST_PNG else content
    source = f"data:image/{form};base64,{base64.b64encode(content).decode('ascii')}"
    width, height = (round(CSS_PER_INCH * float(length)) for length in inches)
    return Image(source=source, width=width, height=height, name=name, caption=caption)


def _with_palette(png: bytes) -> bytes:
    """Return an image with the 256 colours that suit it best."""
    buffer = io.BytesIO()
    with PIL.Image.open(io.BytesIO(png)) as image:
        few = image.convert("RGB").quantize(256, PIL.Image.Quantize.FASTOCTREE, dither=PIL.Image.Dither.NONE)
        few.save(buffer, format="png")
    return buffer.getvalue()
