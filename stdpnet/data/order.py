"""Select the next training images of an experiment, in its order and with its shifts."""

from __future__ import annotations

from typing import TypeVar, cast

from stdpnet.data.dataset import Images
from stdpnet.data.transforms import shift
from stdpnet.events import Events
from stdpnet.random import image_order, image_shifts
from stdpnet.spec.experiment import Experiment

Pictures = TypeVar("Pictures", bound=Images | Events)


def training_images(images: Pictures, spec: Experiment, first: int, count: int) -> Pictures:
    """Return training images number first .. first+count-1, in the order and with the shifts of an experiment.

    Parameters
    ----------
    images : (N, n, n) all images of the training split, or N recordings
    spec : its seed, training.pool and training.shift decide
    first, count : numbers of the images in the training
    """
    training = spec.training
    shown: Images | Events = images[image_order(spec.seed, len(images), first, count, training.pool)]
    if training.shift:
        by = image_shifts(spec.seed, first, count, training.shift)
        shown = shown.shifted(by) if isinstance(shown, Events) else shift(shown, by)
    return cast(Pictures, shown)
