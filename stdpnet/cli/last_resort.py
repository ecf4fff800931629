"""Report an unexpected error: write its details to a file, and print one sentence that names the file."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import tempfile
import traceback

from stdpnet.reading import shortened

INTERNAL_ERROR = 70
"""Exit code of an internal error (EX_SOFTWARE of sysexits.h)."""
PACKAGES = ("stdpnet", "numpy", "numba", "brian2", "scipy", "scikit-learn", "h5py", "matplotlib", "pydantic", "typer")


def report_internal_error(error: BaseException, debug: bool) -> int:
    """Write the details of an error to a new file, print one sentence about it, and return the exit code.

    Parameters
    ----------
    error : the error
    debug : whether to print its traceback, too
    """
    if debug:
        traceback.print_exception(error)
    try:
        handle, name = tempfile.mkstemp(prefix="stdpnet-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(_details(error))
        where = f"its details are in {name}; please report it to the developers with this file"
    except OSError as failed:
        where = (
            f"its details cannot be written ({failed.strerror}); please repeat the command with --debug and report it"
        )
    print(f"internal error: {type(error).__name__}: {shortened(error)}; {where}", file=sys.stderr)
    return INTERNAL_ERROR


def _details(error: BaseException) -> str:
    """Return command, versions, machine and traceback."""
    lines = [
        f"command: {sys.argv}",
        f"folder: {os.getcwd()}",
        f"Python {sys.version}",
        f"system: {platform.platform()}",
    ]
    for name in PACKAGES:
        try:
            lines.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            lines.append(f"{name}: not installed")
    return "\n".join([*lines, "", *traceback.format_exception(error)])
