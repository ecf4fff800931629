"""`stdpnet data list`, `fetch`, `info` and `check`."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from stdpnet.cli.common import JsonOption, check_new_file, keys_and_values, print_json
from stdpnet.cli.groups import command_group

app = command_group("List, download and describe datasets.")
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="digits, mnist, fashion-mnist, digits-events, n-mnist, folder, npz, amat or events."
    ),
]


@app.command("list")
def list_datasets(as_json: JsonOption = False) -> None:
    """List the datasets and where their files are."""
    from stdpnet.data import available

    listings = available()
    if as_json:
        print_json({"datasets": [listing._asdict() for listing in listings]})
        return
    for listing in listings:
        print(f"{listing.name:15} {listing.description} [{listing.where}]")


@app.command("fetch")
def fetch(name: NameArgument, as_json: JsonOption = False) -> None:
    """Download a dataset into the cache, unless it is there."""
    from stdpnet import data

    folder = str(data.fetch(name))
    if as_json:
        print_json({"name": name, "folder": folder})
    else:
        print(folder)


@app.command("info")
def info(
    name: NameArgument,
    path: Annotated[str, typer.Option("--path", help="The folder or file of a folder, npz, amat or events set.")] = "",
    invert: Annotated[bool, typer.Option("--invert", help="Turn dark ink on white into bright ink on black.")] = False,
    crop: Annotated[int, typer.Option("--crop", help="Side of the centre crop, pixels.")] = 20,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Another key of the dataset, such as distortion.rotation=180."),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", metavar="FILE", help="Draw a contact sheet into a new png.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Describe a dataset, and draw a contact sheet of its training images where --sheet says."""
    from stdpnet.data import contact_sheet, describe, load_dataset
    from stdpnet.data.checks import doubts
    from stdpnet.runs.files import replacing
    from stdpnet.spec.dataset import DatasetSpec

    check_new_file("--sheet", sheet, (".png",))
    spec = DatasetSpec(**{"name": name, "path": path, "crop": crop, "invert": invert})
    keys = keys_and_values(overrides, "--set", "distortion.rotation=180")
    dataset = load_dataset(spec.updated(keys))
    for doubt in doubts(dataset):
        warnings.warn(doubt, stacklevel=1)
    content = {**describe(dataset), "contact_sheet": None if sheet is None else str(sheet)}
    if sheet is not None:
        with replacing(sheet) as draft:
            contact_sheet(dataset.train, dataset.classes, draft)
    if as_json:
        print_json(content)
        return
    del content["per_class"]  # too long for a line
    content["classes"] = ", ".join(content["classes"])
    content["shape"] = " x ".join(map(str, content["shape"]))
    content["images"] = ", ".join(f"{split} {count}" for split, count in content["images"].items())
    content["mean_ink"] = f"{content['mean_ink']:.4f}"
    for key, value in content.items():
        if value is not None:
            print(f"{key.replace('_', ' '):15} {value}")


@app.command("check")
def check(
    place: Annotated[
        str, typer.Argument(metavar="PATH", help="A folder of class folders, an .npz or .amat file, or a set's name.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of the dataset, such as invert=true or crop=28."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a dataset before it is trained on; each doubt names the key that answers it, and the exit code is 1."""
    from stdpnet.data.inspection import examine, spec_of

    spec = spec_of(place).updated(keys_and_values(overrides, "--set", "invert=true"))
    findings = examine(spec)
    in_doubt = any(finding.kind == "doubt" for finding in findings)
    if as_json:
        print_json({"dataset": spec.model_dump(mode="json"), "findings": [each._asdict() for each in findings]})
    else:
        for finding in findings:
            print(f"{finding.kind:6} {finding.message}")
        if not in_doubt:
            print("no doubts")
    if in_doubt:
        raise typer.Exit(1)
