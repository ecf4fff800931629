"""Find run directories: by names below runs/, by paths, and in folders of runs."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from stdpnet.errors import RunError, remedy_for

RUNS = Path("runs")


def run_path(where: str | Path) -> Path:
    """Return the directory of a run: a bare name is one below runs/, anything with a separator is a path.

    Raises
    ------
    RunError
        If it is neither a name nor a path.
    """
    if not isinstance(where, str | os.PathLike):
        kind = type(where).__name__
        raise RunError(f"run: is a {kind}, no name or path; stdpnet.fit(spec, images) trains on arrays of images")
    if not str(where) or "\0" in str(where):
        raise RunError(f"run: {str(where)!r} is no name; choose another --run")
    bare = os.sep not in str(where) and str(where) not in (".", "..")
    path = RUNS / where if bare else Path(where)
    lost = not bare and os.sep not in str(path)
    return path.absolute() if lost else path  # Path drops the ./ of ./name, and would make it a bare name


def run_folders(folder: Path) -> list[Path]:
    """Return the directories of the runs in a folder, by name; RunError if there is no such folder."""
    if not os.path.isdir(folder):
        raise RunError(f"{folder}: no such folder; `stdpnet train` writes its runs to runs/")
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise RunError(f"{folder}: cannot be read ({error.strerror}); permit reading it") from None
    folder = folder if Path(folder).parts else Path.cwd()  # in `.` a name alone would be one below runs/
    return [folder / name for name in names if os.path.lexists(folder / name / "config.toml")]


def similar_run(path: Path) -> str:
    """Return the remedy where there is no run: the name of a similar one, or how to make one."""
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = [other.name for other in run_folders(path.parent)]
    return remedy_for(path.name, names, "`stdpnet runs` lists the runs, `stdpnet train` makes one")


def free_path(path: Path) -> Path:
    """Return the path, with the first free number added if it is taken."""
    number, free = 2, path
    while os.path.lexists(free):
        free, number = path.with_name(f"{path.name}-{number}"), number + 1
    return free
