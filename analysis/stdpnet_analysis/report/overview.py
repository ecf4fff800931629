"""Compose the comparison at the beginning of a report of several runs: tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stdpnet.runs import Run
from stdpnet_analysis import figures
from stdpnet_analysis.compare import compare, usual_split
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.comparison import accuracy_vs_synapses
from stdpnet_analysis.progress import Progress
from stdpnet_analysis.report.images import Image, encode
from stdpnet_analysis.tables import notes, tables
from stdpnet_analysis.view import RunView, Settings


def overview(runs: Sequence[Run], settings: Settings | None, snapshot: str, progress: Progress) -> dict[str, Any]:
    """Return tables and figures that compare runs."""
    comparison = compare(runs, usual_split(runs, snapshot), snapshot)
    images: list[Image] = []
    if comparison.groups:
        with style.context():
            figure = accuracy_vs_synapses(comparison)
        images.append(encode(figure, "accuracy-vs-synapses", "accuracy against the number of synapses"))
        progress.advance(1, "accuracy-vs-synapses")
    with_curve = [run for run in runs if run.rows("curve")]
    if len(with_curve) > 1:
        view = RunView(with_curve[0], settings, snapshot, with_curve[1:])
        images.append(
            encode(figures.draw(view, "learning-curve"), "learning-curves", "validation accuracy in training")
        )
        progress.advance(1, "learning-curves")
    return {"tables": tables(comparison), "notes": notes(comparison), "images": images}
