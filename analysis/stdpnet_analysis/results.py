"""Files of results that commands write into a run beside its scores, such as those of `stdpnet labels`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from stdpnet.errors import RunError
from stdpnet.runs import Run
from stdpnet.runs.files import read_json, write_text

if TYPE_CHECKING:
    from stdpnet_analysis.view import RunView


@dataclass(frozen=True)
class ResultsFile:
    """The results of one command: a file for each split, snapshot and operating point."""

    command: str
    """The command, as in `stdpnet labels`; the names of the files begin with it."""
    schema: Any
    """Schema of the content (stdpnet.runs.schema)."""
    missing: str
    """Message about a state that has no results."""
    splits: tuple[str, ...] = ("test", "validation")
    """Splits whose results a figure shows: the first of them that has any."""

    def write(self, run: Run, split: str, snapshot: str, result: dict[str, Any], point: str = "") -> None:
        """Write results; `point` is the label of their operating point."""
        write_text(run.results_path(self.command, split, snapshot, point), to_json(result, indent=2).decode() + "\n")

    def read(self, run: Run, split: str, snapshot: str = "last") -> dict[str, Any] | None:
        """Return the results at the training's operating point, or None if there are none.

        Raises
        ------
        RunError
            If the file cannot be read, or holds something else.
        """
        path = run.results_path(self.command, split, snapshot)
        if not os.path.lexists(path):
            return None
        found: dict[str, Any] = read_json(path, self.schema, f"`stdpnet {self.command} {run.path}` makes it anew")
        return found

    def of(self, view: RunView) -> tuple[str, dict[str, Any]]:
        """Return the split and the results of the state in view; RunError if there are none."""
        for split in self.splits:
            results = self.read(view.run, split, view.snapshot)
            if results is not None and results["protocol"]["training_images"] == view.state.images:
                return split, results
        snapshot = "" if view.snapshot == "last" else f" --snapshot {view.snapshot}"
        raise RunError(f"{self.missing}; `stdpnet {self.command} {view.run.path}{snapshot}` makes them")

    def lacks(self, view: RunView) -> str | None:
        """Return why there are no results of the state in view, and the remedy; None if there are."""
        try:
            self.of(view)
        except RunError as error:
            return str(error)
        return None
