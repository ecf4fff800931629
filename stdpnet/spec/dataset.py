"""Which images, cut how, and how they are split."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from stdpnet.reading import absolute
from stdpnet.spec.base import Before, Spec
from stdpnet.spec.distortion import DistortionSpec

DatasetName = Literal["digits", "mnist", "fashion-mnist", "folder", "npz", "amat"]
PUBLISHED = ("digits", "mnist", "fashion-mnist")
OWN = ("folder", "npz", "amat")
"""Sets of the user's own, which have a path."""


class DatasetSpec(Spec):
    """A dataset and its disjoint splits: train, validation (tuning), calibration (labels of the read-out), test."""

    name: DatasetName = "mnist"
    """Which set: digits (embedded in scikit-learn), mnist, fashion-mnist, folder (class sub-folders), npz (X, y)
    or amat (the text files of Larochelle et al. 2007)."""
    path: str = Field("", max_length=4096)
    """The folder, .npz or .amat file; only for name = folder, npz or amat; a relative path becomes absolute."""
    resize: int = Field(28, ge=1, le=4096)
    """Side, in pixels, to which images of such a set are resized (after padding to a square)."""
    invert: bool = False
    """Whether dark ink on white becomes bright ink on black, which the model expects; only of such a set."""
    transpose: bool = False
    """Whether pixels were written column by column; only for name = amat (its background sets are)."""
    class_order: Annotated[Literal["natural", "text"], Before("text", beside="path")] = "natural"
    """Order of the classes of a folder or npz set: by the numbers in their names (2 before 10), or as text (10 before
    2), as older versions had it."""
    crop: int = Field(20, ge=1, le=4096)
    """Side n of the centre crop, in pixels: the side of the network's input."""
    calibration: int | None = Field(None, ge=1)
    """Images of the calibration split; default the last 10000 of MNIST's and Fashion-MNIST's training images, else a
    fifth."""
    validation: int = Field(0, ge=0)
    """Images of the training split held out for tuning; training never sees them."""
    test: int | None = Field(None, ge=1)
    """Images of the test split; default all 10000 of MNIST's and Fashion-MNIST's, else a fifth of the set."""
    subsets: Annotated[Literal["spread", "ends"], Before("ends")] = "spread"
    """Where a smaller number of images is taken from a set: spread evenly over all of it, or, as older versions did, at
    its ends (the last training images for validation and calibration, the first of a split for curves and figures).
    MNIST's first test images and last training images are harder than the others."""
    split_seed: int = Field(0, ge=0, lt=2**63)
    """Seed of the stratified split of sets that come without one (digits, folder, npz)."""

    distortion: DistortionSpec = DistortionSpec()
    """How images are distorted after they are read."""

    @property
    def whole_side(self) -> int:
        """Side of the images before the crop, pixels; published sets have 28."""
        return self.resize if self.path else 28

    @model_validator(mode="after")
    def _path_fits_name(self) -> Self:
        if self.name in OWN and not self.path:
            raise ValueError(f"path: name = '{self.name}' needs a path, for example path = 'data/my-images'")
        if self.name not in OWN and self.path:
            raise ValueError(
                f"path: '{self.path}' is not used by name = '{self.name}'; leave it out or use name = 'folder'"
            )
        if self.invert and not self.path:
            raise ValueError(f"invert: is for a set with a path; name = '{self.name}' is bright ink on black")
        if self.transpose and self.name != "amat":
            raise ValueError(f"transpose: is for name = 'amat'; leave it out with name = '{self.name}'")
        return self

    @field_validator("path", mode="after")
    @classmethod
    def _path_is_absolute(cls, path: str) -> str:
        """Resolve the path and a ~ in it: a run can be resumed from anywhere, and equal data have equal specs."""
        return absolute(path, "path") if path else ""
