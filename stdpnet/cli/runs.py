"""`stdpnet info`, `stdpnet runs` and `stdpnet watch`: what runs are and how they do, read from their files alone."""

from __future__ import annotations

import contextlib
import datetime
import time
import warnings
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stdpnet.cli.common import JsonOption, RunArgument, print_json
from stdpnet.errors import StdpnetError

if TYPE_CHECKING:
    from stdpnet.runs import Run

BARS = "▁▂▃▄▅▆▇█"


class SortKey(StrEnum):
    """What a list of runs can be sorted by."""

    name = "name"
    age = "age"
    images = "images"
    vote = "vote"
    linear = "linear"


class State(StrEnum):
    """States of a run."""

    running = "running"
    finished = "finished"
    stopped = "stopped"
    failed = "failed"
    new = "new"


def info(run: RunArgument, as_json: JsonOption = False) -> None:
    """Show what a run is: network, protocol, provenance, state and scores."""
    from stdpnet.runs import Run

    opened = Run.open(run)
    spec, geometry, scores = opened.spec, opened.spec.geometry, opened.load_scores()
    rows, provenance = opened.rows("progress"), opened.provenance
    content: dict[str, Any] = {
        "run": str(opened.path),
        "status": opened.status,
        "network": spec.topology.label,
        "architecture": spec.topology.architecture,
        "positions": geometry.positions,
        "neurons": geometry.neurons,
        "feedforward_synapses": geometry.feedforward_synapses,
        "competition_synapses": geometry.competition_synapses,
        "competition": spec.competition.kind,
        "dataset": spec.dataset.name,
        "images": opened.images,
        "goal": spec.training.images,
        "images_per_s": rows[-1]["images_per_s"] if rows else None,
        "accuracy": {name: score["accuracy"] for name, score in scores["readouts"].items()} if scores else None,
    }
    if as_json:
        print_json({**content, "provenance": provenance, "events": opened.events()})
        return
    content |= {key: provenance[key] for key in ("engine", "dtype", "seed", "created")}
    content["command"] = " ".join(provenance["command"])
    for key, value in content.items():
        print(f"{key.replace('_', ' '):22} {_plain(value)}")


def list_runs(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of the runs.")] = Path("runs"),
    state: Annotated[State | None, typer.Option("--state", help="Only runs in this state.")] = None,
    sort: Annotated[SortKey, typer.Option("--sort", help="Order of the list; scores: best first.")] = SortKey.name,
    as_json: JsonOption = False,
) -> None:
    """List runs with state, progress, scores and age."""
    from stdpnet.runs import find_runs

    rows = []
    for run in find_runs(folder):
        try:
            rows.append(_summary(run))
        except (StdpnetError, KeyError) as error:
            warnings.warn(f"{run.path}: cannot be read ({error})", stacklevel=1)
    rows = [row for row in rows if state is None or row["state"] == state.value]
    descending = sort in (SortKey.vote, SortKey.linear, SortKey.images)
    known = [row for row in rows if row[sort.value] is not None]
    unknown = [row for row in rows if row[sort.value] is None]
    rows = sorted(known, key=lambda row: row[sort.value], reverse=descending) + unknown
    if as_json:
        print_json(rows)
    else:
        _print_runs(rows)


def watch(
    run: RunArgument,
    interval: Annotated[float, typer.Option("--interval", min=0.1, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and leave.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Follow a run from another terminal until it ends; reads its files only."""
    from stdpnet.runs import Run

    opened = Run.open(run)
    look = _look(opened)
    if as_json:
        print_json(look)
        return
    if not once and look["state"] == "running":
        look = _follow(opened, interval)
    print("\n".join(_picture(look)))


def _follow(run: Run, interval: float) -> dict[str, Any]:
    """Show how a run does until it ends, or until Ctrl-C; return the last look at it."""
    from rich.live import Live
    from rich.text import Text

    with contextlib.suppress(KeyboardInterrupt), Live(transient=True, auto_refresh=False) as live:
        while (look := _look(run))["state"] == "running":
            live.update(Text("\n".join(_picture(look)), no_wrap=True, overflow="ellipsis"), refresh=True)
            time.sleep(interval)
    return _look(run)


def _summary(run: Run) -> dict[str, Any]:
    """Return what the list of runs shows of one."""
    spec, scores, events = run.spec, run.load_scores(), run.events()
    readouts = {name: score["accuracy"] for name, score in scores["readouts"].items()} if scores else {}
    began = events[0]["time"] if events else run.provenance["created"]
    return {
        "name": run.path.name,
        "state": run.status,
        "network": spec.topology.label,
        "images": run.images,
        "goal": spec.training.images,
        "vote": max((value for name, value in readouts.items() if name != "linear"), default=None),
        "linear": readouts.get("linear"),
        "age": _seconds_since(began),
    }


def _print_runs(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for heading in ("run", "state", "network", "images", "vote, %", "linear, %", "age"):
        words = heading in ("run", "state", "network")
        table.add_column(heading, justify="left" if words else "right", overflow="fold", no_wrap=heading != "run")
    for row in rows:
        percents = ["–" if row[key] is None else f"{100 * row[key]:.2f}" for key in ("vote", "linear")]
        images = f"{row['images']}/{row['goal']}"
        table.add_row(row["name"], row["state"], row["network"], images, *percents, _duration(row["age"]))
    Console().print(table)


def _look(run: Run) -> dict[str, Any]:
    """Return how a run does right now."""
    rows, curve, events = run.rows("progress"), run.rows("curve"), run.events()
    last = rows[-1] if rows else {}
    left, rate = max(run.spec.training.images - run.images, 0), last.get("images_per_s")
    return {
        "run": str(run.path),
        "state": run.status,
        "reason": events[-1].get("reason") if events else None,
        "images": run.images,
        "goal": run.spec.training.images,
        "images_per_s": rate,
        "seconds_left": left / rate if rate else None,
        "spikes_per_image": last.get("spikes_per_image"),
        "silent_images": last.get("silent_images"),
        "dead_neurons": last.get("dead_neurons"),
        "theta": last.get("theta"),
        "health": last.get("health"),
        "curve": {
            "readout": run.spec.curve.readout,
            "images": [row["images"] for row in curve],
            "accuracy": [row["accuracy"][run.spec.curve.readout] for row in curve],
        },
    }


def _picture(look: dict[str, Any]) -> list[str]:
    """Return a look at a run as lines of text."""
    lines = [f"{look['run']}: {look['state']}" + (f" ({look['reason']})" if look["reason"] else "")]
    share = look["images"] / look["goal"] if look["goal"] else 1.0
    lines.append(f"images   {look['images']}/{look['goal']} ({share:.0%})")
    if look["images_per_s"]:
        lines[-1] += f", {look['images_per_s']:.0f} images/s"
        if look["state"] == "running":
            lines[-1] += f", {_duration(look['seconds_left'])} left"
    if look["spikes_per_image"] is not None:
        lines.append(
            f"activity {look['spikes_per_image']:.1f} spikes/image, silent images {look['silent_images']:.1%}, "
            f"dead neurons {look['dead_neurons']:.1%}, theta {look['theta'][3]:.2f} mV (median)"
        )
        lines.append(f"health   {', '.join(look['health']) or 'good'}")
    accuracy = look["curve"]["accuracy"]
    if accuracy:
        best = max(accuracy)
        lines.append(
            f"curve    {sparkline(accuracy)} {100 * accuracy[-1]:.2f} % now, best {100 * best:.2f} % at image "
            f"{look['curve']['images'][accuracy.index(best)]} (validation, {look['curve']['readout']})"
        )
    return lines


def sparkline(values: list[float], width: int = 60) -> str:
    """Return the newest values as a row of bars, the lowest shown as the lowest bar."""
    values = values[-width:]
    low, high = min(values), max(values)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in values)


def _seconds_since(moment: str) -> float:
    return (datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(moment)).total_seconds()


def _duration(seconds: float) -> str:
    """Return a time span as a person says it."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _plain(value: Any) -> str:
    """Return a value as a reader wants it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    return "–" if value is None else str(value)
