"""Recordings of event cameras: which pixel became brighter or darker, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stdpnet.errors import ConfigError, DataError
from stdpnet.spikes import SpikeTrains

Polarity = Literal["both", "on", "off"]

FIELDS = ("x", "y", "t", "p")
"""Fields of a structured array of events: column, row, time in microseconds, polarity."""
LONGEST = 2**32 - 1
"""Largest time of an event, microseconds."""
CHUNK = 1024
"""Recordings that are summed up at a time; results do not depend on it."""
RECORDING = np.dtype([("x", np.uint16), ("y", np.uint16), ("t", np.uint32), ("p", np.bool_)])
"""Type of the structured array in which a single recording is returned."""


class Recording(NamedTuple):
    """The S events of one recording, or of several in a row, on a square plane of n x n pixels."""

    pixels: NDArray[np.unsignedinteger]
    """(S,) pixel of each event, row * n + column."""
    times: NDArray[np.uint32]
    """(S,) time of each event, microseconds from the beginning of its recording."""
    on: NDArray[np.bool_]
    """(S,) whether the pixel became brighter."""


@dataclass(frozen=True, eq=False, repr=False)
class Events:
    """Recordings of an event camera, in memory; `Events.of` makes them of structured arrays.

    It is a sequence like an array of images: it has a length, and a slice, an array of indices or a mask selects
    recordings. A single index returns that recording as a structured array with the fields x, y, t and p.

    Examples
    --------
    >>> import numpy as np
    >>> import stdpnet
    >>> recording = np.array([(3, 0, 1500, 1), (4, 0, 2500, 0)], [(name, int) for name in "xytp"])
    >>> events = stdpnet.Events.of([recording, recording[:1]], sensor=(6, 6))
    >>> events
    <2 recordings of 6 x 6 pixels, 3 events>
    >>> events[0]["t"].tolist()
    [1500, 2500]
    """

    events: Recording
    """The events of all N recordings, one recording after the other."""
    offsets: NDArray[np.int64]
    """(N + 1,): recording i has the events offsets[i] to offsets[i + 1]."""
    side: int
    """Side n of the plane, pixels."""

    @classmethod
    def of(cls, recordings: Sequence[ArrayLike], sensor: tuple[int, int] = (34, 34)) -> Events:
        """Return recordings as events on a square plane, after a check of their types and bounds.

        Parameters
        ----------
        recordings : structured arrays (S,) with the whole-number fields x (column), y (row), t (microseconds from the
            beginning of the recording, not decreasing) and p (1 or True: brighter; 0, -1 or False: darker)
        sensor : width and height of the camera's plane, pixels; it is centred in a square

        Raises
        ------
        DataError
            If a recording has another form, or a value is out of bounds.
        """
        checked = [
            checked_recording(np.asarray(each), f"recording {number}", sensor) for number, each in enumerate(recordings)
        ]
        return cls.joined(checked, max(sensor))

    @classmethod
    def joined(cls, recordings: Sequence[Recording], side: int) -> Events:
        """Return any number of recordings, also none, on planes of the same side as one set."""
        none = np.empty(0, int)
        empty = Recording(_of_plane(none, side), none.astype(np.uint32), none.astype(bool))
        columns = (np.concatenate(column) for column in zip(empty, *recordings, strict=True))
        offsets = _ends([len(each.pixels) for each in recordings])
        return cls(Recording(*columns), offsets, side)

    @classmethod
    def cut(
        cls,
        pixels: NDArray[Any],
        times: NDArray[Any],
        on: NDArray[np.bool_],
        offsets: NDArray[np.int64],
        side: int,
    ) -> Events:
        """Return the events of several recordings in a row, (S,) each, cut at offsets (N + 1,)."""
        return cls(Recording(_of_plane(pixels, side), times.astype(np.uint32, copy=False), on), offsets, side)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"<{len(self)} recordings of {self.side} x {self.side} pixels, {len(self.events.pixels)} events>"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number and sides of the pictures that the events sum up to."""
        return len(self), self.side, self.side

    def __getitem__(self, selection: Any) -> Any:
        """Return the selected recordings as Events, or the one with a single index as a structured array (S,)."""
        chosen = np.arange(len(self))[selection]
        if np.ndim(chosen) == 0:
            return self._structured(int(chosen))
        if len(chosen) and np.array_equal(chosen, np.arange(chosen[0], chosen[0] + len(chosen))):  # no copy
            first, last = self.offsets[chosen[0]], self.offsets[chosen[-1] + 1]
            part = self._between(first, last)
            return Events(part, self.offsets[chosen[0] : chosen[-1] + 2] - first, self.side)
        return Events.joined([self.recording(number) for number in chosen], self.side)

    def recording(self, number: int) -> Recording:
        """Return the events of one recording."""
        return self._between(self.offsets[number], self.offsets[number + 1])

    def _between(self, first: int, last: int) -> Recording:
        pixels, times, on = self.events
        return Recording(pixels[first:last], times[first:last], on[first:last])

    def _structured(self, number: int) -> NDArray[Any]:
        found = self.recording(number)
        recording = np.empty(len(found.pixels), RECORDING)
        recording["y"], recording["x"] = np.divmod(found.pixels, self.side)
        recording["t"], recording["p"] = found.times, found.on
        return recording

    def numbers(self) -> NDArray[np.int64]:
        """Return (S,) the recording that each event belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def cropped(self, side: int) -> Events:
        """Return the events of the central side x side pixels; an odd remainder is cut on the right and below.

        Raises
        ------
        DataError
            If the plane is smaller.
        """
        if side > self.side:
            raise DataError(
                f"dataset.crop: {side} is larger than the recordings ({self.side} x {self.side}); choose at most "
                f"{self.side}"
            )
        if side == self.side:
            return self
        first = (self.side - side) // 2
        rows, columns = np.divmod(self.events.pixels.astype(np.int32), self.side)
        return self._placed(rows - first, columns - first, side)

    def shifted(self, by: NDArray[np.int64]) -> Events:
        """Return recordings moved down and right by whole pixels, `by` (N, 2); events that leave the plane are lost."""
        rows, columns = np.divmod(self.events.pixels.astype(np.int32), self.side)
        down, right = np.repeat(by, np.diff(self.offsets), axis=0).T
        return self._placed(rows + down, columns + right, self.side)

    def _placed(self, rows: NDArray[np.integer], columns: NDArray[np.integer], side: int) -> Events:
        """Return the events at other rows and columns (S,), those that lie within side x side pixels."""
        inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
        pixels = rows[inside] * side + columns[inside]
        kept = [int(np.count_nonzero(inside[begin:end])) for begin, end in pairwise(self.offsets)]
        events = Recording(_of_plane(pixels, side), self.events.times[inside], self.events.on[inside])
        return Events(events, _ends(kept), side)

    def pictures(self) -> NDArray[np.uint8]:
        """Return how many events each pixel has, (N, n, n) uint8; 255 is the largest number of its recording."""
        pictures = np.empty((len(self), self.side * self.side), np.uint8)
        for first in range(0, len(self), CHUNK):
            chunk = self[first : first + CHUNK]
            keys = chunk.numbers() * pictures.shape[1] + chunk.events.pixels
            counts = np.bincount(keys, minlength=len(chunk) * pictures.shape[1]).reshape(len(chunk), -1)
            most = np.maximum(counts.max(axis=1, keepdims=True), 1)
            pictures[first : first + CHUNK] = (255 * counts + most // 2) // most
        return pictures.reshape(self.shape)

    def spikes(self, steps: int, dt: float, start: float = 0.0, polarity: Polarity = "both") -> SpikeTrains:
        """Return the events as input spikes: those of step k lie in [start + k*dt, start + (k + 1)*dt).

        Several events of a pixel in one step are one spike.

        Parameters
        ----------
        steps : steps T of a presentation
        dt : their length, ms
        start : time of the recording at which the presentation begins, ms
        polarity : which events become spikes; both: all of them, brighter or darker, as spikes of the same kind
        """
        area, events = self.side * self.side, self.events
        edges = np.ceil(np.round(1000 * (start + dt * np.arange(steps + 1)), 3)).astype(np.int64)
        step = np.searchsorted(edges, events.times, side="right") - 1
        counts = (step >= 0) & (step < steps)
        if polarity != "both":
            counts &= events.on == (polarity == "on")
        keys = np.unique((self.numbers()[counts] * steps + step[counts]) * area + events.pixels[counts])
        begins = np.searchsorted(keys, np.arange(len(self) * steps + 1) * area)
        offsets = begins[np.arange(len(self))[:, np.newaxis] * steps + np.arange(steps + 1)]
        return SpikeTrains((keys % area).astype(np.int32), offsets.astype(np.int64))


def recorded(given: object) -> Events:
    """Return the argument, if it is Events.

    Raises
    ------
    ConfigError
        If it is anything else: the encoder needs events.
    """
    if not isinstance(given, Events):
        raise ConfigError(
            "encoder.kind: 'events' needs recordings of an event camera (dataset.name = digits-events, n-mnist or "
            "events, or stdpnet.Events), and these are images; choose another kind, such as regular"
        )
    return given


def _ends(lengths: Sequence[int]) -> NDArray[np.int64]:
    """Return the offsets (N + 1,) of recordings of these lengths (N,)."""
    return np.cumsum([0, *lengths], dtype=np.int64)


def _of_plane(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """Return pixels in the smallest unsigned type that can number all pixels of the plane."""
    return pixels.astype(np.min_scalar_type(side * side - 1), copy=False)


def checked_recording(recording: NDArray[Any], what: str, sensor: tuple[int, int]) -> Recording:
    """Return a structured array of events (see `Events.of`) on a square plane.

    Parameters
    ----------
    recording : with the fields x, y, t and p
    what : name of the recording in an error message
    sensor : width and height of the camera's plane

    Raises
    ------
    DataError
        If a field is missing or has another type, or a value is out of bounds.
    """
    names = recording.dtype.names or ()
    if recording.ndim != 1 or any(name not in names for name in FIELDS):
        raise DataError(
            f"{what}: has the shape {recording.shape} and the fields {', '.join(names) or 'of a plain array'}; give a "
            "structured array (events,) with the fields x, y, t and p"
        )
    for name in FIELDS:
        kind = recording.dtype[name]
        if kind.kind not in ("iub" if name == "p" else "iu"):
            raise DataError(f"{what}: its {name} is {kind}; store whole numbers, t in microseconds")
    x, y, t, p = (recording[name] for name in FIELDS)
    for name, values, most in (("x", x, sensor[0] - 1), ("y", y, sensor[1] - 1), ("t", t, LONGEST), ("p", p, 1)):
        low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        if low < (-1 if name == "p" else 0) or high > most:
            raise DataError(f"{what}: its {name} goes from {low} to {high}; {_remedy(name, most)}")
    if np.any(t[1:] < t[:-1]):
        place = int(np.argmax(t[1:] < t[:-1])) + 1
        raise DataError(
            f"{what}: its event {place} is at {t[place]} us, after one at {t[place - 1]} us; sort the events by time"
        )
    return on_plane(x.astype(np.int64), y.astype(np.int64), t, p > 0, sensor)


def _remedy(name: str, most: int) -> str:
    if name == "t":
        return f"give microseconds from the beginning of the recording, 0 to {most}"
    if name == "p":
        return "give 1 for brighter and 0 or -1 for darker"
    return f"it must be within 0 to {most}, or set dataset.sensor to the camera's width and height"


def on_plane(
    x: NDArray[np.int64], y: NDArray[np.int64], t: NDArray[Any], on: NDArray[np.bool_], sensor: tuple[int, int]
) -> Recording:
    """Return checked events of a camera on a square plane, whose centre is the plane of the camera."""
    side = max(sensor)
    columns, rows = x + (side - sensor[0]) // 2, y + (side - sensor[1]) // 2
    return Recording(_of_plane(rows * side + columns, side), t.astype(np.uint32), on)
