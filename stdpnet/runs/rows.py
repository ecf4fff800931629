"""Files of JSON lines: append a row; read all rows, the first, the last ones, or only those that are new.

Every reader checks each row against the schema of its file (stdpnet.runs.schema): a row that does not fit is left out,
and a warning says how many were.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError
from pydantic_core import to_json

from stdpnet.errors import RunError
from stdpnet.reading import open_regular
from stdpnet.runs.files import RESUME, unwritable
from stdpnet.runs.schema import reason, row_adapter

Row = dict[str, Any]
QUANTILES = ("min", "p5", "p25", "p50", "p75", "p95", "max")
BLOCK = 8192
"""Bytes read at first where the first or the last rows of a file are looked for."""
LONGEST = 2**20
"""Bytes of the longest row, and of the beginning in which the first row is looked for."""
TAIL = 2**22
"""Bytes of the end in which the last rows are looked for."""


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
    with _opened(path) as file:
        return _warned(*_checked(path, _lines(file)))


def first_row(path: Path) -> Row | None:
    """Return the first row of a file, of which only the beginning is read; None if there is none."""
    size = BLOCK
    with _opened(path) as file:
        while True:
            file.seek(0)
            content = file.read(size)
            rows, complaint = _checked(path, content.split(b"\n")[:-1], most=1)
            if rows:
                return _warned(rows, complaint)[0]
            if len(content) < size or size >= LONGEST:
                return None
            size *= 4


def last_rows(path: Path, most: int = 1) -> list[Row]:
    """Return up to `most` last rows in the order of the file, of which only the end is read."""
    size = BLOCK
    with _opened(path) as file:
        end = file.seek(0, os.SEEK_END)
        while True:
            place = file.seek(max(end - size, 0))
            lines = file.read(end - place).split(b"\n")[:-1]  # what follows the last newline is incomplete, or nothing
            if place > 0:
                lines = lines[1:]  # the first one may lack its beginning
            everything = place == 0 or size >= TAIL
            if everything or len(lines) >= most:
                rows, complaint = _checked(path, reversed(lines), most)
                if everything or len(rows) == most:
                    return _warned(rows, complaint)[::-1]
            size *= 4


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

    If a file has more than TAIL bytes at the first call, only its last TAIL bytes are read: that bounds the time.

    Parameters
    ----------
    path : a file of JSON lines; it may not exist yet
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode, self._offset = 0, 0
        self._rows: list[Row] = []

    def read(self) -> list[Row]:
        """Return all rows so far (see `without_repeated`); do not change the list."""
        try:
            found = self._path.stat()
        except OSError:
            self._inode, self._offset, self._rows = 0, 0, []
            return self._rows
        if found.st_ino != self._inode or found.st_size < self._offset:  # another file of the same name
            self._inode, self._offset, self._rows = found.st_ino, _begin(self._path, found.st_size), []
        if found.st_size > self._offset:
            with _opened(self._path) as file:
                file.seek(self._offset)
                for row in _warned(*_checked(self._path, self._counted(file))):
                    _add(self._rows, row)
        return self._rows

    def _counted(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yield the complete lines from here on, and note how far the file is read."""
        for line in _lines(file):
            self._offset = file.tell()
            yield line


def _begin(path: Path, size: int) -> int:
    """Return where to begin to read a file of this size: at a line from which at most TAIL bytes follow."""
    if size <= TAIL:
        return 0
    with _opened(path) as file:
        file.seek(size - TAIL - 1)
        return size - TAIL - 1 + len(file.readline(TAIL))


def _add(rows: list[Row], row: Row) -> None:
    """Append a row in place of those at its image and after it."""
    while rows and rows[-1]["images"] >= row["images"]:
        rows.pop()
    rows.append(row)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file of rows; one that is missing is like an empty one."""
    try:
        file = open_regular(path)
    except FileNotFoundError:
        file = io.BytesIO()
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}); permit reading it, or remove it") from None
    with file:
        yield file


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the complete lines from here on; an incomplete last one is left out."""
    while line := file.readline(LONGEST):
        whole = line
        while not line.endswith(b"\n"):
            whole = b""  # longer than any row, and no JSON
            if not (line := file.readline(LONGEST)):
                return
        yield whole


def _warned(rows: list[Row], complaint: str) -> list[Row]:
    """Return rows after warning of those that are left out."""
    if complaint:
        warnings.warn(complaint, stacklevel=3)
    return rows


def _checked(path: Path, lines: Iterable[bytes], most: int | None = None) -> tuple[list[Row], str]:
    """Return up to `most` rows of lines that fit the schema of a file, and a sentence about those that do not."""
    fits, rows, bad, first = row_adapter(path.stem).validate_json, [], 0, ""
    for line in lines:
        try:
            rows.append(fits(line))
        except ValidationError as error:
            bad, first = bad + 1, first or reason(error)
        if len(rows) == most:
            break
    what = "1 row does not fit and is" if bad == 1 else f"{bad} rows do not fit and are"
    return rows, f"{path}: {what} left out ({first}); remove what is no row" if bad else ""
