"""`stdpnet figures`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stdpnet.cli.common import JsonOption, RunArgument, ThreadsOption, meter, print_json

if TYPE_CHECKING:
    from stdpnet_analysis.view import RunView


def figures(
    run: RunArgument,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Which figures; default all that are available.")
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
    images: Annotated[
        int, typer.Option("--images", min=10, help="Images shown to changed networks (synapses-deleted, clamping).")
    ] = 300,
    snapshot: Annotated[str, typer.Option("--snapshot", help="last, or best: the best by validation.")] = "last",
    beside: Annotated[
        list[str] | None,
        typer.Option("--beside", metavar="RUN", help="Another run, for figures that compare runs; may be repeated."),
    ] = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw figures of a run into its folder figures/; the run may still be training."""
    from stdpnet.runs import Run

    opened = Run.open(run)
    from stdpnet_analysis import figures as drawing
    from stdpnet_analysis.figures.write import folder, parse_formats
    from stdpnet_analysis.view import RunView, Settings

    others = [Run.open(other) for other in beside or []]
    view = RunView(opened, Settings(image, neuron, images, threads), snapshot, others)
    if show_list:
        _list(view, as_json)
        return
    formats = parse_formats(form)
    view.check_settings()
    chosen = drawing.require(view, names) if names else drawing.available(view)
    written = []
    with meter("figures", len(chosen)) as progress:
        for name in chosen:
            figure = drawing.draw(view, name)
            for ending in formats:
                written.append(folder(opened) / f"{name}.{ending}")
                drawing.save(figure, written[-1], dpi)
            progress.advance(1, name)
    if as_json:
        print_json({"run": str(opened.path), "files": [str(path) for path in written]})
        return
    print("\n".join(map(str, written)))
    if not names and (left_out := drawing.missing(view)):
        print(f"left out: {', '.join(left_out)}; `stdpnet figures {opened.path} --list` says why")


def _list(view: RunView, as_json: bool) -> None:
    """Print the names of the figures, and the reason for each that cannot be drawn."""
    from stdpnet_analysis.figures import FIGURES, missing

    reasons = missing(view)
    if as_json:
        rows = [
            {"name": name, "description": figure.description, "available": name not in reasons}
            | {"reason": reasons.get(name)}
            for name, figure in FIGURES.items()
        ]
        print_json({"run": str(view.run.path), "figures": rows})
        return
    width = max(map(len, FIGURES))
    for name, figure in FIGURES.items():
        print(f"{name:{width}}  {figure.description}")
        if name in reasons:
            print(f"{'':{width}}  not available: {reasons[name]}")
