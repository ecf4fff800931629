"""`stdpnet robustness`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stdpnet.cli.common import (
    FIGURE_ENDINGS,
    AtOption,
    JsonOption,
    ReadoutsOption,
    RunsArgument,
    ScoredSplit,
    SnapshotOption,
    ThreadsOption,
    check_new_file,
    open_runs,
    operating_point,
    print_json,
    print_table,
    readout_names,
)
from stdpnet.cli.meters import meter
from stdpnet.errors import ConfigError, RunError

if TYPE_CHECKING:
    from stdpnet_analysis.robustness_curves import Curve


def robustness(
    runs: RunsArgument,
    split: Annotated[ScoredSplit, typer.Option("--split", help="The images that are distorted and scored.")] = "test",
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="NAME=V,V,...",
            help="What varies: rotation, background, both of them, noise, occlusion, or a key of --at such as "
            "spiking.dt; repeatable. Default: all distortions at their usual strengths.",
        ),
    ] = None,
    readouts: ReadoutsOption = None,
    baselines: Annotated[
        bool, typer.Option("--baselines/--no-baselines", help="Also score a linear read-out of the pixels.")
    ] = True,
    snapshot: SnapshotOption = "last",
    at: AtOption = None,
    figure: Annotated[
        Path | None,
        typer.Option("--figure", metavar="FILE", help="Draw accuracy against strength into a new png, pdf or svg."),
    ] = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score runs on distorted images: trained and calibrated as they are, rotated, noisy or hidden ones to answer."""
    from stdpnet.runs import Run
    from stdpnet_analysis.robustness import robustness as robustness_of
    from stdpnet_analysis.robustness_curves import curves

    check_new_file("--figure", figure, FIGURE_ENDINGS)
    series = _series(vary) if vary else None
    opened = open_runs(runs)
    chosen = [run for run in opened if isinstance(run, Run)]
    for each in (run for run in opened if not isinstance(run, Run)):
        warnings.warn(f"left out: {each.run}: {each.reason}", stacklevel=1)
    if not chosen:
        raise RunError("no run can be read; `stdpnet runs` lists them")
    with meter() as progress:
        options: dict[str, Any] = {"series": series, "readouts": readout_names(readouts), "baselines": baselines}
        options |= {"snapshot": snapshot, "at": operating_point(at), "threads": threads, "progress": progress}
        results = [robustness_of(run, split, **options) for run in chosen]
    found = curves(chosen, results)
    if as_json:
        print_json({"runs": [{"run": str(run.path), **each} for run, each in zip(chosen, results, strict=True)]})
    else:
        for name, lines in found.items():
            _print_series(name, lines, results[0]["protocol"])
    if figure is not None:
        from stdpnet_analysis.figures import save, style
        from stdpnet_analysis.figures.robustness import robustness_figure

        with style.context():
            save(robustness_figure(found), figure)
        print(figure, file=sys.stderr if as_json else sys.stdout)


def _series(texts: list[str]) -> dict[str, list[Any]]:
    """Return the series of the values of --vary; one without strengths has its usual ones."""
    from stdpnet.reading import parse_toml
    from stdpnet_analysis.robustness import SERIES

    found: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals and name in SERIES:
            found[name] = list(SERIES[name])
            continue
        if not name or not equals:
            raise ConfigError(f"--vary {text}: must look like rotation=30,90, or be one of {', '.join(SERIES)}")
        found[name] = []
        for value in filter(None, map(str.strip, values.split(","))):
            try:
                found[name].append(parse_toml(f"value = {value}")["value"])
            except ValueError:
                found[name].append(value)
    return found


def _print_series(name: str, lines: list[Curve], protocol: dict[str, Any]) -> None:
    """Print a table: a row for each group of runs and read-out, a column for each strength."""
    from rich.table import Table

    from stdpnet_analysis.readouts import title_of
    from stdpnet_analysis.robustness import UNITS

    several = any(point.seeds > 1 for line in lines for point in line.points)
    table = Table(
        title=f"accuracy on {protocol['images']} {protocol['split']} images of {protocol['dataset']}, %, by {name}"
        + (f" ({UNITS[name]})" if name in UNITS else ""),
        caption="in brackets: 95 % interval (Wilson)" + "; ±: standard deviation over seeds" * several,
    )
    strengths = list(dict.fromkeys(point.strength for line in lines for point in line.points))
    for heading in ("network", "read-out", *map(str, strengths)):
        table.add_column(heading, justify="left" if heading in ("network", "read-out") else "right")
    for line in lines:
        cells = {point.strength: point for point in line.points}
        table.add_row(line.group, title_of(line.column), *(_cell(cells.get(strength)) for strength in strengths))
    print_table(table, 200)


def _cell(point: Any) -> str:
    if point is None:
        return "–"
    if point.sd is not None:
        return f"{100 * point.mean:.1f} ± {100 * point.sd:.1f}"
    low, high = point.interval
    return f"{100 * point.mean:.1f} ({100 * low:.1f}–{100 * high:.1f})"
