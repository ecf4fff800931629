"""Standard output and error of a command: they may be closed, full, gone, or of an encoding that lacks characters."""

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
    """Give the block streams that never fail in an unforeseen way.

    A stream that is closed leads nowhere, a character that the encoding lacks is written as an escape, standard error
    drops what it cannot write (neither progress nor a warning is a reason to lose a training), and standard output
    raises OutputError, or ends the process as SIGPIPE would where its reader is gone.
    """
    for number in range(3):  # else the next file that is opened would get the number, and what is printed
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
    """Return a stream that replaces what its encoding lacks; one that is closed leads nowhere."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream


class _Stream:
    """Stands for a stream."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Forgiving(_Stream):
    """Drops what cannot be written."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class _Output(_Stream):
    """Says in one sentence why it cannot be written."""

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
        _lead_nowhere(stream)
        if error.errno == errno.EPIPE:
            raise SystemExit(128 + signal.SIGPIPE) from None
        raise OutputError(f"standard output: cannot be written ({error.strerror}); send it elsewhere") from None


def _lead_nowhere(stream: Any) -> None:
    """Let what a stream still holds go to nowhere, so that Python does not fail once more when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
