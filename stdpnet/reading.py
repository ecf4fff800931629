"""Read untrusted files, only regular ones of a limited size, and quote values safely in messages."""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from pathlib import Path
from typing import IO, Any

from stdpnet.errors import ConfigError

MOST_TOML = 2**20
"""Bytes of the largest configuration that is read."""
MOST_SHOWN = 120
"""Characters of a value that a message quotes at most."""


def open_regular(path: str | Path) -> IO[bytes]:
    """Open a regular file for reading.

    Raises
    ------
    OSError
        If it cannot be read, or is a pipe, a device or a folder: reading those may never end.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return os.fdopen(handle, "rb")


def read_limited(path: str | Path, most: int) -> bytes:
    """Return the contents of a regular file; OSError if it cannot be read, or has more than `most` bytes."""
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most} bytes", str(path))
    return content


def absolute(path: str, key: str) -> str:
    """Return the path that is the value of a configuration key as an absolute path, with a leading ~ expanded."""
    if "\0" in path:
        raise ValueError(f"{key}: has a character that no path can have")
    return os.path.realpath(os.path.expanduser(path))


def read_toml(path: Path, remedy: str = "`stdpnet config list` shows the presets") -> dict[str, Any]:
    """Return the tables of a TOML file; a byte-order mark at its beginning is ignored.

    Parameters
    ----------
    path : the file
    remedy : what to do where there is no such file

    Raises
    ------
    ConfigError
        If it cannot be read, is too large, or is not TOML.
    """
    try:
        text = read_limited(path, MOST_TOML).decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; {remedy}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigError(f"{path}: cannot be read as text ({reason}); save it as UTF-8") from None
    try:
        return parse_toml(text)
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {shortened(error)}") from None


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text; ValueError if it is none, is nested too deeply or has too long a number."""
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def shortened(value: object, most: int = MOST_SHOWN) -> str:
    """Return a value as text of a limited length, without control characters."""
    try:
        text = str(value)
    except ValueError:  # an integer of more than 4300 digits
        return "an integer of very many digits"
    except RecursionError:
        return "a value that is nested too deeply"
    return visible(text if len(text) <= most else f"{text[:most]}...")


def visible(text: str) -> str:
    r"""Return a text in which control characters are written as escapes, such as \x1b; line breaks, too."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    if character.isspace() and character not in "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        return character  # such as a narrow no-break space, which is not "printable"
    return character.encode("unicode_escape").decode("ascii")
