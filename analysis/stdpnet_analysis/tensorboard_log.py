"""Log a job as TensorBoard events: the numbers of each row, histograms of arrays that learn, receptive fields.

A run that goes on from a checkpoint repeats what came after it. Therefore events beyond the checkpoint are cut off when
the job begins, and rows that are missing in the log are added. Each session writes a new file, as TensorBoard expects.
"""

from __future__ import annotations

import math
import os
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from stdpnet.baselines.supervised.optimiser import MEAN, SQUARE
from stdpnet.data import Dataset
from stdpnet.extras import require
from stdpnet.model import State, facts_of
from stdpnet.runs.files import RESUME, unwritable
from stdpnet.runs.rows import last_rows
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.load import dump_config
from stdpnet.training import Job

FOLDER = "tensorboard"
"""Folder of the events in a run directory."""
ROWS: dict[Literal["progress", "curve"], str] = {"progress": "progress/", "curve": "accuracy/"}
"""Files of a run whose rows are logged -> prefix of a tag that every event of such a row has."""
MOST_VALUES = 500_000
"""Values of an array in a histogram; of larger arrays about so many are taken, in even steps."""
HEADER, CHECK = struct.Struct("<Q"), struct.Struct("<I")


def tensorboard_log(spec: Experiment, dataset: Dataset) -> TensorBoardLog | None:
    """Return the observer that an experiment asks for (the entry point "tensorboard" of stdpnet.observers).

    Raises
    ------
    ExtraError
        If the extra "tensorboard" is not installed; raised before the training, not after it.
    """
    if not spec.progress.tensorboard:
        return None
    require("tensorboard")
    return TensorBoardLog()


class TensorBoardLog:
    """Writes TensorBoard events into a run's folder tensorboard/; the step of an event is the number of images.

    Each row of progress and of the learning curve is one event, which is in the file whole or not at all: its numbers
    as scalars and, where the row is made while the job watches, histograms of the arrays that learn and a picture of
    the receptive fields. A model that has none to show says so in a text.
    """

    every = 0

    def begin(self, job: Job) -> None:
        """Cut off what the job will write anew, begin a file, and add the rows that are missing."""
        folder = job.run.folder(FOLDER)
        files = sorted(folder.glob("*.tfevents.*"))
        self._logged = {found for path in files for found in _cut_after(path, job.images)}
        number = 1 + max((int(path.suffix[1:]) for path in files if path.suffix[1:].isdigit()), default=0)
        self._path = folder / f"events.out.tfevents.{number:06}"
        self._append(_opening(job.images + 1))
        if not self._logged:
            self._append([_event(0, _about(job.spec, job.state))])
        for name in ROWS:
            for row in job.run.rows(name):
                if row["images"] <= job.images:
                    self._log(job, name, row, None)

    def handle(self, job: Job) -> None:
        """Log the rows that were made at this image."""
        for name in ROWS:
            for row in last_rows(job.run.path / f"{name}.jsonl"):
                if row["images"] == job.images:
                    self._log(job, name, row, job.state)

    def _log(self, job: Job, name: str, row: Mapping[str, Any], state: State | None) -> None:
        """Write a row, unless it is in the log already."""
        key = (name, int(row["images"]))
        if key in self._logged:
            return
        values = _scalars(name, row)
        if name == "progress" and state is not None:
            values += [*_histograms(state), *_picture(job.spec, state)]
        self._append([_event(key[1], values)])
        self._logged.add(key)

    def _append(self, events: list[Any]) -> None:
        """Append events to the file of this session; each is written to the disk before the training goes on."""
        try:
            with self._path.open("ab") as file:
                file.write(b"".join(_record(event) for event in events))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise unwritable(self._path, error, RESUME) from None


def _opening(step: int) -> list[Any]:
    """Return the events at the beginning of a file; TensorBoard then drops what it has read from this step on."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    version = Event(wall_time=time.time(), file_version="brain.Event:2")
    return [version, Event(wall_time=time.time(), step=step, session_log=SessionLog(status=SessionLog.START))]


def _event(step: int, summaries: list[Any]) -> Any:
    """Return one event of several summaries."""
    from tensorboardX.proto.event_pb2 import Event

    event = Event(wall_time=time.time(), step=step)
    for summary in summaries:
        event.summary.MergeFrom(summary)
    return event


def _about(spec: Experiment, state: State) -> list[Any]:
    """Return the configuration as a text, and another one if there are no receptive fields to show."""
    from tensorboardX.summary import text

    found = [text("configuration", "".join(f"    {line}\n" for line in dump_config(spec).splitlines()))]
    if _fields(spec, state) is None:
        found.append(text("receptive_fields", f"{facts_of(spec).label} keeps no receptive fields that could be shown."))
    return found


def _scalars(name: str, row: Mapping[str, Any]) -> list[Any]:
    """Return the numbers of a row as scalars; the tag of a number in a table begins with the name of the table."""
    from tensorboardX.summary import scalar, text

    found = []
    for key, value in row.items():
        parts = {f"{key}/{part}": number for part, number in value.items()} if isinstance(value, Mapping) else {}
        for tag, number in (parts or {f"{name}/{key}": value}).items():
            if isinstance(number, int | float) and key not in ("images", "goal"):
                found.append(scalar(tag, number))
    if "health" in row:
        found.append(scalar("health/findings", len(row["health"])))
        found += [text("health/names", ", ".join(row["health"]))] if row["health"] else []
    return found


def _histograms(state: State) -> list[Any]:
    """Return a histogram of each array that learns; of a learned competition without a neuron's weight to itself."""
    from tensorboardX.summary import histogram

    found = []
    for name, array in state.arrays.items():
        if array.dtype.kind != "f" or array.ndim == 0 or name.startswith((MEAN, SQUARE)):
            continue
        values = array[:, ~np.eye(array.shape[-1], dtype=bool)] if name == "competition" else array
        values = values.ravel()[:: max(1, math.ceil(values.size / MOST_VALUES))]
        if (values := values[np.isfinite(values)]).size:
            found.append(histogram(name, values, bins=64))
    return found


def _picture(spec: Experiment, state: State) -> list[Any]:
    """Return the receptive fields as a grey picture, positions as panels: black is 0 or less, white the largest."""
    from tensorboardX.summary import image

    from stdpnet_analysis.figures.mosaic import receptive_field_mosaic  # loads matplotlib

    if (fields := _fields(spec, state)) is None:
        return []
    mosaic = receptive_field_mosaic(fields)
    top = float(np.nanmax(mosaic, initial=0.0))
    grey = np.nan_to_num(np.clip(mosaic * (255 / top if top > 0 else 0), 0, 255), nan=64)
    return [image("receptive_fields", grey.astype(np.uint8), dataformats="HW")]


def _fields(spec: Experiment, state: State) -> NDArray[np.floating] | None:
    """Return the array (S, k*k, C) of one field of k x k pixels for each unit, if the model keeps one."""
    facts = facts_of(spec)
    for array in state.arrays.values():
        fields = array[np.newaxis] if array.ndim == 2 else array
        if (
            fields.ndim == 3
            and fields.dtype.kind == "f"
            and fields.shape[2] * facts.positions == facts.units
            and math.isqrt(fields.shape[1]) ** 2 == fields.shape[1] > 1
        ):
            return fields
    return None


def _record(event: Any) -> bytes:
    """Return an event as a record of a file: length, its check sum, content, its check sum."""
    content: bytes = event.SerializeToString()
    length = HEADER.pack(len(content))
    return length + _checked(length) + content + _checked(content)


def _checked(content: bytes) -> bytes:
    from tensorboardX.record_writer import masked_crc32c

    return CHECK.pack(masked_crc32c(content))


def _records(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the contents of the records of a file, up to one that is incomplete or damaged."""
    while len(length := file.read(HEADER.size)) == HEADER.size and file.read(CHECK.size) == _checked(length):
        content = file.read(HEADER.unpack(length)[0])
        if file.read(CHECK.size) != _checked(content):
            return
        yield content


def _cut_after(path: Path, images: int) -> set[tuple[str, int]]:
    """Cut a file off before its first record beyond a number of images; return which rows are left in it."""
    from tensorboardX.proto.event_pb2 import Event

    kept = 0
    found: set[tuple[str, int]] = set()
    try:
        with path.open("rb+") as file:
            for content in _records(file):
                event = Event.FromString(content)
                if event.step > images and event.HasField("summary"):
                    break
                kept = file.tell()
                tags = {value.tag for value in event.summary.value}
                found |= {
                    (name, event.step) for name, begin in ROWS.items() if any(tag.startswith(begin) for tag in tags)
                }
            file.truncate(kept)
    except OSError as error:
        raise unwritable(path, error, RESUME) from None
    return found
