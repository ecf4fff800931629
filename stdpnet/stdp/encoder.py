"""Make the encoder of an experiment."""

from __future__ import annotations

from stdpnet.encoding import Encoder
from stdpnet.stdp.spec.experiment import STDPExperiment


def encoder_of(spec: STDPExperiment) -> Encoder:
    """Return an encoder with the settings, the time step, the number of steps and the seed of an experiment."""
    return Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)
