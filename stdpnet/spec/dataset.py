"""The table `dataset` of a configuration: which images are read, how they are cropped, and how they are split."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from stdpnet.reading import absolute, shortened
from stdpnet.spec.base import Before, Spec
from stdpnet.spec.distortion import DistortionSpec

DatasetName = Literal["digits", "mnist", "fashion-mnist", "digits-events", "n-mnist", "folder", "npz", "amat", "events"]
PUBLISHED = {"digits": 28, "mnist": 28, "fashion-mnist": 28, "digits-events": 28, "n-mnist": 34}
"""Side of the images of published sets, pixels."""
WITH_PATH = ("folder", "npz", "amat", "events")
"""Sets that the user provides, at a path."""
OF_EVENTS = ("digits-events", "n-mnist", "events")
"""Sets that consist of recordings of an event camera."""
LARGEST_SIDE = 4096
Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
"""Pixels."""


def _two(given: object) -> object:
    """Refuse anything but a list of two values; the message of pydantic would be about one of them."""
    if not isinstance(given, (list, tuple)) or len(given) != 2:
        raise ValueError(f": {shortened(given)} is not a width and a height; give two numbers, such as [34, 34]")
    return given


Sides = Annotated[
    tuple[Side, Side],
    BeforeValidator(_two),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": LARGEST_SIDE},
            "minItems": 2,
            "maxItems": 2,
        }
    ),
]
"""Width and height; the schema is written out because editors know draft 7, and pydantic writes a newer draft."""
RESIZED, N_MNIST = 28, (34, 34)
"""Default side of images after resizing; width and height of N-MNIST."""


class DatasetSpec(Spec):
    """A dataset and its disjoint splits: train, validation (tuning), calibration (labels of the read-out), test."""

    name: DatasetName = "mnist"
    """Which set: digits (embedded in scikit-learn), mnist, fashion-mnist, folder (class sub-folders), npz (X, y)
    or amat (the text files of Larochelle et al. 2007); or, recorded by event cameras (docs/events.md), digits-events
    (digits, simulated), n-mnist, or events (class sub-folders of .bin or .npy files, or an .npz file)."""
    path: str = Field("", max_length=4096)
    """The folder, .npz or .amat file; only for name = folder, npz, amat or events; a relative path becomes absolute."""
    resize: Side = RESIZED
    """Side, in pixels, to which images of such a set are resized (after padding to a square); recordings are not."""
    invert: bool = False
    """Whether dark ink on white becomes bright ink on black, which the model expects; only of such a set."""
    transpose: bool = False
    """Whether pixels were written column by column; only for name = amat (its background sets are)."""
    sensor: Sides = N_MNIST
    """Width and height, in pixels, of the camera that recorded a set of name = events; its plane is padded to a
    square."""
    class_order: Annotated[Literal["natural", "text"], Before("text", beside="path")] = "natural"
    """Order of the classes of a folder or npz set: by the numbers in their names (2 before 10), or as text (10 before
    2), as older versions had it."""
    crop: Side = 20
    """Side n of the centre crop, in pixels: the side of the network's input."""
    calibration: int | None = Field(None, ge=1)
    """Images of the calibration split; default the last 10000 of MNIST's and Fashion-MNIST's training images, else a
    fifth."""
    validation: int = Field(0, ge=0)
    """Images of the training split held out for tuning; training never sees them."""
    test: int | None = Field(None, ge=1)
    """Images of the test split; default all 10000 of MNIST's and Fashion-MNIST's, else a fifth of the set."""
    subsets: Annotated[Literal["jittered", "spread", "ends"], Before("ends")] = "jittered"
    """Where a smaller number of images is taken from a set. jittered: one image of each of as many equal parts, at a
    place that varies. Older versions: spread, the first image of each part (of MNIST's training images, in which two
    groups of writers alternate, that is often one group alone); ends, the last training images for validation and
    calibration, the first of a split for curves and figures. MNIST's first test images and last training images are
    harder than the others."""
    split_seed: int = Field(0, ge=0, lt=2**63)
    """Seed of the stratified split of sets that come without one (digits, folder, npz)."""

    distortion: DistortionSpec = DistortionSpec()
    """How images are distorted after they are read."""

    @property
    def whole_side(self) -> int:
        """Side of the images before the crop, pixels."""
        return max(self.plane)

    @property
    def plane(self) -> tuple[int, int]:
        """Width and height of the images, or of the camera, before padding and crop, pixels."""
        side = PUBLISHED.get(self.name, self.resize)
        return self.sensor if self.name == "events" else (side, side)

    @property
    def is_of_events(self) -> bool:
        """Whether the set was recorded by an event camera."""
        return self.name in OF_EVENTS

    @model_validator(mode="after")
    def _path_fits_name(self) -> Self:
        if self.name in WITH_PATH and not self.path:
            raise ValueError(f"path: name = '{self.name}' needs a path, for example path = 'data/my-images'")
        if self.name not in WITH_PATH and self.path:
            raise ValueError(
                f"path: '{self.path}' is not used by name = '{self.name}'; leave it out or use name = 'folder'"
            )
        if self.name != "events" and self.sensor != N_MNIST:
            raise ValueError(f"sensor: is for name = 'events'; leave it out with name = '{self.name}'")
        if self.invert and not self.path:
            raise ValueError(f"invert: is for a set with a path; name = '{self.name}' is bright ink on black")
        if self.transpose and self.name != "amat":
            raise ValueError(f"transpose: is for name = 'amat'; leave it out with name = '{self.name}'")
        return self

    @model_validator(mode="after")
    def _pictures_only(self) -> Self:
        """Refuse keys that change images where the set consists of recordings of events."""
        if self.is_of_events:
            instead = {
                "resize": (self.resize != RESIZED, "recordings keep their pixels; choose dataset.crop"),
                "invert": (self.invert, "recordings have no ink; encoder.polarity chooses on or off events"),
                "distortion": (not self.distortion.is_none, "it is for images"),
            }
            for key, (is_set, reason) in instead.items():
                if is_set:
                    raise ValueError(f"{key}: is not done to recordings of events (name = '{self.name}'); {reason}")
        return self

    @field_validator("path", mode="after")
    @classmethod
    def _path_is_absolute(cls, path: str) -> str:
        """Resolve the path and a ~ in it: a run can be resumed from anywhere, and equal data have equal specs."""
        return absolute(path, "path") if path else ""
