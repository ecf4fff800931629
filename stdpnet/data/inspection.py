"""Examine a dataset before a training: report likely mistakes, and how its images become the input."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from stdpnet.data.checks import doubts
from stdpnet.data.classes import in_order
from stdpnet.data.dataset import SPLITS, Dataset
from stdpnet.data.folder import SUFFIXES
from stdpnet.data.recordings import SUFFIXES as RECORDED
from stdpnet.data.registry import load_dataset
from stdpnet.errors import DataError
from stdpnet.spec.dataset import PUBLISHED, WITH_PATH, DatasetSpec

FEW = 10
"""A class with fewer training images than this is reported: there is too little to learn it from."""
FEW_LABELS = 5
"""A class with fewer calibration images than this is reported: its votes are mostly noise."""
CUT = 0.05
"""Share of the ink outside the crop above which it is reported."""
MODES = {
    "L": "grey",
    "1": "black and white",
    "RGB": "colour, becomes its luminance",
    "RGBA": "colour with transparency, which becomes black",
    "P": "palette, becomes its luminance",
}
"""Names of Pillow's modes of images, and how colour is converted."""


class Finding(NamedTuple):
    """Something about a dataset."""

    kind: Literal["doubt", "note"]
    """doubt: probably a mistake, with a remedy; note: how the images are read."""
    message: str


def spec_of(place: str, **keys: object) -> DatasetSpec:
    """Return the description of the dataset of a name, or of a folder or file.

    Parameters
    ----------
    place : name of a published set; or the path of a folder of class folders, of images or recordings, of an .npz or an
        .amat file
    keys : other keys of the dataset

    Raises
    ------
    DataError
        If the place is neither a name nor a dataset.
    """
    if place in PUBLISHED and not os.path.isdir(place):
        return DatasetSpec(**{"name": place, **keys})
    path = Path(os.path.expanduser(place))
    if not os.path.lexists(path):
        raise DataError(
            f"{place}: neither a dataset nor a file or folder; give a path, or one of {', '.join(PUBLISHED)}"
        )
    is_folder = os.path.isdir(path)
    if path.suffix == ".amat" or (is_folder and any(path.glob("*.amat"))):
        name = "amat"
    elif _is_of_events(path):
        name = "events"
    elif is_folder:
        name = "folder"
    elif path.suffix == ".npz":
        name = "npz"
    else:
        raise DataError(f"{place}: is no dataset; give a folder with a sub-folder per class, an .npz or an .amat file")
    return DatasetSpec(**{"name": name, "path": place, **keys})


def _is_of_events(path: Path) -> bool:
    """Return whether a folder has recordings of an event camera in its class folders, or an .npz file has events."""
    if path.suffix == ".npz" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as content:
            return "events.npy" in content.namelist()
    return any(any(path.glob(f"{below}/*{suffix}")) for below in ("*", "*/*") for suffix in RECORDED)


def examine(spec: DatasetSpec) -> list[Finding]:
    """Return findings about a dataset: first likely mistakes, then how its images are read.

    Raises
    ------
    DataError
        If it cannot be read or split.
    """
    dataset, whole = load_dataset(spec), load_dataset(spec.updated({"crop": spec.whole_side}))
    found = [*doubts(dataset), *_copies(dataset), *_few(dataset), *_cut(spec, whole), *_order(spec, dataset)]
    notes = [*_read(spec), *_files(spec), _classes(spec, dataset)]
    return [Finding("doubt", message) for message in found] + [Finding("note", message) for message in notes]


def _copies(dataset: Dataset) -> Iterator[str]:
    """Yield a sentence for each split that has an image more than once."""
    for name in SPLITS:
        images = dataset.split(name).images
        copies = len(images) - len({image.tobytes() for image in images})
        if copies:
            yield (
                f"dataset.{name}: {copies} of {len(images)} images {'are copies' if copies > 1 else 'is a copy'} of "
                "others in it; remove what is there twice, or it counts several times"
            )


def _few(dataset: Dataset) -> Iterator[str]:
    """Yield a sentence for each class that has few images to learn from, or few labels."""
    for split, least, remedy in (
        (dataset.train, FEW, "add some, or make dataset.calibration and dataset.test smaller"),
        (dataset.calibration, FEW_LABELS, "raise dataset.calibration"),
    ):
        counts = np.bincount(split.labels, minlength=len(dataset.classes))
        few = [f"{name} ({count})" for name, count in zip(dataset.classes, counts, strict=True) if count < least]
        if few:
            what = "training" if split is dataset.train else "calibration"
            yield f"dataset: few {what} images of {', '.join(few)}, fewer than {least} each; {remedy}"


def _cut(spec: DatasetSpec, whole: Dataset) -> Iterator[str]:
    """Yield a sentence if the crop cuts off ink."""
    ink = whole.train.images.sum(axis=0, dtype=np.int64)
    first = (len(ink) - spec.crop) // 2
    inside = int(ink[first : first + spec.crop, first : first + spec.crop].sum())
    share = 1 - inside / max(int(ink.sum()), 1)
    if share > CUT:
        yield (
            f"dataset.crop: {spec.crop} of {len(ink)} pixels cut off {share:.0%} of all ink; raise it to as much as "
            f"{len(ink)}"
        )


def _order(spec: DatasetSpec, dataset: Dataset) -> Iterator[str]:
    """Yield a sentence if the classes are sorted as text although their names have numbers."""
    natural = in_order(dataset.classes, "natural")
    if spec.class_order == "text" and natural != sorted(natural):
        yield "dataset.class_order: text puts class 10 before 2; natural sorts by the numbers in the names"


def _read(spec: DatasetSpec) -> Iterator[str]:
    """Yield how an image becomes the input of the network."""
    side = spec.whole_side
    if spec.is_of_events:
        yield (
            f"recordings of {spec.plane[0]} x {spec.plane[1]} pixels (width and height); each event is an input spike "
            "where encoder.kind = events, and other kinds see pictures of how many events each pixel has"
        )
    elif spec.path:
        yield (
            f"images are padded with black to a centred square and resized to {side} x {side} pixels (dataset.resize); "
            f"{'dark ink is turned into bright ink' if spec.invert else 'bright pixels are ink'} (dataset.invert = "
            f"{str(spec.invert).lower()})"
        )
    if spec.crop < side:
        yield f"the central {spec.crop} x {spec.crop} pixels are the input (dataset.crop)"


def _files(spec: DatasetSpec) -> Iterator[str]:
    """Yield the modes and sizes of the images of a folder, and how colour and depth are converted."""
    if spec.name != "folder":
        return
    from PIL import Image

    modes: Counter[str] = Counter()
    sizes = set()
    for file in sorted(Path(spec.path).glob("*/*")):
        if file.suffix.lower() in SUFFIXES and not file.name.startswith("."):
            with Image.open(file) as image:
                modes[image.mode] += 1
                sizes.add(image.size)
    kinds = (
        f"{count} {MODES.get(mode, '16 bits, 65535 is white' if mode.startswith('I') else mode)}"
        for mode, count in modes.most_common()
    )
    widths, heights = zip(*sizes, strict=True)
    extent = f"{max(widths)} x {max(heights)}"
    if len(sizes) > 1:
        extent = f"from {min(widths)} x {min(heights)} to {extent}"
    yield f"files: {'; '.join(kinds)}; {extent} pixels"


def _classes(spec: DatasetSpec, dataset: Dataset) -> str:
    """Return the classes in their order, and how many images there are."""
    counts = ", ".join(f"{len(dataset.split(name))} {name}" for name in SPLITS)
    order = f" in {spec.class_order} order (dataset.class_order)" if spec.name in WITH_PATH else ""
    return f"{len(dataset.classes)} classes{order}: {', '.join(dataset.classes[:20])}; images: {counts}"
