"""Sort input spikes by receptive field: which row of weights each spike adds, step by step.

Positions of one column see the same *strip* of the image, n rows by k columns. The spikes of a strip are mapped once;
as they are sorted by step and pixel, those of a receptive field are consecutive within each step, between two *bands*
of image rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined
from stdpnet.geometry import Geometry
from stdpnet.stdp.engines.compiled.vectors import at


class Layout(NamedTuple):
    """Where strips, bands and receptive fields lie."""

    strips: NDArray[np.int32]
    """(p, n*n) row of each pixel in each strip, counted over the strip's pixels; -1 outside."""
    band: NDArray[np.int32]
    """(n*n,) band of each pixel."""
    bands: int
    """Bands B; receptive fields begin and end at their borders."""
    fields: NDArray[np.int32]
    """(P, 4) of each position: strip, first band, band after its last, row in the strip of its first weight."""


class Events(NamedTuple):
    """The input spikes of N presentations by strip."""

    rows: NDArray[np.uint32]
    """(N, p, S) rows in the strip of the spikes inside it, by step, band, pixel."""
    begins: NDArray[np.int32]
    """(N, p, T*B + 1) where the spikes of each band of each step begin."""
    bands: int
    """Bands B."""


class PresentationEvents(NamedTuple):
    """The input spikes of one presentation by strip: its part of Events."""

    rows: NDArray[np.uint32]
    """(p, S)"""
    begins: NDArray[np.int32]
    """(p, T*B + 1)"""
    bands: int
    """Bands B."""


class FieldEvents(NamedTuple):
    """The input spikes of one presentation inside one receptive field."""

    rows: NDArray[np.uint32]
    """(S,) rows in the strip of all spikes inside the strip."""
    begins: NDArray[np.int32]
    """(T*B + 1,) where the spikes of each band of each step begin in `rows`."""
    bands: int
    """Bands B."""
    first: int
    """First band of the field."""
    end: int
    """Band after the field's last one."""
    top: int
    """Row in the strip of the field's first weight."""


class Arrivals(NamedTuple):
    """The input spikes of one step inside one receptive field: they add the weights of rows[first:end] - top."""

    rows: NDArray[np.uint32]
    first: int
    end: int
    top: int


@inlined
def presentation_events(i: int, events: Events) -> PresentationEvents:
    """Return the events of presentation i."""
    return PresentationEvents(rows=events.rows[i], begins=events.begins[i], bands=events.bands)


@inlined
def field_events(field: NDArray[np.int32], events: PresentationEvents) -> FieldEvents:
    """Return the events of a receptive field, a row of Layout.fields."""
    strip, first, end, top = field
    return FieldEvents(
        rows=events.rows[strip], begins=events.begins[strip], bands=events.bands, first=first, end=end, top=top
    )


@inlined
def arrivals(k: int, field: FieldEvents) -> Arrivals:
    """Return the events of a receptive field in step k."""
    run = k * field.bands
    return Arrivals(
        rows=field.rows, first=at(field.begins, run + field.first), end=at(field.begins, run + field.end), top=field.top
    )


def layout(geometry: Geometry) -> Layout:
    """Return the layout of a network's receptive fields."""
    n, k, per_side = geometry.side, geometry.kernel, geometry.positions_per_side
    tops = np.arange(per_side) * geometry.stride
    borders = np.unique(np.concatenate([tops, tops + k]))
    pixels = np.arange(n)
    columns = pixels[np.newaxis] - tops[:, np.newaxis]  # (p, n) column in each strip
    inside = (columns >= 0) & (columns < k)
    strips = np.where(inside[:, np.newaxis], pixels[:, np.newaxis] * k + columns[:, np.newaxis], -1)
    band = np.clip(np.searchsorted(borders, pixels, side="right") - 1, 0, len(borders) - 2)
    first, end = np.searchsorted(borders, tops), np.searchsorted(borders, tops + k)
    places = [np.array(geometry.origin(position)) // geometry.stride for position in range(geometry.positions)]
    fields = [(column, first[row], end[row], tops[row] * k) for row, column in places]
    return Layout(
        strips=strips.reshape(per_side, n * n).astype(np.int32),
        band=np.repeat(band, n).astype(np.int32),
        bands=len(borders) - 1,
        fields=np.array(fields, np.int32),
    )


def empty_events(presentations: int, spikes: int, steps: int, layout: Layout) -> Events:
    """Return memory for the events of presentations of at most a number of input spikes each."""
    strips = len(layout.strips)
    return Events(
        rows=np.empty((presentations, strips, spikes + 1), np.uint32),
        begins=np.empty((presentations, strips, steps * layout.bands + 1), np.int32),
        bands=layout.bands,
    )


@compiled
def find_events(
    pixels: NDArray[np.int32], offsets: NDArray[np.int64], layout: Layout, events: Events, scratch: NDArray[np.int32]
) -> None:
    """Map the input spikes of presentations (see stdpnet.encoding.SpikeTrains) to the rows of the strips.

    Parameters
    ----------
    pixels, offsets : input spikes
    layout : see Layout
    events : where to write
    scratch : (2, >= S + 1, >= T*B + 1) memory to work in
    """
    bands, steps = layout.bands, offsets.shape[1] - 1
    runs = steps * bands
    starts, before = scratch[0], scratch[1]
    for i in range(offsets.shape[0]):
        first, total = np.uintp(offsets[i, 0]), np.uintp(offsets[i, steps] - offsets[i, 0])
        starts[: runs + 1] = 0
        for k in range(steps):
            run = np.uintp(k * bands + 1)
            for spike in range(np.uintp(offsets[i, k]), np.uintp(offsets[i, k + 1])):
                band = np.uintp(layout.band[np.uintp(pixels[spike])])
                starts[run + band] = spike + np.uintp(1) - first  # the last spike of the band is the one that remains
        latest = starts[0]
        for r in range(1, runs + 1):
            latest = starts[r] if starts[r] > latest else latest
            starts[r] = latest
        for strip in range(layout.strips.shape[0]):
            inside, rows, begins = layout.strips[strip], events.rows[i, strip], events.begins[i, strip]
            count = np.uintp(0)
            for spike in range(total):
                row = inside[np.uintp(pixels[first + spike])]
                before[spike] = count
                rows[count] = row
                count += np.uintp(row >= 0)  # branch-free, because half of the pixels are outside
            before[total] = count
            for r in range(runs + 1):
                begins[r] = before[np.uintp(starts[r])]
