"""`stdpnet sweep`, `stdpnet study` and `stdpnet study best`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stdpnet.cli.common import (
    FIGURE_ENDINGS,
    JsonOption,
    MemoryOption,
    SchedulerFileOption,
    SchedulerOption,
    WorkersOption,
    check_new_file,
    print_json,
    print_table,
    write_config,
)
from stdpnet.cli.groups import Commands, command_group
from stdpnet.cli.meters import Meter, meter
from stdpnet.cli.signals import SignalCatcher

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def sweep(
    file: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.")],
    folder: Annotated[
        str | None,
        typer.Option("--dir", metavar="NAME_OR_PATH", help="The study's folder; default runs/sweep-<STUDY>."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="Number of trials; default: as in the file.")
    ] = None,
    hours: Annotated[float | None, typer.Option("--hours", min=0, help="Hours; default: as in the file.")] = None,
    workers: WorkersOption = None,
    memory: MemoryOption = "auto",
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search parameters by validation accuracy; the same command continues a study, or joins one."""
    from stdpnet_analysis import sweeps
    from stdpnet_analysis.cluster.pool import pool
    from stdpnet_analysis.sweeps.summary import summarise

    study, base = sweeps.load_study(file)
    given = {"trials": trials, "hours": hours}
    study = study.updated({"budget": {name: value for name, value in given.items() if value is not None}})
    directory = sweeps.StudyDirectory.join(study, base, folder or sweeps.default_folder(file))
    spent = directory.is_spent()
    if not spent:
        with (
            pool(scheduler, scheduler_file, workers=workers, memory=memory) as client,
            meter("trials", study.budget.trials, quiet=as_json) as progress,
            SignalCatcher() as stop,
        ):
            sweeps.sweep(directory, client, _TrialNotes(progress).ended, stop)
    summary = summarise(directory)
    if as_json:
        print_json(summary)
        return
    _print_study(summary)
    if spent:
        print("nothing to do: every trial has ended; --trials, or budget.trials in the study file, asks for more")
    print(f"next: stdpnet study {directory.path}")


class _TrialNotes:
    """Shows how each trial ended, and the best one so far."""

    def __init__(self, progress: Meter) -> None:
        self._progress = progress
        self._best = (-1.0, -1)

    def ended(self, trial: FrozenTrial) -> None:
        state = trial.state.name.lower()
        if state == "complete":
            self._best = max(self._best, (trial.values[0], -trial.number))
        note = f"trial {trial.number} {state}"
        if state == "complete":
            note += f" {100 * trial.values[0]:.2f} %"
        if self._best[0] >= 0:
            note += f", best {100 * self._best[0]:.2f} % (trial {-self._best[1]})"
        self._progress.advance(1, note)


class _ShowByDefault(Commands):
    """A group that runs `show` if no command is named: `stdpnet study STUDY`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


study = command_group(
    "Show the results of a study: `stdpnet study STUDY`; write its best trial as a configuration.", _ShowByDefault
)
StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="A study's name below runs/, or its path.")]


@study.command("best")
def best(
    folder: StudyArgument,
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="A new .toml file.")],
    trial: Annotated[int | None, typer.Option("--trial", min=0, help="Another trial than the best one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the configuration of the best trial of a study."""
    from stdpnet_analysis.sweeps import StudyDirectory
    from stdpnet_analysis.sweeps.summary import best_trial

    check_new_file("--config", config, (".toml",))
    directory = StudyDirectory.open(folder)
    row, spec = best_trial(directory, trial)
    accuracy = f"{100 * row['accuracy']:.2f} % ({directory.spec.objective.readout})"
    seeds = f"{directory.spec.repeats} training seed{'s'[: directory.spec.repeats > 1]}"
    write_config(
        config,
        spec,
        f"Trial {row['trial']} of {directory.path.name}: {accuracy} on validation images, mean of {seeds}.",
    )
    if as_json:
        print_json({"config": str(config), "study": str(directory.path), **row})
    else:
        print(f"{config}: trial {row['trial']}, {accuracy}\nnext: stdpnet train {config}")


@study.command("show")
def show(
    folder: StudyArgument,
    most: Annotated[int, typer.Option("--best", min=1, help="How many of the best trials to show.")] = 10,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            help="A new .pdf, .svg or .png for the parallel coordinates; default: in figures/.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the results of a study: best trials, importance of parameters, parallel coordinates."""
    from stdpnet_analysis.sweeps import StudyDirectory
    from stdpnet_analysis.sweeps.figure import default_figure, parallel_coordinates
    from stdpnet_analysis.sweeps.summary import summarise

    directory = StudyDirectory.open(folder)
    check_new_file("--figure", figure, FIGURE_ENDINGS)
    summary = summarise(directory, most)
    drawn = bool(summary["best"])
    summary["figure"] = str(parallel_coordinates(directory, figure or default_figure(directory))) if drawn else None
    if as_json:
        print_json(summary)
        return
    _print_study(summary)
    if drawn:
        print(f"parallel coordinates: {summary['figure']}")


def _print_study(summary: dict[str, Any]) -> None:
    """Print the best trials, the importance of parameters, and what failed."""
    from rich.table import Table

    from stdpnet_analysis.text import plain

    states = ", ".join(f"{count} {state}" for state, count in summary["trials"].items() if count)
    print(f"{summary['study']}: {states or 'no trials'}")
    names = sorted({name for trial in summary["best"] for name in trial["parameters"]})
    seeds = "1 seed" if summary["repeats"] == 1 else f"{summary['repeats']} seeds"
    table = Table(title=f"best trials by {summary['objective']} accuracy, {seeds} each")
    for heading in ("trial", "accuracy, %", *names):
        table.add_column(heading.replace(".", ".\n"), justify="right", overflow="fold")
    for trial in summary["best"]:
        values = [trial["parameters"].get(name) for name in names]
        table.add_row(str(trial["trial"]), f"{100 * trial['accuracy']:.2f}", *map(plain, values))
    if summary["best"]:
        print_table(table)
    for name, share in summary["importance"].items():
        print(f"importance of {name:30} {share:.2f}")
    for failure in summary["failures"]:
        print(f"trial {failure['trial']} failed: {plain(failure['reason'])}")
