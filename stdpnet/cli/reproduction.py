"""`stdpnet reproduce`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeVar

import typer

from stdpnet.cli.common import (
    JsonOption,
    MemoryOption,
    ReadoutsOption,
    SchedulerFileOption,
    SchedulerOption,
    SetOption,
    WorkersOption,
    print_json,
    readout_names,
)
from stdpnet.cli.groups import command_group
from stdpnet.cli.meters import meter
from stdpnet.cli.signals import SignalCatcher
from stdpnet.errors import ConfigError, RunError
from stdpnet.reading import shortened

if TYPE_CHECKING:
    from stdpnet_analysis.paper.computing import Work

W = TypeVar("W", bound="Work")
app = command_group("Reproduce a published table, and print the published values beside it.")


PresetKind = Literal["thesis", "best"]
"""Parameters of the networks."""
RowsOption = Annotated[str | None, typer.Option("--rows", help="Which rows, such as 1,2,5-7; default all.")]
SeedsOption = Annotated[int, typer.Option("--seeds", min=1, max=1000, help="Trainings of each network.")]
FirstSeedOption = Annotated[
    int, typer.Option("--first-seed", min=0, max=2**31, help="Seed of the first training; the others follow it.")
]


FolderOption = Annotated[
    Path | None, typer.Option("--dir", help="Folder of the runs and results; default runs/ and the gallery's name.")
]


class Workers(NamedTuple):
    """The processes that train and score the networks."""

    scheduler: str | None
    scheduler_file: str | None
    number: int | None
    memory: str


@app.command("table2")
def table2(
    rows: RowsOption = None,
    seeds: SeedsOption = 5,
    first_seed: FirstSeedOption = 0,
    preset: Annotated[
        PresetKind, typer.Option("--preset", help="The thesis's parameters, or the best found since.")
    ] = "best",
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the runs and results.")] = Path("runs/table2"),
    readouts: ReadoutsOption = None,
    overrides: SetOption = None,
    workers: WorkersOption = None,
    memory: MemoryOption = "auto",
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train and evaluate the networks of the thesis's Table 2; finished networks are not computed again."""
    chosen = _rows(rows or "1-12")
    from stdpnet.runs import Run
    from stdpnet_analysis.compare import compare
    from stdpnet_analysis.paper import table2 as table
    from stdpnet_analysis.paper import table2_report as report

    begin = time.perf_counter()
    keys = _keys(overrides)
    tasks = table.plan(chosen, seeds, preset, folder, keys, first=first_seed, readouts=readout_names(readouts))
    path = report.usual_path(tasks, preset, folder)

    def summary() -> dict[str, Any]:
        return report.summarise(tasks, preset, keys, time.perf_counter() - begin)

    used = Workers(scheduler=scheduler, scheduler_file=scheduler_file, number=workers, memory=memory)
    computed = _computed(tasks, folder, used, as_json, lambda: report.write(summary(), path))
    final, comparison = summary(), compare([Run.open(task.run) for task in tasks], readouts=tasks[0].readouts)
    report.write(final, path, comparison)
    _print(final, report.markdown(final, comparison), computed, len(tasks), path, as_json)


def _computed(
    tasks: Sequence[W],
    folder: Path,
    used: Workers,
    quiet: bool,
    report: Callable[[], None],
) -> int:
    """Train and score the missing networks, with a report after each; return how many were missing."""
    from stdpnet_analysis.paper.computing import compute

    _make(folder)
    missing = [task for task in tasks if task.result() is None]
    if not missing:
        return 0
    from stdpnet_analysis.cluster.pool import pool

    with (
        pool(used.scheduler, used.scheduler_file, workers=used.number, memory=used.memory) as client,
        meter("networks", len(tasks), quiet=quiet) as progress,
    ):
        progress.skip(len(tasks) - len(missing))

        def computed(task: W) -> None:
            progress.advance(1, task.title)
            report()

        with SignalCatcher() as stop:
            compute(tasks, client, computed, stop)
    return len(missing)


def _make(folder: Path) -> None:
    """Make the folder of results if it does not exist."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be made ({error.strerror}); choose another --dir") from None


def _print(summary: dict[str, Any], text: str, computed: int, tasks: int, path: Path, as_json: bool) -> None:
    """Print a table and its file, or its numbers as JSON."""
    if as_json:
        print_json({**summary, "computed": computed, "cached": tasks - computed})
        return
    print(text)
    print(f"{computed} networks computed, {tasks - computed} cached; table in {path} and .json")


def _gallery(name: str, words: str) -> None:
    """Add the command of a gallery."""

    def command(
        rows: RowsOption = None,
        seeds: SeedsOption = 1,
        first_seed: FirstSeedOption = 0,
        folder: FolderOption = None,
        overrides: SetOption = None,
        workers: WorkersOption = None,
        memory: MemoryOption = "auto",
        scheduler: SchedulerOption = None,
        scheduler_file: SchedulerFileOption = None,
        as_json: JsonOption = False,
    ) -> None:
        begin = time.perf_counter()
        chosen, keys = rows and _rows(rows), _keys(overrides)
        from stdpnet_analysis.paper import galleries
        from stdpnet_analysis.paper import gallery_report as report

        place = folder or Path("runs") / name
        tasks = galleries.plan(name, chosen or None, range(first_seed, first_seed + seeds), place, keys)
        path = report.usual_path(name, tasks, place)

        def summary() -> dict[str, Any]:
            return report.summarise(name, tasks, keys, time.perf_counter() - begin)

        used = Workers(scheduler=scheduler, scheduler_file=scheduler_file, number=workers, memory=memory)
        computed = _computed(tasks, place, used, as_json, lambda: report.write(summary(), path))
        final, more = summary(), report.label_table(tasks) if galleries.GALLERIES[name].labels else ""
        report.write(final, path, more)
        _print(final, f"{report.markdown(final)}\n{more}", computed, len(tasks), path, as_json)

    command.__doc__ = f"{words}; finished networks are not computed again."
    app.command(name)(command)


_gallery("diehl-cook", "Train and evaluate fully connected networks of the sizes of Diehl & Cook 2015")
_gallery("saunders", "Train and evaluate locally connected networks of the sizes of Saunders et al. 2019")
_gallery("fashion", "Train and evaluate the presets for Fashion-MNIST")
_gallery("labels", "Train three networks, and score them against the number of calibration labels")


@app.command("systems")
def systems(
    names: Annotated[
        str | None, typer.Option("--systems", help="Which systems, such as lcsnn,bptt; default all.")
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=1000, help="Trainings of each system on each set, with seeds 0, 1, ...")
    ] = 3,
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the runs and the table.")] = Path("runs/systems"),
    overrides: SetOption = None,
    workers: WorkersOption = None,
    memory: MemoryOption = "auto",
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare ways of learning on MNIST, Fashion-MNIST, rotated digits and digits on random backgrounds."""
    from stdpnet.runs.files import write_text
    from stdpnet_analysis.paper import published_systems
    from stdpnet_analysis.paper import systems as comparison
    from stdpnet_analysis.tables import markdown_table

    chosen = list(comparison.SYSTEMS) if names is None else [name.strip() for name in names.split(",")]
    keys = _keys(overrides, "--seeds")
    tasks, path = comparison.plan(dict.fromkeys(chosen), seeds, folder, keys), folder / "systems.md"

    def text() -> str:
        rows = comparison.summary(tasks)
        tables = (comparison.table(rows), published_systems.table(rows))
        return "\n".join(f"{table.title}\n\n{markdown_table(table)}\n" for table in tables)

    used = Workers(scheduler=scheduler, scheduler_file=scheduler_file, number=workers, memory=memory)
    computed = _computed(tasks, folder, used, as_json, lambda: write_text(path, text()))
    write_text(path, text())
    if as_json:
        rows = comparison.plain(comparison.summary(tasks))
        published = [each._asdict() for each in published_systems.PUBLISHED]
        print_json({"rows": rows, "published": published, "computed": computed, "cached": len(tasks) - computed})
        return
    print(text())
    print(f"{computed} networks computed, {len(tasks) - computed} cached; table in {path}")


@app.command("colanet-theory")
def colanet_theory(
    threshold: Annotated[float, typer.Option("--threshold", help="Input above which a neuron fires.")] = 0.5,
    reward: Annotated[float, typer.Option("--reward", help="Change of a resource.")] = 0.006,
    sigma: Annotated[float, typer.Option("--sigma", help="Width of a receptive field on the line 0 to 1.")] = 0.02,
    spikes: Annotated[float, typer.Option("--spikes", help="Mean spikes of a receptor in its centre.")] = 3.0,
    examples: Annotated[int, typer.Option("--examples", min=1000, help="Points of the class to show.")] = 3000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the simulation.")] = 0,
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the figure.")] = Path("runs/colanet-theory"),
    as_json: JsonOption = False,
) -> None:
    """Compare the theory of how CoLaNET learns a class on a line with a simulation, and draw both."""
    from stdpnet_analysis import colanet_theory as calculator
    from stdpnet_analysis.figures import colanet_theory as drawing
    from stdpnet_analysis.figures.write import save

    setting = calculator.Setting(threshold=threshold, reward=reward, sigma=sigma, spikes=spikes)
    simulated = calculator.simulate(setting, examples, seed)
    theory, path = calculator.theory(setting, simulated.chi), folder / "colanet-theory.png"
    _make(folder)
    save(drawing.figure_of(theory, simulated), path)
    numbers = calculator.compared(theory, simulated)
    if as_json:
        print_json({**numbers, "figure": str(path)})
        return
    print("\n".join(f"{name:20} {value:.4g}" for name, value in numbers.items()))
    print(f"figure in {path}")


def _keys(overrides: list[str] | None, options: str = "--seeds and --first-seed") -> list[str]:
    """Return the values of --set; ConfigError if one is the seed, which other options choose for each training."""
    from stdpnet.spec.load import refuse_key

    refuse_key("seed", overrides or [], options)
    return overrides or []


def _rows(text: str) -> list[int]:
    """Return the row numbers of a list such as 1,2,5-7."""
    rows: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", part.strip())
        if found is None:
            raise ConfigError(f"--rows {shortened(text)}: must look like 1,2,5-7")
        rows += range(int(found[1]), int(found[2] or found[1]) + 1)
    if not rows:
        raise ConfigError(f"--rows {shortened(text)}: names no row")
    return sorted(set(rows))
