"""Write files so that they appear complete or not at all; HDF5 files that carry a checksum of their contents."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import h5py
from pydantic import ValidationError

from stdpnet.drafts import new_draft
from stdpnet.errors import RunError
from stdpnet.reading import open_regular, read_limited
from stdpnet.runs.schema import adapter, reason

Form = tuple[str, int]
"""Name and version of a file format."""
REPEAT, RESUME = "give the command again", "go on with `stdpnet resume`"
"""What to do once a file can be written again: a file of results, a file of a training job."""
MOST_JSON = 2**28
"""Bytes of the largest JSON file that is read."""
MOST_SEALED = 2**36
"""Bytes of the largest sealed file that is read."""
HDF5_ERRORS = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError)
"""What h5py raises where a file is not as it should be."""
BLOCK = 2**20
"""Bytes read at a time."""
SEAL = 512
"""Bytes before the HDF5 part of a sealed file (an HDF5 user block)."""


@contextlib.contextmanager
def replacing(target: Path, previous: Path | None = None, remedy: str = REPEAT) -> Iterator[Path]:
    """Give a temporary path; if the block ends without an error, flush that file to the disk and rename it to `target`.

    Parameters
    ----------
    target : the file to replace
    previous : where to keep the file that was there
    remedy : what the user does once the file can be written
    """
    draft = None
    try:
        draft = new_draft(target)
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        if previous is not None and target.exists():
            target.replace(previous)
        draft.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        if isinstance(error, RunError):
            raise
        raise unwritable(target, error, remedy) from None
    finally:
        if draft is not None:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, so that a rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Replace a text file."""
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes | memoryview, remedy: str = REPEAT) -> None:
    """Replace a file by these bytes."""
    with replacing(path, remedy=remedy) as draft:
        draft.write_bytes(content)


def write_sealed(
    path: Path, form: Form, fill: Callable[[h5py.File], None], previous: Path | None = None, remedy: str = RESUME
) -> None:
    """Replace an HDF5 file that carries its format and, in its user block, the SHA-256 of everything else.

    It is made in memory first: where a disk is full, the HDF5 library may end the process.

    Parameters
    ----------
    path : the file
    form : name and version of its format
    fill : function that writes the contents
    previous : where to keep the file that was there
    remedy : what the user does once the file can be written
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=SEAL) as file:
        file.attrs["format"], file.attrs["version"] = form
        fill(file)
    content = buffer.getbuffer()
    with replacing(path, previous, remedy) as draft, draft.open("wb") as out:
        out.write(_seal(form, hashlib.sha256(content[SEAL:])))
        out.write(content[SEAL:])


@contextlib.contextmanager
def reading_sealed(path: Path, form: Form, oldest: int | None = None, most: int = MOST_SEALED) -> Iterator[h5py.File]:
    """Open a sealed file after comparing its checksum with all its bytes.

    Parameters
    ----------
    path : the file
    form : name and newest version of its format
    oldest : oldest version that is read; default only the newest
    most : bytes of the largest file that is read

    Raises
    ------
    RunError
        If it is missing, of another format, or not byte for byte what was written.
    """
    try:
        file = open_regular(path)
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from None
    with file:
        found = found_form(file)
        if found is not None and found[0] == form[0] and not (oldest or form[1]) <= found[1] <= form[1]:
            raise RunError(
                f"{path}: is of format {found[0]} {found[1]}, this stdpnet reads {form[0]} {form[1]}; "
                "use the version named in the run's provenance.json"
            )
        size = os.fstat(file.fileno()).st_size
        if found is None or found[0] != form[0] or size > most or not _is_whole(file, found):
            raise RunError(f"{path}: damaged, its contents do not match their checksum")
        try:
            opened = h5py.File(file, "r")
        except HDF5_ERRORS:
            raise RunError(f"{path}: damaged, it is no HDF5 file") from None
        with opened:
            yield opened


def found_form(file: IO[bytes]) -> Form | None:
    """Return the format that a file's seal names, or None if it has no seal."""
    file.seek(0)
    name, _, rest = file.read(SEAL).partition(b" ")
    version = rest.partition(b" ")[0]
    return (name.decode("ascii", "replace"), int(version)) if version.isdigit() and len(version) < 10 else None


def is_whole(path: Path) -> bool:
    """Return whether a sealed file of any format is byte for byte what was written; not if it cannot be read."""
    try:
        with open_regular(path) as file:
            found = found_form(file)
            return found is not None and _is_whole(file, found)
    except OSError:
        return False


def _is_whole(file: IO[bytes], form: Form) -> bool:
    digest = hashlib.sha256()
    file.seek(SEAL)
    while block := file.read(BLOCK):
        digest.update(block)
    file.seek(0)
    return file.read(SEAL) == _seal(form, digest)


def _seal(form: Form, digest: Any) -> bytes:
    """Return the user block of a sealed file: format, version, SHA-256 of what follows, padded with zeros."""
    text = f"{form[0]} {form[1]} sha256 {digest.hexdigest()}\n"
    return text.encode("ascii").ljust(SEAL, b"\0")


def read_json(path: Path, kind: Any, remedy: str) -> Any:
    """Return the JSON of a file, checked against a type (stdpnet.runs.schema).

    Parameters
    ----------
    path : the file
    kind : the type
    remedy : what to do where it cannot be read or does not fit

    Raises
    ------
    RunError
        If it cannot be read, or does not fit.
    """
    try:
        return adapter(kind).validate_json(read_limited(path, MOST_JSON))
    except ValidationError as error:
        raise RunError(f"{path}: damaged ({reason(error)}); {remedy}") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None


def unwritable(path: Path, error: OSError, remedy: str) -> RunError:
    """Return the error of a file that could not be written."""
    reason = error.strerror or error
    return RunError(f"{path}: cannot be written ({reason}); make room or permit writing, then {remedy}")
