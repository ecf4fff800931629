"""Parallel coordinates: every complete trial a line through its parameters, coloured by accuracy (thesis, Fig. 12)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from stdpnet.errors import ConfigError, RunError
from stdpnet.model import facts_of
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.write import FORMATS, save
from stdpnet_analysis.sweeps.directory import StudyDirectory
from stdpnet_analysis.sweeps.spec import DimensionSpec
from stdpnet_analysis.sweeps.summary import ranked
from stdpnet_analysis.text import literal, with_minus
from stdpnet_analysis.view import TITLES

MAP = "viridis_r"
"""Colour map of the accuracies; the best are dark."""
TICKS = 5
"""Ticks of a linear axis, about."""
UNITS = {
    "tau_.*|dt|duration": "ms",
    "v_.*|w_.*|c_w|theta_plus|A_plus|A_minus|eta|drift|mean_weight": "mV",
    "max_rate|target_rate|retry_rate": "Hz",
}
"""Pattern of a key's last part -> its unit."""
WIDTH, HEIGHT = 24.0, 70.0
"""Width of an axis and height of the figure, mm."""


class _Column(NamedTuple):
    """One vertical axis."""

    label: str
    heights: NDArray[np.float64]
    """(N,) where each trial crosses the axis, 0 to 1; not a number where it has no value."""
    ticks: list[tuple[float, str]]
    """Height and label."""


def parallel_coordinates(directory: StudyDirectory, path: Path, keys: Sequence[str] | None = None) -> Path:
    """Draw the complete trials of a study, the best ones in front and the best one bold; return the file.

    Parameters
    ----------
    directory : the study
    path : the figure's file; its ending decides the format
    keys : which parameters, from left to right; default all, as in the study file

    Raises
    ------
    ConfigError
        If the ending is no format.
    RunError
        If no trial is complete, or the file cannot be written.
    """
    if path.suffix[1:] not in FORMATS:
        raise ConfigError(f"--figure {path}: must end in {', '.join('.' + form for form in FORMATS)}")
    trials = ranked(directory.study(create=False))[::-1]
    if not trials:
        raise RunError(f"{directory.path}: no trial is complete yet; there is nothing to draw")
    accuracy = np.array([100 * (trial.value or 0.0) for trial in trials])
    names = list(keys) if keys is not None else list(directory.spec.space)
    columns = [_column(name, directory.spec.space[name], trials) for name in names]
    columns.append(_linear(f"validation\naccuracy, %\n({directory.spec.objective.readout})", accuracy, None))
    with style.context():
        figure = style.new_figure(max(style.SINGLE, WIDTH * (len(columns) + 1)), HEIGHT)
        axes = figure.subplots()
        _draw(axes, columns, accuracy)
        axes.set_title(_title(directory, len(trials), accuracy[-1]), pad=10)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path.parent}: cannot be made ({error.strerror}); choose another --figure") from None
    save(figure, path)
    return path


def _title(directory: StudyDirectory, trials: int, best: float) -> str:
    """Return what was searched, how, and how well the best trial did, which is drawn bold."""
    spec, base = directory.spec, directory.base
    network = f"{facts_of(base).label}, {TITLES.get(base.dataset.name, base.dataset.name)}"
    seeds = f"{spec.repeats} seed{'s' if spec.repeats > 1 else ''} each"
    trained = f"{base.training.images} training images" if "training.images" not in spec.space else "training"
    return literal(
        f"{network}: {trials} trials of {trained}, {seeds}, sampler: {spec.sampler.kind}; best (bold): {best:.1f} %"
    )


def unit(key: str) -> str:
    """Return the unit of a key of the experiment, such as mV; empty where it has none."""
    name = key.rpartition(".")[2]
    return next((unit for pattern, unit in UNITS.items() if re.fullmatch(pattern, name)), "")


def _draw(axes: Axes, columns: list[_Column], accuracy: NDArray[np.float64]) -> None:
    norm = mpl.colors.Normalize(accuracy.min(), max(accuracy.max(), accuracy.min() + 1e-9))
    heights, places = np.array([column.heights for column in columns]), np.arange(len(columns))
    for trial in range(len(accuracy)):
        best = trial == len(accuracy) - 1
        style_of_line: dict[str, Any] = {"linewidth": 2.0 if best else 0.8, "alpha": 1.0 if best else 0.75}
        known = np.flatnonzero(np.isfinite(heights[:, trial]))
        for ends in pairwise(known.tolist()):  # dotted across axes of keys that the trial did not vary
            axes.plot(
                places[list(ends)],
                heights[list(ends), trial],
                color=mpl.colormaps[MAP](norm(accuracy[trial])),
                linestyle="-" if ends[1] - ends[0] == 1 else ":",
                solid_capstyle="round",
                **style_of_line,
            )
    for place, column in zip(places, columns, strict=True):
        axes.axvline(float(place), color="0.25", linewidth=0.8, zorder=3)
        for height, text in column.ticks:
            axes.plot([place - 0.03, place], [height, height], color="0.25", linewidth=0.8, zorder=3)
            box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
            axes.text(place - 0.05, height, text, ha="right", va="center", fontsize=6.5, zorder=4, bbox=box)
    axes.set_xticks(places, [column.label for column in columns])
    axes.tick_params(axis="x", length=0, pad=6)
    axes.set_yticks([])
    axes.set_xlim(-0.55, len(columns) - 0.9)
    axes.set_ylim(-0.04, 1.04)
    axes.spines[:].set_visible(False)
    colours = mpl.cm.ScalarMappable(norm, MAP)
    axes.figure.colorbar(colours, ax=axes, pad=0.02, aspect=30, label="validation accuracy, %")


def _column(name: str, dimension: DimensionSpec, trials: list[FrozenTrial]) -> _Column:
    """Return the axis of a parameter."""
    label = literal(name).replace(".", "\n", 1) + (f", {unit(name)}" if unit(name) else "")
    values = [trial.params.get(name) for trial in trials]
    if dimension.choices:
        places = np.linspace(0, 1, len(dimension.choices)) if len(dimension.choices) > 1 else np.array([0.5])
        heights = [np.nan if value is None else places[dimension.choices.index(value)] for value in values]
        words = [
            str(choice).lower() if isinstance(choice, bool) else literal(str(choice)) for choice in dimension.choices
        ]
        return _Column(label, np.array(heights), list(zip(places.tolist(), words, strict=True)))
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    ends = float(dimension.low or 0), float(dimension.high or 0)
    return _logarithmic(label, numbers, ends) if dimension.log else _linear(label, numbers, ends)


def _linear(label: str, values: NDArray[np.float64], ends: tuple[float, float] | None) -> _Column:
    """Return an axis with evenly spaced values."""
    low, high = ends or (float(np.nanmin(values)), float(np.nanmax(values)))
    high = high if high > low else low + 1
    ticks = mpl.ticker.MaxNLocator(TICKS).tick_values(low, high)
    inside = [tick for tick in ticks if low - 1e-9 <= tick <= high + 1e-9]
    marks = [((tick - low) / (high - low), with_minus(f"{tick:g}")) for tick in inside]
    return _Column(label, (values - low) / (high - low), marks)


def _logarithmic(label: str, values: NDArray[np.float64], ends: tuple[float, float]) -> _Column:
    """Return an axis with logarithmically spaced values; ticks at 1, 2 and 5 times powers of ten, or fewer."""
    low, high = np.log10(ends[0]), np.log10(ends[1])
    decades = np.arange(np.floor(low), np.ceil(high) + 1)
    for factors in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
        ticks = [f * 10.0**d for d in decades for f in factors if ends[0] * 0.999 <= f * 10.0**d <= ends[1] * 1.001]
        if len(ticks) >= 3:
            break
    marks = [((float(np.log10(tick)) - low) / (high - low), f"{tick:g}") for tick in ticks]
    return _Column(label, (np.log10(values) - low) / (high - low), marks)


def default_figure(directory: StudyDirectory) -> Path:
    """Return where the figure of a study goes unless another place is named."""
    return directory.path / "figures" / "parallel-coordinates.pdf"
