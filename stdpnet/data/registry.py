"""List the datasets by name, and load one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from stdpnet.data.amat import amat
from stdpnet.data.dataset import Dataset, Labels, Source, Split, digest
from stdpnet.data.digits import digits
from stdpnet.data.distortion import distort
from stdpnet.data.download import located
from stdpnet.data.folder import folder
from stdpnet.data.idx import fashion_mnist, mnist
from stdpnet.data.npz import npz
from stdpnet.data.recordings import n_mnist, recordings
from stdpnet.data.saccades import digits_events
from stdpnet.data.splits import split_indices
from stdpnet.data.transforms import centre_crop
from stdpnet.errors import DataError
from stdpnet.events import Events
from stdpnet.spec.dataset import DatasetSpec


class Entry(NamedTuple):
    """A row of the table of datasets."""

    read: Callable[[DatasetSpec], Source]
    description: str
    where: str = ""
    """Where its files are; empty for a set that is downloaded."""


class Listing(NamedTuple):
    """A dataset in the output of `stdpnet data list`."""

    name: str
    description: str
    where: str
    """Where its files were found, or 'not downloaded'."""


SETS: dict[str, Entry] = {
    "digits": Entry(digits, "1,797 handwritten digits, 8 x 8, scaled up to look like MNIST", "within scikit-learn"),
    "mnist": Entry(mnist, "70,000 handwritten digits, 28 x 28"),
    "fashion-mnist": Entry(fashion_mnist, "70,000 pictures of clothes in 10 classes, 28 x 28"),
    "digits-events": Entry(
        digits_events, "the digits as a simulated event camera sees them in three saccades", "computed"
    ),
    "n-mnist": Entry(n_mnist, "70,000 recordings of MNIST by an event camera, 34 x 34"),
    "folder": Entry(folder, "your PNG or JPEG images, one sub-folder per class", "dataset.path"),
    "npz": Entry(npz, "your arrays X (images) and y (labels) in an .npz file", "dataset.path"),
    "amat": Entry(amat, "text files of pixels and labels, as those of Larochelle et al. 2007", "dataset.path"),
    "events": Entry(recordings, "your recordings of an event camera: .bin, .npy or .npz files", "dataset.path"),
}


def load_dataset(spec: DatasetSpec) -> Dataset:
    """Return the dataset that `spec` describes, cropped and split; the same spec and files give the same dataset.

    Parameters
    ----------
    spec : the table `dataset` of an experiment

    Returns
    -------
    The splits train, validation (empty unless asked for), calibration and test, each with `images` (N, n, n) uint8 and
    `labels` (N,), and with `events` where it was recorded by an event camera.

    Raises
    ------
    DataError
        If files are missing or damaged, or the set is too small for its splits.

    Examples
    --------
    >>> import stdpnet
    >>> data = stdpnet.load_dataset(stdpnet.load_config("digits").dataset)
    >>> data.train.images.shape, data.calibration.images.shape, data.test.images.shape
    ((1079, 20, 20), (359, 20, 20), (359, 20, 20))
    """
    source = SETS[spec.name].read(spec)
    if len(source.classes) < 2:
        raise DataError(f"{spec.path or spec.name}: {len(source.classes)} class; give images of at least two classes")
    splits = {name: _split(source, name, indices, spec) for name, indices in split_indices(source, spec).items()}
    return Dataset(
        name=spec.name,
        classes=source.classes,
        sha256=digest(splits),
        is_own=bool(spec.path),
        subsets=spec.subsets,
        **splits,
    )


def _split(source: Source, name: str, indices: Labels, spec: DatasetSpec) -> Split:
    """Return the images of one split, distorted and cropped, or its recordings, cropped, with their pictures."""
    images, labels = source.images[indices], source.labels[indices]
    if isinstance(images, Events):
        events = images.cropped(spec.crop)
        return Split(images=events.pictures(), labels=labels, indices=indices, events=events)
    if spec.distortion.changes(name):
        images = distort(images, indices, spec.distortion)
    cropped = centre_crop(images, spec.crop, f"the images of {spec.path or spec.name}")
    return Split(cropped, labels, indices)


def available() -> list[Listing]:
    """Return every set with a description and where its files are; downloads nothing."""
    return [Listing(name, entry.description, entry.where or located(name)) for name, entry in SETS.items()]
