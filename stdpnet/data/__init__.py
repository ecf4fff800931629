"""Load datasets: read, crop and split images and labels.

A new dataset is one function ``(DatasetSpec) -> Source``, one line in ``registry.SETS`` and its name in
``DatasetSpec.name`` (docs/extending.md); cropping, splitting, digest, summary and contact sheet then work for it.

Importing this package loads none of scikit-learn, pooch, Pillow, SciPy and matplotlib: the functions that use them
import them.
"""

from stdpnet.data.dataset import SPLITS, Dataset, Source, Split, describe
from stdpnet.data.distortion import distort
from stdpnet.data.download import fetch
from stdpnet.data.registry import Listing, available, load_dataset
from stdpnet.data.saccades import saccades
from stdpnet.data.sheet import contact_sheet

__all__ = [
    "SPLITS",
    "Dataset",
    "Listing",
    "Source",
    "Split",
    "available",
    "contact_sheet",
    "describe",
    "distort",
    "fetch",
    "load_dataset",
    "saccades",
]
