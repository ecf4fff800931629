"""Definition of a figure of a run: its name and description, the data it needs, the function that draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from stdpnet_analysis.view import Need, RunView


@dataclass(frozen=True)
class RunFigure:
    """A figure that can be drawn from one run."""

    name: str
    """Its name on the command line and of its file."""
    description: str
    """What it shows, one sentence without a full stop."""
    needs: tuple[Need, ...]
    """What the run must have; see `RunView.lacks`."""
    draw: Callable[[RunView], Figure]
    """Draws it; call it through `stdpnet_analysis.figures.draw`, which sets the style."""
    lacks: Callable[[RunView], str | None] = lambda _: None
    """Returns why a run that has all `needs` still has no such figure; None if it has one."""
    models: tuple[str, ...] = ()
    """The models whose runs may have this figure; (): all models."""

    def is_for(self, model: str) -> bool:
        """Return whether runs of a model may have this figure."""
        return not self.models or model in self.models

    def missing(self, view: RunView) -> str | None:
        """Return why the figure cannot be drawn from this run, and the remedy; None if it can."""
        if not self.is_for(view.experiment.model):
            return f"this needs model = {' or '.join(map(repr, self.models))}, and it is '{view.experiment.model}'"
        reasons = (view.lacks(need) for need in self.needs)
        return next((reason for reason in reasons if reason is not None), None) or self.lacks(view)
