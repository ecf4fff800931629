"""Draw the figures of a run; FIGURES lists them all, `available` those that a run has the data for.

from stdpnet_analysis import figures
from stdpnet_analysis.view import RunView
view = RunView(Run.open("demo"))
for name in figures.available(view):
    figures.save(figures.draw(view, name), Path(f"{name}.svg"))
"""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.figure import Figure

from stdpnet.errors import ConfigError, RunError, remedy_for
from stdpnet_analysis.figures import (
    activity,
    competition,
    competition_graph,
    conversion,
    damage,
    labels,
    layers,
    learning,
    neuron,
    receptive_fields,
    reliability,
    robustness,
    style,
    votes,
)
from stdpnet_analysis.figures.registry import RunFigure
from stdpnet_analysis.figures.write import FORMATS, save
from stdpnet_analysis.view import RunView

MODULES = (
    receptive_fields,
    activity,
    neuron,
    votes,
    reliability,
    labels,
    robustness,
    conversion,
    damage,
    competition,
    competition_graph,
    layers,
    learning,
)
FIGURES: dict[str, RunFigure] = {figure.name: figure for module in MODULES for figure in module.FIGURES}
"""Every figure of a run, by name, in the order in which they are listed."""

__all__ = [
    "FIGURES",
    "FORMATS",
    "RunFigure",
    "available",
    "draw",
    "missing",
    "require",
    "save",
    "style",
]


def available(view: RunView) -> list[str]:
    """Return the names of the figures that can be drawn from a run as it is."""
    return [name for name, figure in FIGURES.items() if figure.missing(view) is None]


def missing(view: RunView) -> dict[str, str]:
    """Return why the other figures cannot be drawn, by name: a reason that names the remedy."""
    reasons = {name: figure.missing(view) for name, figure in FIGURES.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def require(view: RunView, names: Iterable[str]) -> list[str]:
    """Return the names, each once, if all these figures can be drawn from a run.

    Raises
    ------
    ConfigError, RunError
        If there is no figure of such a name, or the run lacks what it needs.
    """
    names = list(dict.fromkeys(names))
    for name in names:
        if name not in FIGURES:
            raise ConfigError(f"figures: '{name}' is unknown; {remedy_for(name, FIGURES)}")
        if (reason := FIGURES[name].missing(view)) is not None:
            raise RunError(f"{view.run.path}: no figure '{name}': {reason}")
    return names


def draw(view: RunView, name: str) -> Figure:
    """Return a figure of a run.

    Raises
    ------
    ConfigError, RunError
        If there is no such figure, or the run lacks what it needs.
    """
    require(view, [name])
    with style.context():
        return FIGURES[name].draw(view)
