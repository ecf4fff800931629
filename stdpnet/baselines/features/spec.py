"""The whole description of an experiment with features of image patches: what a configuration file holds."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from stdpnet.geometry import Geometry
from stdpnet.spec.base import Spec
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.topology import TopologySpec

Kind = Literal["random", "kmeans", "pca"]
TITLES: dict[str, str] = {"random": "random features", "kmeans": "k-means", "pca": "PCA"}
PLACES: dict[str, str] = {"locally_connected": "", "convolutional": "shared ", "fully_connected": "global "}
"""Word in a label for features of single positions, of all positions, and of whole images."""


class FeaturesSpec(Spec):
    """The features, and how a patch is prepared for them; a response is max(0, ...), so that it is like a count."""

    kind: Kind = "kmeans"
    """random: fixed weights (Illing et al. 2019); kmeans: centroids (Coates & Ng 2012); pca: principal components."""
    normalise: bool = True
    """Whether the mean of a patch is subtracted, and the patch is divided by its standard deviation (Coates & Ng 2012,
    section 2.1; see contrast) instead of 255; in both cases it is also divided by the root of its number of pixels."""
    contrast: float = Field(10.0, gt=0)
    """Added to the variance of a patch before the division by its root, in grey levels (0 to 255) squared; only if
    normalise."""
    whiten: bool = False
    """pca: whether each component is divided by its standard deviation, so that all have the same weight."""
    winners: int = Field(0, ge=0)
    """Number of the largest responses of a position that are kept, while the others become 0; 0: all are kept."""
    gain: float = Field(1000.0, gt=0)
    """Count of a response of 1; responses are multiplied by it, rounded, and limited to 65535."""


class FeaturesExperiment(Experiment):
    """Images, features and protocol of one training job of features (docs/baselines.md)."""

    answering: ClassVar[tuple[str, ...]] = ("topology", "features")

    model: Literal["features"] = "features"
    """Which model is trained: features, of image patches, without spikes."""
    topology: TopologySpec = TopologySpec(kernel=12)
    """Which pixels a feature sees; features take the place of neurons."""
    features: FeaturesSpec = FeaturesSpec()
    """The kind of the features, and how a patch is prepared for them."""

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        geometry = self.topology.geometry(self.dataset.crop)  # raises where the kernel does not fit
        if self.features.kind == "pca" and geometry.channels > 2 * geometry.fan_in:
            raise ValueError(
                f"topology.channels: a patch of {geometry.fan_in} pixels has {geometry.fan_in} components, each with "
                f"an on and an off unit; got {geometry.channels}, choose at most {2 * geometry.fan_in}"
            )
        return self

    @property
    def geometry(self) -> Geometry:
        """Sizes on this dataset's cropped images."""
        return self.topology.geometry(self.dataset.crop)

    @property
    def label(self) -> str:
        """A short name: kind, channels and kernel, as in k-means 100/12."""
        topology = self.topology
        kernel = "" if topology.architecture == "fully_connected" else f"/{topology.kernel}"
        return f"{TITLES[self.features.kind]} {PLACES[topology.architecture]}{topology.channels}{kernel}"
