"""What counts as unhealthy in the activity and the weights of a spiking network."""

from __future__ import annotations

from pydantic import Field

from stdpnet.spec.monitoring import HealthSpec


class STDPHealthSpec(HealthSpec):
    """What counts as unhealthy in an interval of progress, and what is done then."""

    silent_images: float = Field(0.5, ge=0, le=1)
    """Share of presentations without any spike above which the network counts as silent."""
    dead_neurons: float = Field(0.5, ge=0, le=1)
    """Share of neurons without any spike above which most neurons count as dead."""
    winner: float = Field(0.5, ge=0, le=1)
    """Share of a position's spikes that one neuron may have; looked at where there are four channels or more."""
    rate: float = Field(50.0, gt=0)
    """Mean rate of the neurons above which the network counts as running away, Hz."""
    saturated: float = Field(0.95, ge=0, le=1)
    """Share of feedforward weights at a bound above which they count as saturated."""
    unchanged: float = Field(1e-5, ge=0)
    """Mean absolute change of a feedforward weight, relative to their mean, below which nothing is learned."""
