"""`stdpnet reproduce`."""

from __future__ import annotations

import re
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stdpnet.cli.common import (
    JsonOption,
    MemoryOption,
    ReadoutsOption,
    SchedulerFileOption,
    SchedulerOption,
    SetOption,
    WorkersOption,
    meter,
    print_json,
    readout_names,
)
from stdpnet.cli.signals import SignalCatcher
from stdpnet.errors import ConfigError, RunError
from stdpnet.reading import shortened

app = typer.Typer(help="Reproduce a published table, and print the published values beside it.", no_args_is_help=True)


class PresetKind(StrEnum):
    """Parameters of the networks."""

    thesis = "thesis"
    best = "best"


@app.callback()
def reproduce() -> None:
    """Reproduce a published table, and print the published values beside it."""


@app.command("table2")
def table2(
    rows: Annotated[str, typer.Option("--rows", help="Which rows, such as 1,2,5-7.")] = "1-12",
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=1000, help="Trainings of each network, with seeds 0, 1, ...")
    ] = 5,
    preset: Annotated[
        PresetKind, typer.Option("--preset", help="The thesis's parameters, or the best found since.")
    ] = PresetKind.best,
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
    chosen = _rows(rows)
    from stdpnet.runs import Run
    from stdpnet_analysis.cluster.pool import pool
    from stdpnet_analysis.compare import compare
    from stdpnet_analysis.paper import table2 as table
    from stdpnet_analysis.paper import table2_report as report

    begin = time.perf_counter()
    tasks = table.plan(chosen, seeds, preset.value, folder, overrides or (), readouts=readout_names(readouts))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be made ({error.strerror}); choose another --dir") from None
    path = report.usual_path(tasks, preset.value, folder)
    missing = [task for task in tasks if task.result() is None]

    def summary() -> dict[str, object]:
        return report.summarise(tasks, preset.value, overrides or (), time.perf_counter() - begin)

    if missing:
        with (
            pool(scheduler, scheduler_file, workers=workers, memory=memory) as client,
            meter("networks", len(tasks), quiet=as_json) as progress,
        ):
            progress.skip(len(tasks) - len(missing))

            def computed(task: table.Task) -> None:
                progress.advance(1, f"row {task.row}, seed {task.seed}")
                report.write(summary(), path)

            with SignalCatcher() as stop:
                table.compute(tasks, client, computed, stop)
    final, comparison = summary(), compare([Run.open(task.run) for task in tasks], readouts=tasks[0].readouts)
    report.write(final, path, comparison)
    if as_json:
        print_json({**final, "computed": len(missing), "cached": len(tasks) - len(missing)})
        return
    print(report.markdown(final, comparison))
    print(f"{len(missing)} networks computed, {len(tasks) - len(missing)} cached; table in {path} and .json")


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
