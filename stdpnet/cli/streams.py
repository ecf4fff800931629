"""Guard standard output and error, which may be closed, full, gone, or of an encoding that lacks characters."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from stdpnet.errors import StdpnetError


class OutputError(StdpnetError, OSError):
    """Standard output cannot be written."""


@contextlib.contextmanager
def safe_streams() -> Iterator[None]:
    """Replace standard output and error within a block by streams that fail in known ways only.

    A stream that is closed becomes os.devnull, a character that the encoding lacks is written as an escape, standard
    error drops what it cannot write (neither progress nor a warning is a reason to lose a training), and standard
    output raises OutputError, or ends the process as SIGPIPE would where its reader is gone.
    """
    for number in range(3):  # else the next file that is opened would get its number, and the output
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Output(_opened(sys.stdout)), _Forgiving(_opened(sys.stderr))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _opened(stream: Any) -> Any:
    """Return a stream that escapes characters that its encoding lacks; os.devnull for one that is closed."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream


class _Stream:
    """Wraps a stream."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Forgiving(_Stream):
    """Drops text that cannot be written."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class _Output(_Stream):
    """Raises OutputError, with the reason in one sentence, if text cannot be written."""

    def write(self, text: str) -> int:
        with _explained(self._stream):
            return int(self._stream.write(text))

    def flush(self) -> None:
        with _explained(self._stream):
            self._stream.flush()


@contextlib.contextmanager
def _explained(stream: Any) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _redirect_to_devnull(stream)
        if error.errno == errno.EPIPE:
            raise SystemExit(128 + signal.SIGPIPE) from None
        raise OutputError(f"standard output: cannot be written ({error.strerror}); send it elsewhere") from None


def _redirect_to_devnull(stream: Any) -> None:
    """Redirect a stream to os.devnull, so that Python does not fail again when it flushes the stream at its end."""
    with contextlib.suppress(OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)
