"""`stdpnet figures`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stdpnet.cli.common import (
    JsonOption,
    RunArgument,
    ShownOption,
    SnapshotOption,
    ThreadsOption,
    every_run,
    print_json_of_runs,
)
from stdpnet.cli.meters import meter

if TYPE_CHECKING:
    from stdpnet.runs import Run
    from stdpnet_analysis.view import RunView


def figures(
    run: RunArgument,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Which figures; default all that are available.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="png, pdf, svg, or several with commas.")] = "png",
    dpi: Annotated[int, typer.Option("--dpi", min=50, max=1200, help="Resolution of images.")] = 200,
    show_list: Annotated[bool, typer.Option("--list", help="List the figures and what is available.")] = False,
    image: Annotated[
        int | None,
        typer.Option(
            "--image", min=0, help="Number of an image of the scored split; default: the first answered correctly."
        ),
    ] = None,
    neuron: Annotated[
        int | None,
        typer.Option("--neuron", min=0, help="Neuron to show; default the one with most spikes on the image."),
    ] = None,
    images: ShownOption = 300,
    snapshot: SnapshotOption = "last",
    beside: Annotated[
        list[str] | None,
        typer.Option(
            "--beside",
            metavar="RUN",
            help="Another run or a quoted pattern, for figures that compare runs; may be repeated.",
        ),
    ] = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw figures of a run into its folder figures/; the run may still be training."""
    opened, others = every_run([run]), every_run(beside or [])
    from stdpnet_analysis.figures.write import parse_formats
    from stdpnet_analysis.view import RunView, Settings

    settings = Settings(image=image, neuron=neuron, images=images, threads=threads)
    views = [RunView(each, settings, snapshot, _without(others, each)) for each in opened]
    formats = parse_formats(form)
    if not show_list:
        for view in views:
            view.check_settings()
    results = [_list(view, as_json) if show_list else _draw(view, names, formats, dpi, as_json) for view in views]
    if as_json:
        print_json_of_runs(results)


def _without(runs: list[Run], one: Run) -> list[Run]:
    """Return runs without one that a pattern may have matched as well."""
    return [run for run in runs if os.path.realpath(run.path) != os.path.realpath(one.path)]


def _draw(view: RunView, names: list[str] | None, formats: Sequence[str], dpi: int, quiet: bool) -> dict[str, Any]:
    """Draw figures of a run, and print and return their files."""
    from stdpnet_analysis import figures as drawing
    from stdpnet_analysis.figures.write import folder

    chosen = drawing.require(view, names) if names else drawing.available(view)
    written = []
    with meter("figures", len(chosen)) as progress:
        for name in chosen:
            figure = drawing.draw(view, name)
            for ending in formats:
                written.append(folder(view.run) / f"{name}.{ending}")
                drawing.save(figure, written[-1], dpi)
            progress.advance(1, name)
    if not quiet:
        print("\n".join(map(str, written)))
        if not names and (left_out := drawing.missing(view)):
            print(f"left out: {', '.join(left_out)}; `stdpnet figures {view.run.path} --list` says why")
    return {"run": str(view.run.path), "files": [str(path) for path in written]}


def _list(view: RunView, quiet: bool) -> dict[str, Any]:
    """Print and return the names of the figures, and the reason for each that cannot be drawn."""
    from stdpnet_analysis.figures import FIGURES, missing

    reasons = missing(view)
    rows = [
        {"name": name, "description": figure.description, "available": name not in reasons}
        | {"reason": reasons.get(name)}
        for name, figure in FIGURES.items()
    ]
    if quiet:
        return {"run": str(view.run.path), "figures": rows}
    width = max(map(len, FIGURES))
    for name, figure in FIGURES.items():
        print(f"{name:{width}}  {figure.description}")
        if name in reasons:
            print(f"{'':{width}}  not available: {reasons[name]}")
    return {}
