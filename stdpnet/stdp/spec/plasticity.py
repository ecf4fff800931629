"""Pair-based STDP, for the feedforward synapses and, with other signs, for the competition."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from stdpnet.spec.base import Spec

Traces = Literal["nearest", "all_to_all"]
InitialCompetition = Literal["uniform", "constant"]
CompetitionRule = Literal["stdp", "rate_target", "anti_hebbian"]


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

    @property
    def amplitudes(self) -> tuple[float, float]:
        """A_plus and A_minus that are used."""
        return self.A_plus, self.A_minus

    @property
    def resting_trace(self) -> float:
        """Postsynaptic trace at which a pre spike changes nothing."""
        return 0.0


class PlasticitySpec(STDPSpec):
    """STDP of the feedforward synapses XY; their weights are in mV."""

    mean_weight: float = Field(0.3, gt=0)
    """Mean feedforward weight of a neuron, kept after each training image: norm = mean_weight * fan-in; mV."""
    half_life: float = Field(0.0, ge=0)
    """Training images after which A_plus and A_minus have halved, exponentially; 0: they stay."""


class CompetitionSpec(STDPSpec):
    """The inhibitory synapses YY between neurons of one position: fixed, or learned by one of three local rules.

    With a and b the traces of the pre- and postsynaptic neuron, n their spikes in a presentation, alpha =
    target_rate*(tau_plus + tau_minus) and p = target_rate*duration:

    - stdp: c <- c - A_minus*b on a pre, c + A_plus*a on a post spike; of negative amplitudes, anti-STDP;
    - rate_target (Vogels et al. 2011, doi 10.1126/science.1211095): c <- c - eta*(b - alpha) on a pre, c - eta*a on a
      post spike: inhibition grows until its target fires at target_rate;
    - anti_hebbian (Földiák 1990, doi 10.1007/BF02331346; with spike counts Zylberberg et al. 2011, doi
      10.1371/journal.pcbi.1002250): c <- c - eta*(n_pre*n_post - p*p) after each presentation: neurons that answer
      the same images inhibit each other more.
    """

    learned: bool = False
    """False: every weight is c_w and stays; True: they are trained with the keys below."""
    initial: InitialCompetition = "uniform"
    """Initial weights of a learned competition: uniform in (c_w, 0), or constant: all are c_w, as if it were fixed."""
    rule: CompetitionRule = "stdp"
    """How it is learned: stdp (A_plus, A_minus), rate_target or anti_hebbian (eta, target_rate)."""
    c_w: float = Field(-100.0, le=0)
    """Weight of fixed competition, or the strongest initial weight of a learned one, mV; 0: no competition."""
    A_plus: float = -1.626
    """Weight change of a post spike right after a pre spike, mV; negative strengthens the inhibition."""
    A_minus: float = -0.0556
    """Weight change, subtracted, of a pre spike right after a post spike, mV; negative weakens the inhibition."""
    eta: float = Field(0.1, ge=0)
    """Learning rate of rate_target and anti_hebbian, mV."""
    target_rate: float = Field(2.0, ge=0)
    """Rate of a neuron at which rate_target and anti_hebbian leave its inhibition as it is, Hz."""
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

    @model_validator(mode="after")
    def _rule_is_used(self) -> Self:
        if self.rule != "stdp" and not self.learned:
            raise ValueError(f"rule: '{self.rule}' learns the competition; set competition.learned = true too")
        return self

    @property
    def amplitudes(self) -> tuple[float, float]:
        """A_plus and A_minus that are used: those of the rule."""
        return {"stdp": super().amplitudes, "rate_target": (-self.eta, self.eta), "anti_hebbian": (0.0, 0.0)}[self.rule]

    @property
    def resting_trace(self) -> float:
        """Postsynaptic trace at which a pre spike changes nothing: alpha of rate_target."""
        return self.target_rate * (self.tau_plus + self.tau_minus) / 1000 if self.rule == "rate_target" else 0.0

    @property
    def kind(self) -> str:
        """What a table calls it: none, fixed, learned (by anti-STDP), rate_target or anti_hebbian."""
        if not self.learned:
            return "fixed" if self.c_w else "none"
        return "learned" if self.rule == "stdp" else self.rule
