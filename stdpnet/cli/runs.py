"""`stdpnet info`, `stdpnet runs` and `stdpnet watch`: print the state of runs (see stdpnet.runs.summary)."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from stdpnet.cli.common import (
    JsonOption,
    RunArgument,
    RunsArgument,
    every_run,
    print_json,
    print_json_of_runs,
    print_table,
)
from stdpnet.errors import ConfigError, remedy_for
from stdpnet.reading import visible

if TYPE_CHECKING:
    from stdpnet.runs import Run
    from stdpnet.runs.scores import ScoredState
    from stdpnet.runs.summary import RunReader, Summary
    from stdpnet.spec.experiment import Experiment

BARS = "▁▂▃▄▅▆▇█"
ACTIVITY = {
    "spikes_per_image": "{:.1f} spikes/image",
    "silent_images": "silent images {:.1%}",
    "dead_neurons": "dead neurons {:.1%}",
    "dead_units": "dead units {:.1%}",
}
"""Keys of a row of progress that `watch` shows, with their format."""


COLUMNS = ("vote", "log_evidence", "linear")
"""Roles of read-outs that always have a column in a list of runs; others have one if a run was scored by them."""
ORDERS = ("name", "age", "images")
"""Keys, besides the columns of accuracies, by which a list of runs can be sorted."""


State = Literal["running", "finished", "stopped", "failed", "new"]
"""States of a run."""


def info(runs: RunsArgument, as_json: JsonOption = False) -> None:
    """Show what runs are: network, state, scores, provenance, and how its parameters differ from a preset."""
    from stdpnet.runs.summary import summarise

    described = [(run, summarise(run)) for run in every_run(runs)]
    if as_json:
        print_json_of_runs(
            [
                {**summary.as_dict(), "provenance": run.provenance, "events": run.events(), **_origin(run.spec)}
                for run, summary in described
            ]
        )
        return
    for number, (run, summary) in enumerate(described):
        print(end="\n" if number else "")
        _print_info(run, summary)


def _print_info(opened: Run, summary: Summary) -> None:
    from stdpnet_analysis.text import plain

    provenance = opened.provenance
    content: dict[str, Any] = {
        "run": summary.path,
        "state": _state(summary),
        "network": summary.label,
        **summary.facts,
        "dataset": summary.dataset,
        "images": f"{summary.images} of {summary.goal}",
        "images/s": summary.images_per_s,
        "health": None if summary.health is None else ", ".join(summary.health) or "good",
    }
    for scores in summary.scores:
        content[_scored_on(scores)] = ", ".join(f"{name} {value:.4f}" for name, value in scores.accuracy.items())
        if scores.stale:
            content[_scored_on(scores)] += f" (stale: scored after {scores.training_images} images)"
    content |= {key: provenance[key] for key in ("engine", "dtype", "seed", "created") if key in provenance}
    content["command"] = " ".join(provenance["command"])
    for key, value in content.items():
        print(f"{key.replace('_', ' '):22} {plain(value)}")
    origin = _origin(opened.spec)
    preset, but = origin["preset"], ", but for" if origin["differs"] else ""
    print(f"{'parameters':22} {f'as preset {preset}{but}' if preset else 'all of them:'}")
    for key, value in origin["differs"].items():
        print(f"  {key:30} {plain(value)}")
    if any(scores.stale for scores in summary.scores):
        print(f"The run was trained further since it was scored; `stdpnet evaluate {summary.path}` scores it again.")


def _origin(spec: Experiment) -> dict[str, Any]:
    """Return the preset nearest to a configuration, None if its model has none, and the keys that differ."""
    from stdpnet.spec.presets import nearest

    return dict(zip(("preset", "differs"), nearest(spec), strict=True))


def list_runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the runs.")] = Path("runs"),
    state: Annotated[State | None, typer.Option("--state", help="Only runs in this state.")] = None,
    sort: Annotated[
        str, typer.Option("--sort", metavar="KEY", help="name, age, images, or a read-out's column: best first.")
    ] = "name",
    as_json: JsonOption = False,
) -> None:
    """List runs with state, progress, scores and age."""
    from stdpnet.runs.summary import FolderReader

    found = [each for each in FolderReader(folder).read() if state is None or each.state == state]
    if sort not in (*ORDERS, *(columns := _columns(found)), "own"):
        raise ConfigError(f"--sort: '{sort}' is unknown; {remedy_for(sort, (*ORDERS, *columns))}")
    ordered = _sorted(found, sort)
    if as_json:
        print_json({"runs": [each.as_dict() for each in ordered]})
    else:
        _print_runs(ordered)


def watch(
    run: RunArgument,
    interval: Annotated[
        float, typer.Option("--interval", min=0.1, max=86_400, help="Seconds between two looks.")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and leave.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Follow a run from another terminal until it ends; reads its files only."""
    from stdpnet.runs import Run
    from stdpnet.runs.summary import RunReader

    reader = RunReader(Run.open(run))
    summary = reader.read()
    if as_json:
        print_json(summary.as_dict())
        return
    if not once and summary.state == "running":
        summary = _follow(reader, interval)
    print("\n".join(_lines(summary)))


def _follow(reader: RunReader, interval: float) -> Summary:
    """Show the state of a run until it ends, or until Ctrl-C; return the last one."""
    from rich.live import Live
    from rich.text import Text

    with contextlib.suppress(KeyboardInterrupt), Live(transient=True, auto_refresh=False) as live:
        while (summary := reader.read()).state == "running":
            live.update(Text("\n".join(_lines(summary)), no_wrap=True, overflow="ellipsis"), refresh=True)
            time.sleep(interval)
    return reader.read()


def _columns(summaries: list[Summary]) -> list[str]:
    """Return the columns of accuracies that a list of runs has."""
    scored = (role for summary in summaries for scores in summary.scores for role in scores.best)
    return list(dict.fromkeys((*COLUMNS, *scored)))


def _sorted(summaries: list[Summary], sort: str) -> list[Summary]:
    """Return runs in the order of a key, the best scores first; those without a value come last."""

    def value(summary: Summary) -> Any:
        if sort not in ORDERS:
            return summary.scores[0].best.get(sort) if summary.scores else None
        return summary.age_seconds if sort == "age" else getattr(summary, sort)

    descending = sort == "images" or sort not in ORDERS
    known = [summary for summary in summaries if value(summary) is not None]
    return sorted(known, key=value, reverse=descending) + [each for each in summaries if value(each) is None]


def _print_runs(summaries: list[Summary]) -> None:
    from rich.table import Table

    shown = [summary.scores[0] for summary in summaries if summary.scores]
    elsewhere = any(_scored_on(scores) != "test accuracy" for scores in shown)
    roles = _columns(summaries)
    words = {"run", "state", "network", "scored on"}
    table = Table()
    headings = ["run", "state", "network", "images", *(f"{role.replace('_', ' ')}, %" for role in roles)]
    headings += [*(["scored on"] if elsewhere else []), "age"]
    for heading in headings:
        justify: Any = "left" if heading in words else "right"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=heading != "run")
    for summary in summaries:
        scores = summary.scores[0] if summary.scores else None
        cells = [visible(summary.name), summary.state, summary.label, f"{summary.images}/{summary.goal}"]
        cells += [_percent(scores, role) for role in roles]
        cells += [_scored_on(scores).removesuffix(" accuracy") if scores else ""] if elsewhere else []
        table.add_row(*cells, _duration(summary.age_seconds))
    print_table(table)
    if any(scores.stale for scores in shown):
        print("* scored before the run was trained further; `stdpnet evaluate RUN` scores it again")


def _percent(scores: ScoredState | None, role: str) -> str:
    """Return the best accuracy of a role in percent, with a star if it is that of an earlier state."""
    if scores is None or role not in scores.best:
        return "–"
    return f"{100 * scores.best[role]:.2f}{'*' if scores.stale else ''}"


def _scored_on(scores: ScoredState) -> str:
    """Return what was scored: the split, and the snapshot unless it is the newest state."""
    return f"{scores.split}{'' if scores.snapshot == 'last' else f', {scores.snapshot}'} accuracy"


def _state(summary: Summary) -> str:
    return summary.state + (f" ({summary.reason})" if summary.reason else "")


def _lines(summary: Summary) -> list[str]:
    """Return the state of a run as lines of text."""
    lines = [visible(f"{summary.path}: {_state(summary)}")]
    share = summary.images / summary.goal if summary.goal else 1.0
    lines.append(f"images   {summary.images}/{summary.goal} ({share:.0%})")
    if summary.images_per_s:
        lines[-1] += f", {summary.images_per_s:.0f} images/s"
        if summary.state == "running" and summary.seconds_left is not None:
            lines[-1] += f", {_duration(summary.seconds_left)} left"
    if (row := summary.progress) is not None:
        parts = [form.format(row[key]) for key, form in ACTIVITY.items() if row.get(key) is not None]
        median = row.get("theta", {}).get("p50")
        parts += [f"theta {median:.2f} mV (median)"] if median is not None else []
        lines += [f"activity {', '.join(parts)}"] if parts else []
        lines.append(f"health   {visible(', '.join(summary.health or [])) or 'good'}")
    accuracy = summary.curve.accuracy
    if accuracy:
        best = max(accuracy)
        lines.append(
            f"curve    {sparkline(accuracy)} {100 * accuracy[-1]:.2f} % now, best {100 * best:.2f} % at image "
            f"{summary.curve.images[accuracy.index(best)]} (validation, {summary.curve.readout})"
        )
    return lines


def sparkline(values: list[float], width: int = 60) -> str:
    """Return the newest values as a row of bars, the lowest shown as the lowest bar."""
    values = values[-width:]
    low, high = min(values), max(values)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in values)


def _duration(seconds: float) -> str:
    """Return a time span in the largest unit of which it has at least two."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
