"""Report a gallery as numbers and as Markdown: published accuracies beside ours, by the same and by other read-outs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stdpnet.runs import Run
from stdpnet.runs.files import write_text
from stdpnet_analysis.identity import code_digest
from stdpnet_analysis.labels import LABELS, label_curve
from stdpnet_analysis.paper.cells import best_cell, percent_cell
from stdpnet_analysis.paper.galleries import GALLERIES, READOUTS
from stdpnet_analysis.paper.table2 import Task, digest
from stdpnet_analysis.readouts import title_of
from stdpnet_analysis.tables import markdown_lines
from stdpnet_analysis.text import MISSING

LABEL_READOUTS = ("all", "log_evidence", "linear")
"""The read-outs whose accuracy is shown against the number of labels."""
DRAWS = 5
"""Draws of each number of labels."""


def summarise(name: str, tasks: Sequence[Task], overrides: Sequence[str], seconds: float) -> dict[str, Any]:
    """Return the present results of a gallery; accuracies are fractions, rows without a result are left out.

    Parameters
    ----------
    name : of the gallery
    tasks : its networks and seeds
    overrides : the keys that were changed for all of them
    seconds : wall time of this command
    """
    done = [(task, result) for task in tasks if (result := task.result()) is not None]
    rows = [_row(name, number, [each for each in done if each[0].row == number]) for number in _numbers(done)]
    return {
        "gallery": name,
        "source": GALLERIES[name].source,
        "overrides": list(overrides),
        "complete": len(done) == len(tasks),
        "rows": rows,
        "wall_seconds": seconds,
        "code": code_digest(),
    }


def _numbers(done: Sequence[tuple[Task, dict[str, Any]]]) -> list[int]:
    return sorted({task.row for task, _ in done})


def _row(name: str, number: int, done: Sequence[tuple[Task, dict[str, Any]]]) -> dict[str, Any]:
    row, (task, _) = GALLERIES[name].rows[number - 1], done[0]
    results = [result for _, result in done]
    ours = [result["accuracy"] for result in results]
    untrained = [result["untrained"] for result in results if result["untrained"]]
    pixels = next((result["pixels"]["linear"] for result in results if result["pixels"]), None)
    training = task.spec.training
    return {
        "row": number,
        "network": f"{task.spec.topology.label}",
        "dataset": task.spec.dataset.name,
        "images": training.images,
        "different_images": training.pool or None,
        "seeds": [result["seed"] for result in results],
        "published": None if row.published is None else {"mean": row.published, "sd": row.sd},
        "published_readout": row.readout,
        "readouts": {column: best_cell(column, ours) for column in READOUTS},
        "untrained": {column: best_cell(column, untrained) for column in READOUTS} if untrained else None,
        "pixels": pixels,
        "seconds": [result["training_seconds"] + result["evaluation_seconds"] for result in results],
    }


def markdown(summary: dict[str, Any]) -> str:
    """Return the table in percent, with a legend."""
    head = ["row", "network", "images", "published (read-out)", *map(title_of, READOUTS)]
    head += ["untrained: log evidence, linear", "pixels", "minutes"]
    lines = markdown_lines(head, [_cells(row) for row in summary["rows"]])
    seeds = sorted({seed for row in summary["rows"] for seed in row["seeds"]})
    notes = [
        f"Seeds {', '.join(map(str, seeds))}; accuracy on the test images, %, mean ± sample standard deviation over",
        "the seeds. images: presentations (in brackets: of so many different images, where not of all). The untrained",
        "network and the pixels (linear) are those of the first seed. minutes: training and evaluation of one seed on",
        f"one thread. Published: {summary['source']}.",
    ]
    if summary["overrides"]:
        notes.append(f"With {', '.join(summary['overrides'])}.")
    if not summary["complete"]:
        notes.append("Not complete: the same command goes on.")
    return "\n".join(lines) + "\n\n" + "\n".join(notes) + "\n"


def _cells(row: dict[str, Any]) -> list[str]:
    published = MISSING
    if row["published"] is not None:
        published = f"{percent_cell(row['published'])} ({title_of(row['published_readout'])})"
    images = f"{row['images']}" + (f" ({row['different_images']})" if row["different_images"] else "")
    untrained = row["untrained"] or {}
    return [
        str(row["row"]),
        row["network"],
        images,
        published,
        *map(percent_cell, row["readouts"].values()),
        ", ".join(percent_cell(untrained.get(column)) for column in ("log_evidence", "linear")),
        MISSING if row["pixels"] is None else f"{100 * row['pixels']:.1f}",
        f"{sum(row['seconds']) / len(row['seconds']) / 60:.1f}",
    ]


def label_table(tasks: Sequence[Task], advance: Callable[[Task], None] = lambda _: None) -> str:
    """Return the accuracy on the test images against the number of labels, for the networks of the first seed.

    Parameters
    ----------
    tasks : the networks, which have been trained
    advance : called with each task whose curve has been computed
    """
    parts = []
    for task in tasks:
        if not task.baselines:
            continue
        run = Run.open(task.run)
        found = LABELS.read(run, "test")
        if found is None:
            found = label_curve(run, "test", draws=DRAWS, readouts=LABEL_READOUTS, threads=1)
            advance(task)
        sizes = [str(point["labels"]) for point in found["trained"]["linear"]]
        rows = []
        for part in ("trained", "untrained", "pixels"):
            for readout, points in found.get(part, {}).items():
                title = title_of(readout) if part == "trained" else f"{part}, {title_of(readout)}"
                rows.append([title, *map(percent_cell, points)])
        parts += [f"### {task.spec.topology.label}", "", *markdown_lines(["read-out", *sizes], rows), ""]
    return "\n".join(parts)


def usual_path(name: str, tasks: Sequence[Task], folder: Path) -> Path:
    """Return the file of a gallery; its name has a digest of the tasks, as in Table 2."""
    return folder / f"{name}-{digest(tasks)}.md"


def write(summary: dict[str, Any], path: Path, more: str = "") -> None:
    """Write the present results of a gallery: Markdown, with `more` below it, to `path`, and JSON beside it."""
    write_text(path.with_suffix(".json"), json.dumps(summary, indent=2) + "\n")
    write_text(path, markdown(summary) + (f"\n{more}" if more else ""))
