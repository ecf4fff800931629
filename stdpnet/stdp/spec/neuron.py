"""The adaptive leaky integrate-and-fire neuron."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from stdpnet.spec.base import Spec


class NeuronSpec(Spec):
    """tau_v dv/dt = -(v - v_rest), spike at v >= v_thresh + theta (thesis, eq. 1-3)."""

    v_rest: float = -65.0
    """Resting potential, mV."""
    v_reset: float = -65.0
    """Potential after a spike and while refractory, mV."""
    v_thresh: float = -52.0
    """Threshold without adaptation, mV."""
    tau_v: float = Field(20.0, gt=0)
    """Time constant of the membrane, ms."""
    tau_refrac: float = Field(5.0, ge=0)
    """Refractory time, ms; rounded to whole steps."""
    theta_plus: float = Field(0.05, ge=0)
    """Increase of the adaptive threshold theta with each spike of the neuron, mV."""
    tau_theta: float = Field(1e6, gt=0)
    """Time constant with which theta decays, ms."""
    target_rate: float = Field(0.0, ge=0)
    """Rate at which theta neither grows nor shrinks, Hz: each training presentation takes the theta_plus of so many
    spikes away, down to 0; 0: theta shrinks by tau_theta alone."""

    @model_validator(mode="after")
    def _threshold_is_above_rest(self) -> Self:
        if self.v_thresh <= max(self.v_rest, self.v_reset):
            raise ValueError(
                f"v_thresh: {self.v_thresh} mV must lie above v_rest and v_reset ({self.v_rest}, {self.v_reset} mV), "
                "else a neuron fires without input"
            )
        return self
