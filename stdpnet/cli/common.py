"""Options, runs and JSON output that several commands share."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from stdpnet.errors import ConfigError, RunError, StdpnetError
from stdpnet.reading import shortened, visible

if TYPE_CHECKING:
    from stdpnet.runs import Run
    from stdpnet_analysis.compare import LeftOut

UNLIMITED = 10_000
"""Columns of a table that is not printed on a terminal."""
MOST_THREADS = 4096
"""Largest number of threads, or of processes of this machine."""

MOST_IMAGES = 1_000_000
"""Largest number of images that a command shows, apart from those of a training."""


def complete_config(incomplete: str) -> list[str]:
    """Return the presets, TOML files and folders that begin with a text, for the completion of a shell."""
    from stdpnet.spec.presets import preset_names

    files = [name for name in _found(incomplete) if name.endswith((".toml", os.sep))]
    return [name for name in preset_names() if name.startswith(incomplete)] + files


def complete_run(incomplete: str) -> list[str]:
    """Return the names of runs and the folders that begin with a text, for the completion of a shell."""
    from stdpnet.runs.paths import RUNS, run_folders

    names = [path.name for path in run_folders(RUNS)] if os.path.isdir(RUNS) else []
    folders = [name for name in _found(incomplete) if name.endswith(os.sep)]
    return [name for name in names if name.startswith(incomplete)] + folders


def _found(beginning: str) -> list[str]:
    """Return the files and folders whose path begins with a text, folders with a separator at the end."""
    names = sorted(glob.glob(f"{glob.escape(beginning)}*"))
    return [f"{name}{os.sep}" if os.path.isdir(name) else name for name in names]


ConfigArgument = Annotated[
    str,
    typer.Argument(metavar="CONFIG", help="A .toml file or the name of a preset.", autocompletion=complete_config),
]
RunArgument = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A run's name below runs/, or its path.", autocompletion=complete_run),
]
RunsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN",
        help="Names below runs/, paths, quoted patterns, or folders of runs.",
        autocompletion=complete_run,
    ),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as plasticity.A_plus=0.01.")
]
EngineOption = Annotated[
    str | None, typer.Option("--engine", help="Of spiking networks: numba or brian2; default: as configured.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Seed of all random numbers; default: as configured.")]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, max=MOST_THREADS, help="Number of threads; default: all cores. It does not change results."
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="A running Dask scheduler, such as tcp://host:8786."),
]
SchedulerFileOption = Annotated[
    str | None,
    typer.Option("--scheduler-file", metavar="FILE", help="The file that a running Dask scheduler has written."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, max=MOST_THREADS, help="Processes on this machine; default: one per core."),
]
MemoryOption = Annotated[
    str, typer.Option("--memory", help="Memory limit of a process, such as 4GB; auto: an equal share.")
]
ReadoutsOption = Annotated[
    str | None,
    typer.Option("--readouts", metavar="NAMES", help="Read-outs with commas, such as vote,log_evidence,linear."),
]
SnapshotOption = Annotated[str, typer.Option("--snapshot", help="last, or best: the best by validation.")]
BaselinesOption = Annotated[
    bool, typer.Option("--baselines/--no-baselines", help="Also score the untrained network and the pixels.")
]
AtOption = Annotated[
    list[str] | None,
    typer.Option(
        "--at",
        metavar="KEY=VALUE",
        help="What differs from the training while images are answered: competition.strength=0.25 (a factor), "
        "competition.replaced=mean (or initial), simulation.duration=500, encoder.max_rate=200, "
        "dataset.distortion.rotation=180; repeatable.",
    ),
]
ShownOption = Annotated[
    int,
    typer.Option(
        "--images", min=10, max=MOST_IMAGES, help="Images shown to changed networks (synapses-deleted, clamping)."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


FIGURE_ENDINGS = (".png", ".pdf", ".svg")


ScoredSplit = Literal["test", "validation"]
"""Splits that a network can be scored on."""


def readout_names(text: str | None) -> tuple[str, ...] | None:
    """Return the names in the value of --readouts, or None where it was not given."""
    return None if text is None else tuple(part for name in text.split(",") if (part := name.strip()))


def keys_and_values(texts: list[str] | None, option: str, example: str) -> dict[str, Any]:
    """Return the keys and values of an option KEY=VALUE; the error about any other text gives the example."""
    from stdpnet.spec.load import parse_key

    return dict(parse_key(text, option, example) for text in texts or [])


def operating_point(texts: list[str] | None) -> dict[str, Any]:
    """Return the operating point of the values of --at (see stdpnet.operating)."""
    return keys_and_values(texts, "--at", "competition.strength=0.25")


def load(config: str, overrides: list[str] | None = None, engine: str | None = None, seed: int | None = None) -> Any:
    """Return the spec of a CONFIG argument with the overrides of the command line."""
    from stdpnet.spec.load import load_config, refuse_key

    keys = overrides or []
    if engine is not None:
        check_spiking(load_config(config), f"--engine {engine}")
        refuse_key("simulation.engine", keys, f"--engine {engine}")
        keys = [*keys, f'simulation.engine="{engine}"']
    if seed is not None:
        refuse_key("seed", keys, f"--seed {seed}")
        keys = [*keys, f"seed={seed}"]
    return load_config(config, keys)


def check_spiking(spec: Any, what: str) -> None:
    """Raise ConfigError, which names the caller `what`, unless an experiment is of model = "stdp"."""
    if "plasticity" not in type(spec).model_fields:
        raise ConfigError(
            f"{what}: needs a network with model = 'stdp', and this one is '{spec.model}'; name another CONFIG"
        )


def open_runs(names: Sequence[str]) -> list[Run | LeftOut]:
    """Return the runs of names, paths, patterns such as 'runs/lcsnn-*' and folders of runs, each once."""
    from stdpnet.runs import Run
    from stdpnet_analysis.compare import LeftOut

    found: list[Run | LeftOut] = []
    for path in _each_once(path for name in names for path in _paths(name)):
        try:
            found.append(Run.open(path))
        except StdpnetError as error:
            found.append(LeftOut(str(path), str(error).removeprefix(f"{path}: ")))
    return found


def every_run(names: Iterable[str]) -> list[Run]:
    """Return the runs of names, paths, patterns and folders of runs, each once.

    Raises
    ------
    RunError
        If one of them is no run or cannot be read; a pattern may match other folders, too, but must match a run.
    """
    from stdpnet.runs import Run

    return [Run.open(path) for path in _each_once(path for name in names for path in _run_paths(name))]


def _run_paths(name: str) -> list[Path]:
    """Return the paths that a name stands for; of a pattern only those where there is a run."""
    paths = _paths(name)
    if (paths and not os.path.lexists(paths[0])) or not glob.has_magic(name):
        return paths
    runs = [path for path in paths if os.path.lexists(path / "config.toml")]
    if not runs:
        raise RunError(f"{name}: no run matches; `stdpnet runs` lists them")
    return runs


def _each_once(paths: Iterable[Path]) -> list[Path]:
    return list({os.path.realpath(path): path for path in reversed(list(paths))}.values())[::-1]


def _paths(name: str) -> list[Path]:
    """Return the paths that a name, a pattern or a folder of runs stands for."""
    from stdpnet.runs import run_path

    path = run_path(name)
    if not os.path.lexists(path) and os.path.isdir(name):
        path = Path(name)  # a folder here, such as `runs`, where there is no run of this name below runs/
    if os.path.lexists(path):
        folder = Path(name) if path.is_absolute() and Path(name).parts else path  # as the user has written it
        found = path.glob("*/config.toml") if os.path.isdir(path) else ()
        inside = sorted(folder / each.parent.name for each in found)
        return [path] if os.path.lexists(path / "config.toml") or not inside else inside
    if not glob.has_magic(name):
        return [path]
    matches = sorted(Path(each) for each in glob.glob(str(path)))
    if not matches:
        raise RunError(f"{name}: no run matches; `stdpnet runs` lists them")
    return [match for match in matches if os.path.isdir(match)]


def check_new_file(option: str, path: Path | None, endings: Sequence[str] = ()) -> None:
    """Raise ConfigError unless a new file can be made at a path, before anything is computed; None is allowed.

    A file that a user names is never overwritten. Files that a command puts into the folder of a run by default, such
    as figures, are replaced.

    Parameters
    ----------
    option : the option that names it
    path : the file
    endings : endings that it may have; none: any
    """
    if path is None:
        return
    try:
        path.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:  # such as a name that is too long
        why = f"cannot be made ({error.strerror})"
        raise ConfigError(f"{option} {shortened(path)}: {why}; choose another name") from None
    else:
        raise ConfigError(f"{option} {path}: exists already and is never overwritten; choose another name")
    if endings and path.suffix not in endings:
        raise ConfigError(f"{option} {path}: '{path.suffix}' is unknown; choose among {', '.join(endings)}")
    if not os.path.isdir(path.parent):
        raise ConfigError(f"{option} {path}: the folder {path.parent} does not exist; make it, or choose another")
    if not os.access(path.parent, os.W_OK):
        raise ConfigError(f"{option} {path}: the folder {path.parent} cannot be written; choose another")


def write_config(path: Path, spec: Any, *comments: str) -> None:
    """Write a spec into a file that a user names: what differs from the defaults, below comments and the schema."""
    from stdpnet.runs.files import write_text
    from stdpnet.spec.load import dump_config
    from stdpnet.spec.schema import schema_line

    lines = "".join(f"# {visible(comment)}\n" for comment in comments)
    write_text(path, f"{schema_line()}{lines}{dump_config(spec, only_changed=True)}")


def as_json_text(content: Any) -> str:
    """Return a JSON object as text."""
    from pydantic_core import to_json

    return to_json(content, indent=2, inf_nan_mode="null").decode()


def print_json(content: Any) -> None:
    """Print one JSON object."""
    print(as_json_text(content))


def print_json_of_runs(contents: Sequence[Any]) -> None:
    """Print the object of a single run, or an object that holds those of several runs under `runs`."""
    print_json(contents[0] if len(contents) == 1 else {"runs": contents})


def print_table(table: Any, width: int = UNLIMITED) -> None:
    """Print a table of rich as wide as the terminal; without one, in `width` columns (default: one line per row)."""
    console_of_plain_text(None if sys.stdout.isatty() else width).print(table)


def console_of_plain_text(width: int | None = None) -> Any:
    """Return a console of rich that prints text unchanged: a name may look like markup or an emoji."""
    from rich.console import Console

    return Console(width=width, markup=False, highlight=False, emoji=False)
