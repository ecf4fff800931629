"""Files of JSON lines: append a row; read all rows, the first, the last ones, or only those that are new."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json

from stdpnet.errors import RunError
from stdpnet.runs.files import RESUME, unwritable

Row = dict[str, Any]
QUANTILES = ("min", "p5", "p25", "p50", "p75", "p95", "max")
BLOCK = 8192
"""Bytes read at a time where the first or the last rows of a file are looked for."""


def with_named_quantiles(row: Row) -> Row:
    """Return a row of progress whose quantiles have names; older versions wrote lists of them in this order."""
    lists = {key: row[key] for key in ("spikes_per_neuron", "theta") if isinstance(row.get(key), list)}
    return row | {key: dict(zip(QUANTILES, values, strict=True)) for key, values in lists.items()}


def append_row(path: Path, row: Row) -> None:
    """Append one JSON object as a line; an incomplete last line, which a crash has left, is cut off first."""
    try:
        with path.open("ab+") as file:
            cut_torn_line(file)
            file.write(to_json(row, inf_nan_mode="null") + b"\n")
            file.flush()
    except OSError as error:
        raise unwritable(path, error, RESUME) from None


def cut_torn_line(file: IO[bytes]) -> None:
    """Truncate a file after its last newline."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read(1) == b"\n":
        return
    file.seek(0)
    content = file.read()
    file.truncate(content.rfind(b"\n") + 1)


def read_rows(path: Path) -> list[Row]:
    """Return all rows; an incomplete last line is left out, and a missing file has no rows."""
    return [_row(path, line, f"line {number}") for number, line in enumerate(_read_from(path, 0), 1)]


def first_row(path: Path) -> Row | None:
    """Return the first row, of which alone the file is read; None if there is none."""
    content = b""
    try:
        with path.open("rb", buffering=0) as file:
            while b"\n" not in content:
                if not (block := file.read(BLOCK)):
                    return None
                content += block
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from None
    return _row(path, content.partition(b"\n")[0], "line 1")


def last_rows(path: Path, most: int = 1) -> list[Row]:
    """Return up to `most` rows from the end of a file, of which only the end is read, in the order of the file."""
    content = b""
    try:
        with path.open("rb", buffering=0) as file:
            place = file.seek(0, os.SEEK_END)
            while place > 0 and content.count(b"\n") <= most:  # the newline before the first of them is needed, too
                size = min(BLOCK, place)
                place = file.seek(place - size)
                content = file.read(size) + content
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(path, error) from None
    lines = content.split(b"\n")[:-1]  # what follows the last newline is incomplete, or nothing
    if place > 0:
        lines = lines[1:]  # which may have lost its beginning
    return [_row(path, line, "a line near its end") for line in lines[-most:]]


def without_repeated(rows: Iterable[Row]) -> list[Row]:
    """Return rows in the order of their key `images`, each image once.

    A job that goes back to a checkpoint writes the rows after it once more: the later ones are kept.
    """
    kept: list[Row] = []
    for row in rows:
        _add(kept, row)
    return kept


class RowFollower:
    """The rows of a file that grows: each call of `read` reads only what was appended since the call before.

    Parameters
    ----------
    path : a file of JSON lines; it may not exist yet
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode, self._offset = 0, 0
        self._rows: list[Row] = []

    def read(self) -> list[Row]:
        """Return all rows so far (see `without_repeated`); the list is not to be changed."""
        try:
            found = self._path.stat()
        except OSError:
            self._inode, self._offset, self._rows = 0, 0, []
            return self._rows
        if found.st_ino != self._inode or found.st_size < self._offset:  # another file of the same name
            self._inode, self._offset, self._rows = found.st_ino, 0, []
        if found.st_size > self._offset:
            for line in _read_from(self._path, self._offset):
                _add(self._rows, _row(self._path, line, "a line"))
                self._offset += len(line) + 1
        return self._rows


def _add(rows: list[Row], row: Row) -> None:
    """Append a row in place of those at its image and after it."""
    while rows and rows[-1]["images"] >= row["images"]:
        rows.pop()
    rows.append(row)


def _read_from(path: Path, offset: int) -> list[bytes]:
    """Return the complete lines that begin at or after an offset, which is that of a line."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.readall().split(b"\n")[:-1]  # what follows the last newline is incomplete, or nothing
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(path, error) from None


def _row(path: Path, line: bytes, place: str) -> Row:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError):
        row = None
    if not isinstance(row, dict):
        raise RunError(f"{path}: {place} is not a JSON object; remove it")
    return row


def _unreadable(path: Path, error: OSError) -> RunError:
    return RunError(f"{path}: cannot be read ({error.strerror}); permit reading it")
