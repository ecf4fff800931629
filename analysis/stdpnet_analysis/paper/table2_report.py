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
from stdpnet_analysis.cluster.identity import code_digest
from stdpnet_analysis.compare import Comparison
from stdpnet_analysis.paper.table2 import Preset, Task, digest
from stdpnet_analysis.readouts.scores import best_vote
from stdpnet_analysis.statistics import Summary
from stdpnet_analysis.statistics import summarise as over_seeds
from stdpnet_analysis.tables import as_markdown, contrast_table, size_table
from stdpnet_analysis.text import MISSING, percent


class Published(NamedTuple):
    """A cell of the thesis's table (N = 5), and what this project wants to reach; fractions."""

    mean: float
    sd: float
    goal: float


# The thesis's Table 2: votes by the best of its voting methods, and its linear classifier.
VOTE = {
    1: Published(0.923, 0.007, 0.94),
    2: Published(0.875, 0.009, 0.91),
    3: Published(0.829, 0.006, 0.86),
    4: Published(0.823, 0.010, 0.85),
    5: Published(0.801, 0.010, 0.84),
    6: Published(0.736, 0.010, 0.78),
    7: Published(0.792, 0.016, 0.83),
    8: Published(0.772, 0.017, 0.81),
    9: Published(0.774, 0.019, 0.81),
    10: Published(0.658, 0.007, 0.72),
    11: Published(0.631, 0.012, 0.70),
    12: Published(0.814, 0.009, 0.86),
}
LINEAR = {
    1: Published(0.951, 0.005, 0.97),
    2: Published(0.915, 0.006, 0.95),
    3: Published(0.881, 0.007, 0.94),
    4: Published(0.882, 0.006, 0.92),
    5: Published(0.855, 0.008, 0.92),
    6: Published(0.803, 0.007, 0.90),
    7: Published(0.857, 0.014, 0.92),
    8: Published(0.831, 0.012, 0.90),
    9: Published(0.821, 0.013, 0.92),
    10: Published(0.771, 0.006, 0.88),
    11: Published(0.758, 0.005, 0.86),
    12: Published(0.821, 0.008, 0.88),
}


def summarise(tasks: Sequence[Task], preset: Preset, overrides: Sequence[str], seconds: float) -> dict[str, Any]:
    """Return the table as it stands; accuracies are fractions, a row without any result is left out.

    Parameters
    ----------
    tasks : the networks and seeds of the table
    preset, overrides : their parameters
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
    rule = best_vote(*accuracies)
    vote = {**_mean_sd([accuracy[rule] for accuracy in accuracies]), "rule": rule}
    linear = _mean_sd([accuracy["linear"] for accuracy in accuracies])
    untrained = [result["untrained"] for result in results if result["untrained"]]
    pixels = [result["pixels"]["linear"] for result in results if "linear" in (result["pixels"] or {})]
    return {
        "row": row,
        "network": network.network.upper() + (" learned" if network.learned else ""),
        "channels": network.channels,
        "kernel": network.kernel,
        "seeds": [result["seed"] for result in results],
        "vote": vote,
        "linear": linear,
        "thesis": {"vote": VOTE[row]._asdict(), "linear": LINEAR[row]._asdict()},
        "reached": {"vote": vote["mean"] >= VOTE[row].goal, "linear": linear["mean"] >= LINEAR[row].goal},
        "untrained": {
            "vote": _mean_sd([accuracy[best_vote(accuracy)] for accuracy in untrained]),
            "linear": _mean_sd([accuracy["linear"] for accuracy in untrained]),
        }
        if untrained
        else None,
        "pixels": {"linear": _mean_sd(pixels)} if pixels else None,
        "rules": {name: _mean_sd([accuracy[name] for accuracy in accuracies]) for name in accuracies[0]},
        "training_images": results[0]["training_images"],
        "images_per_s": float(np.mean([result["images_per_s"] or np.nan for result in results])),
        "seconds": sum(result["training_seconds"] + result["evaluation_seconds"] for result in results),
    }


def _mean_sd(values: Sequence[float]) -> dict[str, Any]:
    return over_seeds(values).mean_sd


def markdown(summary: dict[str, Any], comparison: Comparison | None = None) -> str:
    """Return the table in percent with a legend; with a comparison of the runs, their sizes and paired tests too."""
    head = [
        "row", "network", "vote: thesis", "vote: ours", "goal", "linear: thesis", "linear: ours", "goal",
        "untrained: vote, linear", "pixels", "images/s", "s",
    ]  # fmt: skip
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in summary["rows"]]
    seeds = sorted({seed for row in summary["rows"] for seed in row["seeds"]})
    notes = [
        f"Preset {summary['preset']}, seeds {', '.join(map(str, seeds))}; test accuracy, %, mean ± sample standard",
        "deviation; vote: the best of the three voting rules; bold: the goal is reached. The untrained network and the",
        "pixels (linear) are those of the first seed. images/s: training, one process of one thread; s: training and",
        f"evaluation of all seeds. Together {summary['compute_seconds']:.0f} s of computing; this command took",
        f"{summary['wall_seconds']:.0f} s.",
    ]
    if summary["overrides"]:
        notes.append(f"With {', '.join(summary['overrides'])}.")
    if not summary["complete"]:
        notes.append("Not complete: the same command goes on.")
    text = "\n".join(lines) + "\n\n" + "\n".join(notes) + "\n"
    if comparison is not None:
        text += "\n" + as_markdown(comparison, [size_table(comparison), contrast_table(comparison)])
    return text


def _cells(row: dict[str, Any]) -> list[str]:
    name = f"{row['network']} {row['channels']}" + ("" if row["network"] == "FCSNN" else f"/{row['kernel']}")
    untrained, pixels = row["untrained"], row["pixels"]
    cells = [str(row["row"]), name]
    for readout in ("vote", "linear"):
        ours, thesis = _percent(row[readout]), row["thesis"][readout]
        cells += [_percent(thesis), f"**{ours}**" if row["reached"][readout] else ours, f"{100 * thesis['goal']:.0f}"]
    cells.append(f"{_percent(untrained['vote'])}, {_percent(untrained['linear'])}" if untrained else MISSING)
    cells.append(_percent(pixels and pixels["linear"]))
    return [*cells, f"{row['images_per_s']:.0f}", f"{row['seconds']:.0f}"]


def _percent(cell: dict[str, Any] | None) -> str:
    return percent(None if cell is None else Summary(cell["mean"], cell["sd"], 0))


def usual_path(tasks: Sequence[Task], preset: Preset, folder: Path) -> Path:
    """Return the table's file, its name with a digest of what is asked for: no smaller table replaces a larger one."""
    return folder / f"table2-{preset}-{digest(tasks)}.md"


def write(summary: dict[str, Any], path: Path, comparison: Comparison | None = None) -> None:
    """Write the table as it stands, as Markdown to `path`, as JSON beside it."""
    write_text(path.with_suffix(".json"), json.dumps(summary, indent=2) + "\n")
    write_text(path, markdown(summary, comparison))
