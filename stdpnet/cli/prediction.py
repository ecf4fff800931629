"""`stdpnet predict`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stdpnet.cli.common import (
    AtOption,
    JsonOption,
    RunArgument,
    SnapshotOption,
    ThreadsOption,
    operating_point,
    print_json,
)
from stdpnet.cli.meters import meter

if TYPE_CHECKING:
    from stdpnet_analysis.prediction import Prediction

SHOWN = 3
"""Most probable classes that a line of text shows."""


def predict(
    run: RunArgument,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES",
            help="PNG or JPEG files, .npy or .npz arrays, IDX files; bright ink on black. Of a run on recordings of an "
            "event camera: .bin, .npy or .npz files.",
        ),
    ],
    readout: Annotated[
        str | None,
        typer.Option("--readout", metavar="NAME", help="Default: the model's own answer, else log_evidence."),
    ] = None,
    invert: Annotated[
        bool | None,
        typer.Option("--invert/--no-invert", help="Whether ink is dark on white; default: as in the run's dataset."),
    ] = None,
    snapshot: SnapshotOption = "last",
    at: AtOption = None,
    threads: ThreadsOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one row per image, for a spreadsheet.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a trained network answers to images of your own, and how sure it is; nothing is learned."""
    from stdpnet.data.loose import read_images
    from stdpnet.data.recordings import read_recordings
    from stdpnet.runs import Run

    opened = Run.open(run)
    dataset = opened.spec.dataset
    read = read_recordings if dataset.is_of_events else read_images
    # `updated` would refuse to invert where the run learned from a published set, but the user's files may be inverted.
    names, pixels = read(images, dataset.model_copy(update={} if invert is None else {"invert": invert}))
    from stdpnet_analysis import prediction

    options: dict[str, Any] = {"readout": readout, "snapshot": snapshot, "at": operating_point(at)}
    with meter(quiet=as_json or as_csv) as progress:
        found = prediction.predict(opened, pixels, threads=threads, progress=progress, **options)
    rows = _rows(names, found)
    if as_json:
        print_json({"run": str(opened.path), "readout": found.readout, "classes": found.classes, "images": rows})
    elif as_csv:
        _print_csv(rows, found.classes)
    else:
        for row in rows:
            print(f"{row['image']}: {_words(row)}")


def _rows(names: Sequence[str], found: Prediction) -> list[dict[str, Any]]:
    """Return name, answer, probabilities by class and spikes of each image."""
    rows = []
    for number, (name, answer) in enumerate(zip(names, found.answers, strict=True)):
        probabilities = None
        if found.probabilities is not None:
            probabilities = dict(zip(found.classes, found.probabilities[number].tolist(), strict=True))
        label = found.classes[answer] if answer >= 0 else None
        rows.append(
            {"image": name, "answer": label, "probabilities": probabilities, "spikes": int(found.spikes[number])}
        )
    return rows


def _words(row: dict[str, Any]) -> str:
    """Return an answer as text: the class, and the most probable ones with their probabilities."""
    if row["answer"] is None:
        return "no answer: no neuron spiked"
    if row["probabilities"] is None:
        return str(row["answer"])
    likely = sorted(row["probabilities"].items(), key=lambda pair: -pair[1])[:SHOWN]
    return f"{row['answer']} ({', '.join(f'{name} {100 * share:.1f} %' for name, share in likely)})"


def _print_csv(rows: Sequence[dict[str, Any]], classes: Sequence[str]) -> None:
    """Print a header and a row per image; the columns p:<class> are empty without probabilities."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["image", "answer", "spikes", *(f"p:{name}" for name in classes)])
    for row in rows:
        shares = row["probabilities"] or {}
        table.writerow([row["image"], row["answer"] or "", row["spikes"], *(shares.get(name, "") for name in classes)])
