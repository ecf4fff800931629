"""Read the runs of a folder as plain data for the inspector; a run is read again only if its files have changed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stdpnet.errors import RunError
from stdpnet.runs import Run
from stdpnet.runs.paths import run_folders
from stdpnet.runs.rows import with_named_quantiles
from stdpnet.runs.summary import FolderReader
from stdpnet_analysis.compare import compare, usual_split
from stdpnet_analysis.inspector.arrays import histogram, sheet
from stdpnet_analysis.inspector.inside import Inside
from stdpnet_analysis.tables import record, tables
from stdpnet_analysis.view import RunView

MOST_ROWS = 400
"""Most points of a curve; from longer curves they are taken in even steps, with the last point."""
DRAWN = ("spikes_per_image", "silent_images", "dead_neurons", "weight_change", "largest_share", "loss")
"""Numbers of the rows of progress that are drawn, if the model has them."""
KEPT = 2
"""Runs whose arrays stay in memory."""
FIELDS = 1024
"""Most receptive fields that are shown of a position."""


class Library:
    """The runs of a folder. Outside of the folder only the images of datasets are read; nothing is written.

    Parameters
    ----------
    folder : a folder of runs

    Raises
    ------
    RunError
        If there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        run_folders(folder)
        self._folder, self._reader = folder, FolderReader(folder)
        self._views: dict[str, tuple[Any, Inside]] = {}

    def runs(self) -> list[dict[str, Any]]:
        """Return the states of the runs by name (see stdpnet.runs.summary.Summary)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            root = self._folder.resolve()
            found = [state for state in self._reader.read() if Path(state.path).resolve().is_relative_to(root)]
            return [state.as_dict() for state in found]

    def run(self, name: str) -> Run:
        """Return a run of the folder by its name.

        Raises
        ------
        RunError
            If the folder has no run of this name, or it is a link that leads out of the folder.
        """
        for path in run_folders(self._folder):
            if path.name == name and path.resolve().is_relative_to(self._folder.resolve()):
                return Run.open(path)
        raise RunError(f"run: {name!r} is no run of this folder; choose one of the table")

    def inside(self, name: str) -> Inside:
        """Return the newest state of a run to look into; its arrays are loaded when they are needed."""
        run = self.run(name)
        now = tuple(_changed(run.path / file) for file in ("checkpoint.h5", "responses", "config.toml", "events.jsonl"))
        known = self._views.pop(name, None)
        if known is None or known[0] != now:
            known = now, Inside(RunView(run))
        self._views[name] = known
        while len(self._views) > KEPT:
            del self._views[next(iter(self._views))]
        return known[1]

    def progress(self, name: str) -> dict[str, Any]:
        """Return the curves of a training: rows of progress and of the learning curve, thinned."""
        run = self.run(name)
        rows = [with_named_quantiles(row) for row in thinned(run.rows("progress"))]
        curve = thinned(run.rows("curve"))
        keys = [key for key in DRAWN if any(isinstance(row.get(key), int | float) for row in rows)]
        theta = [row["theta"] for row in rows] if rows and all(row.get("theta") for row in rows) else []
        readouts = sorted({name for row in curve for name in row["accuracy"]})
        return {
            "images": [row["images"] for row in rows],
            "numbers": {key: [row.get(key) for row in rows] for key in keys},
            "theta": {key: [quantiles[key] for quantiles in theta] for key in ("p5", "p50", "p95")} if theta else None,
            "curve": {
                "images": [row["images"] for row in curve],
                "accuracy": {readout: [row["accuracy"].get(readout) for row in curve] for readout in readouts},
            },
        }

    def histograms(self, name: str) -> dict[str, Any]:
        """Return the histograms of the arrays of a state by name; `lacks` says why there is no state, if so."""
        view = self.inside(name).view
        if (reason := view.lacks("state")) is not None:
            return {"lacks": reason, "images": 0, "histograms": {}}
        arrays = view.network.arrays() if view.lacks("spiking network") is None else view.state.arrays
        found = {}
        for key, array in arrays.items():
            if array.ndim and np.issubdtype(array.dtype, np.floating):
                if key == "competition":  # the diagonal is no synapse
                    array = array[:, ~np.eye(array.shape[-1], dtype=bool)]
                edges, numbers = histogram(array)
                found[key] = {"edges": edges.tolist(), "numbers": numbers.tolist()}
        return {"lacks": None, "images": view.state.images, "histograms": found}

    def fields(self, name: str, position: int) -> tuple[np.ndarray[Any, Any], int, int]:
        """Return the sheet of the receptive fields of a position (see `arrays.sheet`), their number and side."""
        view = self.inside(name).view
        network = view.network
        geometry = network.geometry
        if not 0 <= position < geometry.positions:
            raise RunError(f"position: {position} is none; choose one of 0..{geometry.positions - 1}")
        weights = network.weights[0 if geometry.shared else position, :, :FIELDS]
        fields = weights.T.reshape(-1, geometry.kernel, geometry.kernel)
        return sheet(fields, float(np.quantile(weights, 0.998))), len(fields), geometry.kernel

    def comparison(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the comparison of runs as `stdpnet compare` makes it, and their learning curves."""
        runs = [self.run(name) for name in names]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = compare(runs, usual_split(runs))
        chosen = {state["name"]: state["curve"] for state in self.runs() if state["name"] in names}
        return {
            "tables": [table._asdict() for table in tables(found)] if found.groups else [],
            "groups": [record(group) for group in found.groups],
            "columns": list(found.columns),
            "seeds": {
                column: {group.name: group.accuracies(column) for group in found.groups} for column in found.columns
            },
            "curves": chosen,
            "left_out": [{"run": Path(entry.run).name, "reason": entry.reason} for entry in found.left_out],
        }


def thinned(rows: Sequence[dict[str, Any]], most: int = MOST_ROWS) -> list[dict[str, Any]]:
    """Return at most `most` of the rows in even steps, with the first and the last one."""
    if len(rows) <= most:
        return list(rows)
    return [rows[place] for place in np.linspace(0, len(rows) - 1, most).round().astype(int)]


def _changed(path: Path) -> int:
    """Return the time at which a file, or the list of files of a folder, changed last; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
