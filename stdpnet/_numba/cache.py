"""Keep machine code on disk: one file for each signature of a function, named by all that the code depends on."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile


class MachineCode(IndexDataCacheFile):
    """The files of one function.

    Numba numbers the files and keeps an index of them. Two processes that write at the same time may then give the code
    of two signatures the same number, and an index cannot be read any more once the class of an argument has moved.
    """

    def __init__(self, cache_path: str, filename_base: str, source_stamp: str) -> None:
        super().__init__(cache_path, filename_base, source_stamp)
        self._base, self._prefix = filename_base, f"{filename_base}.{_short(source_stamp + self._version)}"

    def load(self, key: Any) -> Any:
        """Return what is kept for a signature, or None."""
        try:
            return self._load_data(self._file_name(key))
        except OSError:
            return None

    def save(self, key: Any, data: Any) -> None:
        """Keep the code of a signature, and remove what was compiled from other sources."""
        self._save_data(self._file_name(key), data)
        for path in Path(self._cache_path).glob(f"{self._base}.*"):
            if not path.name.startswith(self._prefix):
                path.unlink(missing_ok=True)

    def _file_name(self, key: Any) -> str:
        return f"{self._prefix}.{_short(repr(key))}.nbc"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
