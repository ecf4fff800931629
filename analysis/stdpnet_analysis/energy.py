"""What an answer costs: spikes and synaptic events of an image, a proxy for the energy of neuromorphic hardware."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.data import Split
from stdpnet.encoding import Encoder
from stdpnet.geometry import Geometry
from stdpnet.random import Stream
from stdpnet.stdp.spec.experiment import ExperimentSpec

IMAGES = 500
"""Images of the scored split that are encoded to count input spikes."""


class Cost(NamedTuple):
    """Mean over images of one showing each."""

    input_spikes: float
    """Spikes of the pixels."""
    events: float
    """Transmissions of a spike by a synapse: those of the pixels to all neurons that see them, and of each neuron's
    spikes to the others of its position."""


def coverage(geometry: Geometry) -> NDArray[np.int64]:
    """Return (n*n,) at how many positions each pixel is seen; its spike causes this times C events."""
    seen = np.zeros((geometry.side, geometry.side), np.int64)
    for position in range(geometry.positions):
        row, column = geometry.origin(position)
        seen[row : row + geometry.kernel, column : column + geometry.kernel] += 1
    return seen.ravel()


def cost(spec: ExperimentSpec, images: Split, stream: Stream, spikes: float) -> Cost:
    """Return what an image costs.

    Parameters
    ----------
    spec : the experiment
    images : those of the scored split; the first ones are encoded as the evaluation encodes them
    stream : the source of input spikes of this split
    spikes : spikes per image of the neurons
    """
    geometry, some = spec.geometry, slice(0, IMAGES)
    encoder = Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)
    trains = encoder.encode(images.images[some], stream, images.indices[some])
    shown = len(trains.offsets)
    per_pixel = np.bincount(trains.pixels[: trains.offsets[-1, -1]], minlength=geometry.pixels) / shown
    forward = float(per_pixel @ coverage(geometry)) * geometry.channels
    return Cost(float(per_pixel.sum()), forward + spikes * (geometry.channels - 1))
