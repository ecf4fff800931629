"""Find the files of MNIST and Fashion-MNIST in the user's folder or the cache, or download them from a mirror."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from stdpnet.drafts import new_draft_folder
from stdpnet.errors import DataError

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


class Remote(NamedTuple):
    """The published files of a set."""

    mirrors: tuple[str, ...]
    """Base addresses, tried in this order."""
    sha256: dict[str, str]
    """Digest of each file as it is published (compressed), by file name."""


REMOTES = {
    "mnist": Remote(
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        {
            TRAIN_IMAGES: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            TRAIN_LABELS: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            TEST_IMAGES: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            TEST_LABELS: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion-mnist": Remote(
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        {
            TRAIN_IMAGES: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            TRAIN_LABELS: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            TEST_IMAGES: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            TEST_LABELS: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ),
}


BY_HAND = {"n-mnist": ("Train", "Test")}
"""Folders of sets that users download and unpack themselves."""
SOURCES = {"n-mnist": "https://www.garrickorchard.com/datasets/n-mnist"}
"""Where they are published."""


def fetch(name: str) -> Path:
    """Return the folder with all files of a set, downloading what the cache lacks.

    Looked for in ``$STDPNET_DATA/<name>``, then in the user's cache, then on the mirrors. Only downloaded files are
    checked against the published checksum: the user's files may have been compressed again.
    """
    if name in BY_HAND:
        return unpacked(name)
    if name not in REMOTES:
        raise DataError(f"fetch: '{name}' is not a set that is downloaded; choose one of {', '.join(REMOTES)}")
    given, folder = _users_folder(name), folder_of(name)
    for file in REMOTES[name].sha256:
        if os.path.isfile(folder / file):
            continue
        if given:
            raise DataError(f"{given / file}: missing; put it there, or remove the folder to have {name} downloaded")
        _download(name, file, folder)
    return folder


def folder_of(name: str) -> Path:
    """Return the folder of a set: ``$STDPNET_DATA/<name>`` where there is one, else in the user's cache."""
    return _users_folder(name) or _cache_folder(name)


def located(name: str) -> str:
    """Return where the files of a downloaded set are, as text for the user; downloads nothing."""
    given, folder = _users_folder(name), folder_of(name)
    if all((folder / file).exists() for file in BY_HAND.get(name) or REMOTES[name].sha256):
        return str(folder)
    return f"{given} (incomplete)" if given else "not downloaded"


def _users_folder(name: str) -> Path | None:
    """Return ``$STDPNET_DATA/<name>``, or None where there is no such folder."""
    root = os.environ.get("STDPNET_DATA")
    folder = Path(os.path.expanduser(root)) / name if root else None
    return folder if folder and os.path.isdir(folder) else None


def _cache_folder(name: str) -> Path:
    """Return the folder of a set in the user's cache."""
    import pooch

    return Path(pooch.os_cache("stdpnet")) / name


def _download(name: str, file: str, folder: Path) -> None:
    """Download one file into `folder` from the first mirror whose file has the published checksum."""
    mirrors, sha256 = REMOTES[name]
    reasons = []
    for mirror in mirrors:
        try:
            return _retrieve(mirror + file, sha256[file], folder / file)
        except (OSError, ValueError) as error:  # no connection, or not the published bytes
            reason = "checksum differs" if isinstance(error, ValueError) else type(error).__name__
            reasons.append(f"{mirror} ({reason})")
    root = os.environ.get("STDPNET_DATA")
    places = ([str(Path(root) / name)] if root else []) + [str(folder)]
    raise DataError(
        f"{file} of {name} is not in {' or '.join(places)} and could not be downloaded from "
        f"{' or '.join(reasons)}; set STDPNET_DATA to a folder that holds {name}/{file}"
    )


def _retrieve(address: str, sha256: str, target: Path) -> None:
    """Download a file; the incomplete file of a process that was killed is removed."""
    import pooch

    draft = new_draft_folder(target)  # in the folder of the target, pooch would leave its temporary file
    try:
        Path(pooch.retrieve(address, known_hash=f"sha256:{sha256}", fname=target.name, path=draft)).replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def unpacked(name: str) -> Path:
    """Return the folder of a set that users download and unpack themselves; DataError if it is missing."""
    folder = folder_of(name)
    for part in BY_HAND[name]:
        if not os.path.isdir(folder / part):
            raise DataError(
                f"dataset.name: {name} is not downloaded by stdpnet, and there is no folder {folder / part}; unpack "
                f"{' and '.join(BY_HAND[name])} from {SOURCES[name]} there, or set STDPNET_DATA to the folder that "
                f"holds {name}"
            )
    return folder
