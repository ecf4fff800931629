"""Write files so that they appear complete or not at all; HDF5 files that carry a checksum of their contents."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py

from stdpnet.errors import RunError

Form = tuple[str, int]
"""Name and version of a file format."""
REPEAT, RESUME = "give the command again", "go on with `stdpnet resume`"
"""What to do once a file can be written again: a file of results, a file of a training job."""
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
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
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


def write_sealed(path: Path, form: Form, fill: Callable[[h5py.File], None], previous: Path | None = None) -> None:
    """Replace an HDF5 file that carries its format and, in its user block, the SHA-256 of everything else.

    Parameters
    ----------
    path : the file
    form : name and version of its format
    fill : function that writes the contents
    previous : where to keep the file that was there
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=SEAL) as file:
        file.attrs["format"], file.attrs["version"] = form
        fill(file)
    content = buffer.getbuffer()
    with replacing(path, previous, RESUME) as draft, draft.open("wb") as out:
        out.write(_seal(form, content[SEAL:]))
        out.write(content[SEAL:])


@contextlib.contextmanager
def reading_sealed(path: Path, form: Form, oldest: int | None = None) -> Iterator[h5py.File]:
    """Open a sealed file after comparing its checksum with all its bytes.

    Parameters
    ----------
    path : the file
    form : name and newest version of its format
    oldest : oldest version that is read; default only the newest

    Raises
    ------
    RunError
        If it is missing, of another format, or not byte for byte what was written.
    """
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from None
    found = _found_form(content)
    if found is not None and found[0] == form[0] and not (oldest or form[1]) <= found[1] <= form[1]:
        raise RunError(
            f"{path}: is of format {found[0]} {found[1]}, this stdpnet reads {form[0]} {form[1]}; "
            "use the version named in the run's provenance.json"
        )
    if found is None or found[0] != form[0] or bytes(content[:SEAL]) != _seal(found, content[SEAL:]):
        raise RunError(f"{path}: damaged, its contents do not match their checksum")
    with h5py.File(io.BytesIO(content), "r") as file:
        yield file


def _found_form(content: memoryview) -> Form | None:
    """Return the format that a file's seal names, or None if it has no seal."""
    name, _, rest = bytes(content[:SEAL]).partition(b" ")
    version = rest.partition(b" ")[0]
    return (name.decode("ascii", "replace"), int(version)) if version.isdigit() else None


def is_whole(path: Path) -> bool:
    """Return whether a sealed file of any format is byte for byte what was written."""
    content = memoryview(path.read_bytes())
    found = _found_form(content)
    return found is not None and bytes(content[:SEAL]) == _seal(found, content[SEAL:])


def _seal(form: Form, content: memoryview) -> bytes:
    """Return the user block of a sealed file: format, version, SHA-256 of what follows, padded with zeros."""
    text = f"{form[0]} {form[1]} sha256 {hashlib.sha256(content).hexdigest()}\n"
    return text.encode("ascii").ljust(SEAL, b"\0")


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); restore it from a copy or remove it") from None
    return content


def unwritable(path: Path, error: OSError, remedy: str) -> RunError:
    """Return the error of a file that could not be written."""
    reason = error.strerror or error
    return RunError(f"{path}: cannot be written ({reason}); make room or permit writing, then {remedy}")
