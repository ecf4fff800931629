"""Settings of the health checks of a spiking network: bounds of its activity and of its weights."""

from __future__ import annotations

from pydantic import Field

from stdpnet.spec.monitoring import HealthSpec


class STDPHealthSpec(HealthSpec):
    """What counts as unhealthy in an interval of progress, and what is done then.

    The `some_...` bounds and `similarity` are those of mild findings, which are reported but stop no job. They lie
    between the values of the presets after 400 digits (no silent images, 1 % of the weights at a bound, similarity 0.83
    at most) and those of broken settings.
    """

    some_silent_images: float = Field(0.1, ge=0, le=1)
    """Share of presentations without any spike above which this is reported as a mild finding."""
    silent_images: float = Field(0.5, ge=0, le=1)
    """Share of presentations without any spike above which the network counts as silent."""
    dead_neurons: float = Field(0.5, ge=0, le=1)
    """Share of neurons without any spike above which most neurons count as dead."""
    winner: float = Field(0.5, ge=0, le=1)
    """Largest healthy share of one neuron in its position's spikes; only checked with four channels or more."""
    rate: float = Field(50.0, gt=0)
    """Mean rate of the neurons above which the network counts as running away, Hz."""
    some_saturated: float = Field(0.5, ge=0, le=1)
    """Share of feedforward weights at a bound above which this is reported as a mild finding."""
    saturated: float = Field(0.95, ge=0, le=1)
    """Share of feedforward weights at a bound above which they count as saturated."""
    similarity: float = Field(0.9, ge=0, le=1)
    """Mean correlation of two receptive fields of a position above which they are reported as alike (mild)."""
    unchanged: float = Field(1e-5, ge=0)
    """Mean absolute change of a feedforward weight, relative to their mean, below which nothing is learned."""
