"""Report Table 2 as numbers and as Markdown: the published accuracies, ours, the goals, sizes and paired tests."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stdpnet.runs.files import write_text
from stdpnet.stdp.spec.presets import TABLE_2
from stdpnet_analysis.compare import Comparison
from stdpnet_analysis.identity import code_digest
from stdpnet_analysis.paper.cells import best_cell, percent_cell
from stdpnet_analysis.paper.table2 import Preset, Task, Tuned, digest
from stdpnet_analysis.statistics import summarise as over_seeds
from stdpnet_analysis.tables import (
    accuracy_table,
    as_markdown,
    contrast_table,
    markdown_lines,
    positions_table,
    size_table,
)
from stdpnet_analysis.text import MISSING


class Published(NamedTuple):
    """A cell of the thesis's table (N = 5); fractions."""

    mean: float
    sd: float


# The thesis's Table 2: votes by the best of its voting methods, and its linear classifier.
VOTE = {
    1: Published(0.923, 0.007),
    2: Published(0.875, 0.009),
    3: Published(0.829, 0.006),
    4: Published(0.823, 0.010),
    5: Published(0.801, 0.010),
    6: Published(0.736, 0.010),
    7: Published(0.792, 0.016),
    8: Published(0.772, 0.017),
    9: Published(0.774, 0.019),
    10: Published(0.658, 0.007),
    11: Published(0.631, 0.012),
    12: Published(0.814, 0.009),
}
LINEAR = {
    1: Published(0.951, 0.005),
    2: Published(0.915, 0.006),
    3: Published(0.881, 0.007),
    4: Published(0.882, 0.006),
    5: Published(0.855, 0.008),
    6: Published(0.803, 0.007),
    7: Published(0.857, 0.014),
    8: Published(0.831, 0.012),
    9: Published(0.821, 0.013),
    10: Published(0.771, 0.006),
    11: Published(0.758, 0.005),
    12: Published(0.821, 0.008),
}
THESIS: dict[str, dict[int, Published]] = {"vote": VOTE, "linear": LINEAR}
"""Column -> row -> what the thesis published."""
GOALS: dict[str, dict[int, float]] = {
    column: dict(enumerate(goals, 1))
    for column, goals in {
        "vote": (0.93, 0.92, 0.90, 0.87, 0.87, 0.87, 0.87, 0.86, 0.87, 0.80, 0.84, 0.895),
        "log_evidence": (0.965, 0.95, 0.95, 0.915, 0.915, 0.93, 0.94, 0.93, 0.945, 0.885, 0.91, 0.905),
        "linear": (0.97, 0.96, 0.96, 0.94, 0.94, 0.955, 0.955, 0.95, 0.96, 0.93, 0.95, 0.905),
    }.items()
}
"""Column -> row -> accuracy that this project wants to reach, a fraction."""


def summarise(tasks: Sequence[Task], preset: Preset, overrides: Sequence[str], seconds: float) -> dict[str, Any]:
    """Return the present results of the table; accuracies are fractions, rows without a result are left out.

    Parameters
    ----------
    tasks : the networks and seeds of the table
    preset, overrides : the parameters of the networks
    seconds : wall time of this command
    """
    results = [result for task in tasks if (result := task.result()) is not None]
    rows = sorted({result["row"] for result in results})
    return {
        "table": "Table 2",
        "preset": preset,
        "overrides": list(overrides),
        "complete": len(results) == len(tasks),
        "rows": [_row(row, [result for result in results if result["row"] == row]) for row in rows],
        "compute_seconds": sum(result["training_seconds"] + result["evaluation_seconds"] for result in results),
        "wall_seconds": seconds,
        "code": code_digest(),
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
    }


def _row(row: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    network = TABLE_2[row]
    accuracies = [result["accuracy"] for result in results]
    ours = {column: best_cell(column, accuracies) for column in GOALS}
    untrained = [result["untrained"] for result in results if result["untrained"]]
    pixels = [result["pixels"]["linear"] for result in results if "linear" in (result["pixels"] or {})]
    common = [name for name in accuracies[0] if all(name in accuracy for accuracy in accuracies)]
    return {
        "row": row,
        "network": network.network.upper() + (" learned" if network.learned else ""),
        "channels": network.channels,
        "kernel": network.kernel,
        "seeds": [result["seed"] for result in results],
        **ours,
        "thesis": {column: published[row]._asdict() for column, published in THESIS.items()},
        "goals": {column: goals[row] for column, goals in GOALS.items()},
        "reached": {
            column: None if cell is None else cell["mean"] >= GOALS[column][row] for column, cell in ours.items()
        },
        "tuned": _tuned(row, [result.get("tuned") for result in results]),
        "untrained": {column: best_cell(column, untrained) for column in GOALS} if untrained else None,
        "pixels": {"linear": over_seeds(pixels).mean_sd} if pixels else None,
        "readouts": {name: over_seeds([accuracy[name] for accuracy in accuracies]).mean_sd for name in common},
        "training_images": results[0]["training_images"],
        "images_per_s": float(np.mean([result["images_per_s"] or np.nan for result in results])),
        "seconds": sum(result["training_seconds"] + result["evaluation_seconds"] for result in results),
    }


def _tuned(row: int, cells: Sequence[dict[str, float] | None]) -> dict[str, Any] | None:
    """Return mean and deviation of the tuned linear read-out, and its settings; None unless all results have it."""
    given = [cell for cell in cells if cell]
    if not given or len(given) < len(cells):
        return None
    ours = over_seeds([cell["accuracy"] for cell in given])
    tuned = {name: given[0][name] for name in Tuned._fields}
    return {**ours.mean_sd, **tuned, "reached": ours.mean >= GOALS["linear"][row]}


def markdown(summary: dict[str, Any], comparison: Comparison | None = None) -> str:
    """Return the table in percent with a legend, and sizes and paired tests if there is a comparison of the runs."""
    head = [
        "row", "network", "vote: thesis", "vote: ours", "goal", "log evidence: ours", "goal", "linear: thesis",
        "linear: ours", "goal", "linear, tuned (competition, C, ms)",
        "untrained: vote, log evidence, linear", "pixels", "images/s", "s",
    ]  # fmt: skip
    lines = markdown_lines(head, [_cells(row) for row in summary["rows"]])
    seeds = sorted({seed for row in summary["rows"] for seed in row["seeds"]})
    notes = [
        f"Preset {summary['preset']}, seeds {', '.join(map(str, seeds))}; test accuracy, %, mean ± sample standard",
        "deviation; vote: the best of the thesis's three voting rules; log evidence: not the thesis's; bold: the goal",
        "is reached. Tuned: images are answered with this factor of the trained competition and shown for so long,",
        "the linear read-out is regularised with this C, all found on validation images. The untrained network and",
        "the pixels (linear) are those of the first seed. images/s: training, one process of one thread; s: training",
        "and evaluation of all seeds. Together",
        f"{summary['compute_seconds']:.0f} s of computing; this command took {summary['wall_seconds']:.0f} s.",
    ]
    if summary["overrides"]:
        notes.append(f"With {', '.join(summary['overrides'])}.")
    if not summary["complete"]:
        notes.append("Not complete: the same command goes on.")
    text = "\n".join(lines) + "\n\n" + "\n".join(notes) + "\n"
    if comparison is not None:
        others = [accuracy_table(comparison)] if set(comparison.columns) - set(GOALS) else []
        others += [make(comparison) for make in (size_table, positions_table, contrast_table)]
        text += "\n" + as_markdown(comparison, others)
    return text


def _cells(row: dict[str, Any]) -> list[str]:
    name = f"{row['network']} {row['channels']}" + ("" if row["network"] == "FCSNN" else f"/{row['kernel']}")
    untrained, pixels = row["untrained"], row["pixels"]
    found = [str(row["row"]), name]
    for column, goal in row["goals"].items():
        if column in row["thesis"]:
            found.append(percent_cell(row["thesis"][column]))
        ours = percent_cell(row[column])
        found += [f"**{ours}**" if row["reached"][column] else ours, f"{100 * goal:.3g}"]
    found.append(_tuned_cell(row["tuned"]))
    found.append(", ".join(map(percent_cell, untrained.values())) if untrained else MISSING)
    found.append(percent_cell(pixels and pixels["linear"]))
    return [*found, f"{row['images_per_s']:.0f}", f"{row['seconds']:.0f}"]


def _tuned_cell(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return MISSING
    ours = percent_cell(cell)
    return f"{f'**{ours}**' if cell['reached'] else ours} ({cell['strength']:g}, {cell['C']:g}, {cell['duration']:g})"


def usual_path(tasks: Sequence[Task], preset: Preset, folder: Path) -> Path:
    """Return the file of the table, named by a digest of the tasks: no smaller table replaces a larger one."""
    return folder / f"table2-{preset}-{digest(tasks)}.md"


def write(summary: dict[str, Any], path: Path, comparison: Comparison | None = None) -> None:
    """Write the present results: Markdown to `path`, JSON beside it."""
    write_text(path.with_suffix(".json"), json.dumps(summary, indent=2) + "\n")
    write_text(path, markdown(summary, comparison))
