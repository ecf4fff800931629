"""Pair-based STDP, for the feedforward synapses and, with other signs, for the competition."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from stdpnet.spec.base import Spec

Traces = Literal["nearest", "all_to_all"]


class STDPSpec(Spec):
    """w <- clip(w - A_minus*y) on a pre spike, w <- clip(w + A_plus*x) on a post spike; x, y are exponential traces."""

    A_plus: float = 0.01
    """Weight change of a post spike right after a pre spike (trace 1); weight units."""
    A_minus: float = 1e-4
    """Weight change, subtracted, of a pre spike right after a post spike (trace 1); weight units."""
    tau_plus: float = Field(20.0, gt=0)
    """Time constant of the presynaptic trace, ms."""
    tau_minus: float = Field(20.0, gt=0)
    """Time constant of the postsynaptic trace, ms."""
    traces: Traces = "nearest"
    """nearest: a spike sets its trace to 1; all_to_all: it adds 1."""
    w_min: float = 0.0
    """Lower bound of a weight."""
    w_max: float = 1.0
    """Upper bound of a weight."""

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if not self.w_min < self.w_max:
            raise ValueError(f"w_min: {self.w_min} must lie below w_max = {self.w_max}")
        return self


class PlasticitySpec(STDPSpec):
    """STDP of the feedforward synapses XY; their weights are in mV."""

    mean_weight: float = Field(0.3, gt=0)
    """Mean feedforward weight of a neuron, kept after each training image: norm = mean_weight * fan-in; mV."""
    half_life: float = Field(0.0, ge=0)
    """Training images after which A_plus and A_minus have halved, exponentially; 0: they stay."""


class CompetitionSpec(STDPSpec):
    """The inhibitory synapses YY between neurons of one position; learned by STDP of negative amplitudes: anti-STDP."""

    learned: bool = False
    """False: every weight is c_w and stays; True: initial weights uniform in (c_w, 0), trained with the keys below."""
    c_w: float = Field(-100.0, le=0)
    """Weight of fixed competition, or the lower end of the initial weights of a learned one, mV; 0: no competition."""
    A_plus: float = -1.626
    """Weight change of a post spike right after a pre spike, mV; negative strengthens the inhibition."""
    A_minus: float = -0.0556
    """Weight change, subtracted, of a pre spike right after a post spike, mV; negative weakens the inhibition."""
    tau_plus: float = Field(17.7, gt=0)
    """Time constant of the presynaptic trace, ms."""
    tau_minus: float = Field(16.5, gt=0)
    """Time constant of the postsynaptic trace, ms."""
    w_min: float = Field(float("-inf"), allow_inf_nan=True)
    """Lower bound of a learned weight, mV (clamps it from below)."""
    w_max: float = Field(0.0, le=0)
    """Upper bound of a learned weight, mV (clamps it from above)."""
    drift: float = 0.0
    """Added to every learned weight after each presentation, then clipped, mV."""
