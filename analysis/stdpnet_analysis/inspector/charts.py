"""The charts of the inspector, drawn by Bokeh from plain data and handed to the page as JSON.

Drawing a chart takes about 0.1 s. The page therefore keeps the charts of a training and gets only new columns for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from bokeh.embed import json_item
from bokeh.models import DataRange1d, NumeralTickFormatter
from bokeh.plotting import figure
from bokeh.themes import built_in_themes

from stdpnet_analysis.readouts import title_of

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999", "#b5a90c")
"""Okabe & Ito's colours, which colour-blind readers can tell apart; black and yellow are replaced by colours that are
visible on dark and on light pages. Figures, which are on white, have another palette (figures.style.OKABE_ITO)."""
CHART = 230
"""Height of a chart without its legend, pixels."""
TILTED = 80
"""Pixels that long names below an axis, which are tilted, add to the height of a chart."""
SHORT = 10
"""Three names of at most so many characters fit beside each other."""
FLAT = 0.2
"""Span of the vertical axis where all values are equal, as fractions often are."""
FLAT_PERCENT = 20
"""The same span for accuracies in percent."""
DASHES = ("solid", "dashed", "dotted", "dotdash")
TITLES = {
    "spikes_per_image": "spikes per image",
    "silent_images": "silent images, fraction",
    "dead_neurons": "neurons without spike, fraction",
    "weight_change": "mean change of a weight, mV",
    "largest_share": "largest share of spikes, fraction",
}
UNITS = {"weights": "weight, mV", "theta": "theta, mV", "competition": "competition weight, mV"}
POINTS = 50
"""A curve has dots if it has at most so many values."""
Curves = Mapping[str, tuple[Sequence[Any], Sequence[Any]]]
"""Name -> (x, y); None breaks a line."""


class Chart(NamedTuple):
    """A chart whose numbers may change while a run is watched."""

    columns: dict[str, dict[str, list[Any]]]
    """Name of a line or of bars in the chart -> the columns of its data source."""
    draw: Callable[[], Any]
    """Returns the drawn chart."""


def as_json(chart: Any, dark: bool) -> Any:
    """Return a chart as JSON that Bokeh's script embeds."""
    return json_item(chart, theme=built_in_themes["dark_minimal"] if dark else None)


def empty(title: str, x: str, y: str, **options: Any) -> Any:
    """Return a chart without content that takes the whole width of its place."""
    chart = figure(
        title=title,
        x_axis_label=x,
        y_axis_label=y,
        y_range=DataRange1d(default_span=FLAT),
        height=CHART,
        sizing_mode="stretch_width",
        tools="pan,box_zoom,reset,save",
        active_drag=None,  # a finger that scrolls the page must not move the chart
        toolbar_location="above",
        **options,
    )
    chart.toolbar.autohide = True
    chart.toolbar.logo = None
    chart.axis.axis_label_text_font_size = "13px"  # the letters of some themes are too large
    axis: Any = chart.yaxis
    axis.formatter.use_scientific = False  # Bokeh writes 0.0001 as a longer power of ten
    axis.ticker.desired_num_ticks = 4  # more of them run into each other where a legend takes some of the height
    axis = chart.xaxis
    if not isinstance(options.get("x_range"), list):
        axis.ticker.desired_num_ticks = 4
    elif any(len(name) > SHORT for name in options["x_range"]):
        axis.major_label_orientation = 0.5  # level names would run into each other
        chart.height = CHART + TILTED
    return chart


def _dots(name: str) -> str:
    return f"{name}, dots"


def columns(curves: Curves) -> dict[str, dict[str, list[Any]]]:
    """Return the columns of the lines and dots that `lines` draws."""
    found = {}
    for name, (xs, ys) in curves.items():
        found[name] = {"x": list(xs), "y": list(ys)}
        if len(xs) <= POINTS:
            found[_dots(name)] = found[name]
    return found


def lines(title: str, x: str, y: str, curves: Curves, lowest: float | None = None) -> Any:
    """Return a chart of curves whose horizontal axis begins at 0, and the vertical one at `lowest` if it is given."""
    chart = empty(title, x, y, x_range=DataRange1d(start=0))
    if y.endswith("%"):
        chart.y_range.default_span = FLAT_PERCENT
    if lowest is not None:
        chart.y_range.start = lowest
    for number, (name, (xs, ys)) in enumerate(curves.items()):
        look = {"color": COLOURS[number % len(COLOURS)]}
        if len(curves) > 1:
            look["legend_label"] = name
        values = [np.nan if value is None else value for value in ys]
        dash = DASHES[number // len(COLOURS) % len(DASHES)]
        chart.line(list(xs), values, line_width=2, line_dash=dash, name=name, **look)
        if len(values) <= POINTS:
            chart.scatter(list(xs), values, size=5, name=_dots(name), **look)
    if len(curves) > 1:
        _legend(chart)
    return chart


def _percent(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else 100 * value for value in values]


def _curves(title: str, y: str, curves: Curves, lowest: float | None = None) -> Chart:
    return Chart(columns(curves), partial(lines, title, "training images", y, curves, lowest))


def progress(content: Mapping[str, Any]) -> list[Chart]:
    """Return the charts of a training: learning curve, theta, and every number of its rows."""
    charts, curve = [], content["curve"]
    if curve["images"]:
        curves = {title_of(name): (curve["images"], _percent(values)) for name, values in curve["accuracy"].items()}
        charts.append(_curves("Learning curve", "validation accuracy, %", curves))
    for key, values in content["numbers"].items():
        title = TITLES.get(key, key.replace("_", " "))
        # no number of a row is ever negative
        charts.append(_curves(title, "", {title: (content["images"], values)}, 0))
    if content["theta"]:
        names = {"p5": "5 %", "p50": "median", "p95": "95 %"}
        curves = {names[key]: (content["images"], values) for key, values in content["theta"].items()}
        charts.append(_curves("adaptive threshold theta, mV", "", curves))
    return charts


def histograms(content: Mapping[str, Any]) -> list[Chart]:
    """Return a histogram of each array of a state."""
    charts = []
    for name, found in content["histograms"].items():
        edges = found["edges"]
        steps = {"top": found["numbers"], "left": edges[:-1], "right": edges[1:]}
        charts.append(Chart({name: steps}, partial(_histogram, name, steps)))
    return charts


def _histogram(name: str, steps: Mapping[str, Any]) -> Any:
    chart = empty(name, UNITS.get(name, "value"), "values")
    chart.quad(bottom=0, color=COLOURS[0], name=name, **steps)
    return chart


def bars(title: str, names: Sequence[str], values: Sequence[float], y: str) -> Any:
    """Return bars, one for each name."""
    chart = empty(title, "class", y, x_range=list(names))
    chart.vbar(x=list(names), top=list(values), width=0.8, color=COLOURS[0])
    chart.y_range.start = 0
    return chart


def comparison(content: Mapping[str, Any]) -> list[Any]:
    """Return the charts of a comparison: learning curves, accuracy against synapses, and seeds in pairs."""
    known = {name: curve for name, curve in content["curves"].items() if curve["images"]}
    curves = {name: (curve["images"], _percent(curve["accuracy"])) for name, curve in known.items()}
    charts = [lines("Learning curves", "training images", "validation accuracy, %", curves)] if curves else []
    groups = content["groups"]
    colours = {group["name"]: COLOURS[number % len(COLOURS)] for number, group in enumerate(groups)}
    for column in content["columns"]:
        found = [group for group in groups if (group.get(column) or {}).get("mean") is not None]
        if found:
            chart = empty(f"{title_of(column)} against synapses", "synapses", "accuracy, %", x_axis_type="log")
            chart.y_range.default_span = FLAT_PERCENT
            chart.xaxis.formatter = NumeralTickFormatter(format="0a")  # 65k, because there is little room
            for group in found:
                look = {"color": colours[group["name"]], "legend_label": group["name"]}
                chart.scatter([max(group["synapses"], 1)], [100 * group[column]["mean"]], size=11, **look)
            _legend(chart)
            charts.append(chart)
        seeds = {name: dict(accuracies) for name, accuracies in content["seeds"][column].items()}
        both = sorted(set.intersection(*(set(accuracies) for accuracies in seeds.values()))) if len(seeds) > 1 else []
        if both:
            chart = empty(f"{title_of(column)} of each seed", "network", "accuracy, %", x_range=list(seeds))
            chart.y_range.default_span = FLAT_PERCENT
            for number, seed in enumerate(both):
                look = {"color": COLOURS[number % len(COLOURS)], "legend_label": f"seed {seed}"}
                values = [100 * accuracies[seed] for accuracies in seeds.values()]
                chart.line(list(seeds), values, line_width=2, **look)
                chart.scatter(list(seeds), values, size=7, **look)
            _legend(chart)
            charts.append(chart)
    return charts


def activity(content: Mapping[str, Any], classes: Sequence[str]) -> list[Any]:
    """Return the charts of one image: input spikes, potentials of winner and loser, sums of the evidence."""
    dt, time = content["dt"], np.arange(content["steps"]) * content["dt"]
    raster = empty("Input spikes", "time, ms", "pixel")
    steps = np.array(content["input"]["steps"], float)
    raster.scatter(steps * dt, content["input"]["pixels"], size=2, color=COLOURS[0])
    charts = [raster]
    for name in ("winner", "loser"):
        found = content[name]
        title = f"{name.capitalize()}: neuron {found['neuron']}, {found['spikes']} spikes"
        chart = empty(title, "time, ms", "potential, mV")
        chart.line(time, found["v"], color=COLOURS[0], legend_label="potential")
        chart.line(time, found["threshold"], color=COLOURS[1], line_dash="dashed", legend_label="threshold")
        at = np.array(found["fired"], int)
        if at.size:
            chart.scatter(time[at], np.array(found["threshold"])[at], size=7, color=COLOURS[5], legend_label="spike")
        _legend(chart)
        charts.append(chart)
    if content["evidence"] is not None:
        total = np.vstack([np.zeros(len(classes)), np.cumsum(content["evidence"], axis=0)])
        ahead = total - total.max(axis=1, keepdims=True)  # the leading class is at 0 throughout
        places = list(range(len(total)))
        curves = {name: (places, ahead[:, number].tolist()) for number, name in enumerate(classes)}
        charts.append(lines("Evidence", "positions added", "log likelihood less the best", curves))
    return charts


def _legend(chart: Any) -> None:
    chart.add_layout(chart.legend[0], "below")
    chart.legend.orientation = "horizontal"
    items = chart.legend[0].items
    columns = 3 if all(len(item.label.value) <= SHORT for item in items) else 1
    chart.legend.ncols = columns
    chart.height += 26 * -(-len(items) // columns)  # the legend must not take room from the curves
    chart.legend.click_policy = "hide"
