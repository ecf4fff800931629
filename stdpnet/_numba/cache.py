"""Keep machine code on disk: one file for each signature of a function, named by all that the code depends on."""

from __future__ import annotations

import hashlib
import logging
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile

from stdpnet.pace import announce

_LOG = logging.getLogger(__name__)
DIGEST = 32
"""Length of the SHA-256 of the content, with which a file begins, bytes."""


class MachineCode(IndexDataCacheFile):
    """The files of one function, each named by a digest of its signature.

    Numba instead numbers the files and keeps an index of them. Two processes that write at the same time may then give
    the code of two signatures the same number, and an index becomes unreadable when the class of an argument moves.
    """

    def __init__(self, cache_path: str, filename_base: str, source_stamp: str) -> None:
        super().__init__(cache_path, filename_base, source_stamp)
        self._base, self._prefix = filename_base, f"{filename_base}.{_short(source_stamp + self._version)}"

    def load(self, key: Any) -> Any:
        """Return the code of a signature; if no intact file has it, announce its compilation and return None."""
        try:
            content = Path(self._data_path(self._file_name(key))).read_bytes()
        except OSError:
            announce()
            return None
        if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:
            announce()  # damaged, for example by a loss of power; the code is compiled and written again
            return None
        return pickle.loads(content[DIGEST:])

    def save(self, key: Any, data: Any) -> None:
        """Keep the code of a signature, and remove code that was compiled from other versions of the sources."""
        content = self._dump(data)
        with self._open_for_write(self._data_path(self._file_name(key))) as file:
            file.write(hashlib.sha256(content).digest() + content)
        for path in Path(self._cache_path).glob(f"{self._base}.*"):
            if not path.name.startswith(self._prefix):
                path.unlink(missing_ok=True)

    def _file_name(self, key: Any) -> str:
        return f"{self._prefix}.{_short(repr(key))}.nbc"


@contextmanager
def optional() -> Iterator[None]:
    """Continue if the cache cannot be read or written, with one warning: code is then compiled in each process."""
    try:
        yield
    except OSError as error:
        warn_of_missing_cache(f"{error.filename or 'the cache'}: {error.strerror}")


@cache
def warn_of_missing_cache(why: str) -> None:
    """Warn, once for each reason, that machine code is not kept."""
    _LOG.warning(
        "machine code cannot be kept (%s) and is compiled each time; set NUMBA_CACHE_DIR to a folder with room", why
    )


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
