"""Settings of distortions: rotation, random background, occlusion, noise; every image has its own seed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stdpnet.spec.base import Spec

SCORED = ("validation", "test")
"""The splits that are scored."""


class DistortionSpec(Spec):
    """Distortions of whole images, before the crop, in this order (docs/distorted-data.md); the default is none."""

    rotation: float = Field(0.0, ge=0, le=180)
    """Largest angle of rotation, degrees; each image has an angle uniform from -rotation to rotation; 180: any angle,
    as mnist-rot of Larochelle et al. 2007."""
    background: float = Field(0.0, ge=0, le=1)
    """Brightest pixel of a random background, as a share of white; pixels are uniform from 0 to it; 1: as
    mnist-back-rand of Larochelle et al. 2007."""
    correlation: float = Field(0.0, ge=0, le=1)
    """Share of the background's covariance that neighbouring pixels have in common, as in the correlated noise of
    Larochelle et al. 2007; 0: pixels are independent."""
    correlation_length: float = Field(6.0, gt=0, le=1000)
    """Bandwidth of the Gaussian kernel of that covariance, pixels."""
    background_rule: Literal["brighter", "behind"] = "brighter"
    """brighter: each pixel is the brighter one of image and background; behind: only black pixels get a background."""
    occlusion: float = Field(0.0, ge=0, le=1)
    """Share of the area that a black square at a random place covers."""
    noise: float = Field(0.0, ge=0, le=1)
    """Standard deviation of Gaussian noise added to each pixel, as a share of white; the sum is clipped."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of all of these; with the index of an image in its set it decides what happens to the image."""
    splits: Literal["all", "scored"] = "all"
    """Which images are distorted: all, or those that are scored (validation and test) while training and calibration
    stay clean."""

    @property
    def is_none(self) -> bool:
        """Whether images stay as they are."""
        return not (self.rotation or self.background or self.occlusion or self.noise)

    def changes(self, split: str) -> bool:
        """Return whether the images of a split (train, validation, calibration, test) are distorted."""
        return not self.is_none and (self.splits == "all" or split in SCORED)
