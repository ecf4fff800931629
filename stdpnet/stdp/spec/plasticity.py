"""The plasticity of the feedforward synapses and the competition between the neurons of a position."""

from __future__ import annotations

import warnings
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from stdpnet.reading import absolute
from stdpnet.spec.base import Before, Spec

Traces = Literal["nearest", "all_to_all"]
InitialCompetition = Literal["uniform", "constant"]
CompetitionRule = Literal["none", "fixed", "anti_stdp", "rate_target", "anti_hebbian"]
LEARNING: tuple[CompetitionRule, ...] = ("anti_stdp", "rate_target", "anti_hebbian")
"""The rules by which a competition is learned."""


def _check_bounds(w_min: float, w_max: float) -> None:
    if not w_min < w_max:
        raise ValueError(f"w_min: {w_min} must lie below w_max = {w_max}")


class PlasticitySpec(Spec):
    """Pair-based STDP of the feedforward synapses XY; their weights are in mV."""

    A_plus: float = 0.01
    """Change of the weight by a post spike right after a pre spike (trace 1), mV."""
    A_minus: float = 1e-4
    """What a pre spike right after a post spike (trace 1) subtracts from the weight, mV."""
    tau_plus: float = Field(20.0, gt=0)
    """Time constant of the presynaptic trace, ms."""
    tau_minus: float = Field(20.0, gt=0)
    """Time constant of the postsynaptic trace, ms."""
    traces: Traces = "nearest"
    """nearest: a spike sets its trace to 1; all_to_all: it adds 1."""
    w_min: float = 0.0
    """Lower bound of a weight, mV."""
    w_max: float = 1.0
    """Upper bound of a weight, mV."""
    initial: str = Field("uniform", min_length=1, max_length=4096)
    """Initial weights: uniform, or the path of a NumPy file (.npy) that holds those of every neuron of a position,
    (k*k, C), or of all positions, (P, k*k, C); those below w_min become w_min. A relative path becomes absolute."""
    mean_weight: float = Field(0.3, gt=0)
    """Mean feedforward weight of a neuron, mV, kept after each training image: norm = mean_weight * fan-in."""
    normalise: Annotated[Literal["spiked", "all"], Before("all")] = "spiked"
    """Which neurons are normalised after a training presentation: those that spiked in it (with shared kernels: the
    kernels that any neuron spiked with), or all, as in the thesis. Runs older than this key normalise all."""
    half_life: float = Field(0.0, ge=0)
    """Training images after which A_plus and A_minus have halved, exponentially; 0: they stay."""

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        _check_bounds(self.w_min, self.w_max)
        return self

    @field_validator("initial")
    @classmethod
    def _path_is_absolute(cls, initial: str) -> str:
        return initial if initial == "uniform" else absolute(initial, "initial")

    @property
    def amplitudes(self) -> tuple[float, float]:
        """A_plus and A_minus, mV."""
        return self.A_plus, self.A_minus

    @property
    def resting_trace(self) -> float:
        """Postsynaptic trace at which a pre spike changes nothing."""
        return 0.0


class CompetitionSpec(Spec):
    """The inhibitory synapses YY between neurons of one position: none, fixed, or learned by one of three local rules.

    With a and b the traces of the pre- and postsynaptic neuron, n their spikes in a presentation, alpha =
    target_rate*(tau_plus + tau_minus) and p = target_rate*duration:

    - anti_stdp: c <- c - A_minus*b on a pre, c + A_plus*a on a post spike, with negative amplitudes;
    - rate_target (Vogels et al. 2011, doi 10.1126/science.1211095): c <- c - eta*(b - alpha) on a pre, c - eta*a on a
      post spike: inhibition grows until its target fires at target_rate;
    - anti_hebbian (Földiák 1990, doi 10.1007/BF02331346; with spike counts Zylberberg et al. 2011, doi
      10.1371/journal.pcbi.1002250): c <- c - eta*(n_pre*n_post - p*p) after each presentation: neurons that answer
      the same images inhibit each other more.

    Keys that the rule does not use are ignored, so that a search or `--set` may change the rule alone. A fixed weight
    of 0 is no competition, and `rule` becomes none. Files of older versions have `learned = true` or `false`, and
    `stdp` for anti_stdp; they are translated.
    """

    rule: CompetitionRule = "fixed"
    """none; fixed: every weight is c_w; or learned: by anti_stdp (A_plus, A_minus), rate_target or anti_hebbian (eta,
    target_rate)."""
    c_w: float = Field(-100.0, le=0)
    """Weight of fixed competition, or the strongest initial weight of a learned one, mV."""
    initial: InitialCompetition = "uniform"
    """Initial weights of a learned competition: uniform in (c_w, 0), or constant: all are c_w, as if it were fixed."""
    A_plus: float = -1.626
    """anti_stdp: change of the weight by a post spike right after a pre spike, mV; negative strengthens inhibition."""
    A_minus: float = -0.0556
    """anti_stdp: what a pre spike right after a post spike subtracts, mV; negative weakens inhibition."""
    eta: float = Field(0.1, ge=0)
    """Learning rate of rate_target and anti_hebbian, mV."""
    target_rate: float = Field(2.0, ge=0)
    """Rate of a neuron at which rate_target and anti_hebbian leave its inhibition as it is, Hz."""
    tau_plus: float = Field(17.7, gt=0)
    """Time constant of the presynaptic trace, ms."""
    tau_minus: float = Field(16.5, gt=0)
    """Time constant of the postsynaptic trace, ms."""
    traces: Traces = "nearest"
    """nearest: a spike sets its trace to 1; all_to_all: it adds 1."""
    w_min: float = Field(float("-inf"), allow_inf_nan=True)
    """Lower bound of a learned weight, mV (clamps it from below)."""
    w_max: float = Field(0.0, le=0)
    """Upper bound of a learned weight, mV (clamps it from above)."""
    drift: float = 0.0
    """Added to every learned weight after each presentation, then clipped, mV."""

    @model_validator(mode="before")
    @classmethod
    def _one_key_names_the_rule(cls, values: Any) -> Any:
        """Translate the keys of older versions; a fixed weight of 0 is no competition."""
        if not isinstance(values, dict):
            return values
        older = values.get("learned") is not None or values.get("rule") == "stdp"
        rule = _translated(values.get("learned"), values.get("rule")) if older else values.get("rule", "fixed")
        if rule == "fixed" and values.get("c_w") == 0:
            rule = "none"
        if older and len(values) < len(cls.model_fields):  # written by a person: a run's file has every key
            warnings.warn(
                "competition.learned, competition.rule = 'stdp': are keys of an older version and still read; write "
                f"competition.rule = '{rule}' instead",
                FutureWarning,
                stacklevel=2,
            )
        return {key: value for key, value in values.items() if key != "learned"} | {"rule": rule}

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        _check_bounds(self.w_min, self.w_max)
        return self

    @property
    def is_learned(self) -> bool:
        """Whether every pair of neurons has a weight of its own, which changes in training."""
        return self.rule in LEARNING

    @property
    def fixed_weight(self) -> float:
        """The one weight of a competition that is not learned, mV: c_w, or 0 where there is none."""
        return self.c_w if self.rule == "fixed" else 0.0

    @property
    def amplitudes(self) -> tuple[float, float]:
        """A_plus and A_minus that the rule uses, mV; 0 where it does not learn from pairs of spikes."""
        return {"anti_stdp": (self.A_plus, self.A_minus), "rate_target": (-self.eta, self.eta)}.get(
            self.rule, (0.0, 0.0)
        )

    @property
    def resting_trace(self) -> float:
        """Postsynaptic trace at which a pre spike changes nothing: alpha of rate_target."""
        return self.target_rate * (self.tau_plus + self.tau_minus) / 1000 if self.rule == "rate_target" else 0.0


PairRule: TypeAlias = PlasticitySpec | CompetitionSpec
"""A rule that learns from pairs of spikes: with x and y the exponential traces of the pre- and postsynaptic neuron,
w <- clip(w - A_minus*(y - resting_trace)) on a pre spike, w <- clip(w + A_plus*x) on a post spike."""


def _translated(learned: Any, rule: Any) -> Any:
    """Return the rule that the older key `learned` means together with an older or a newer value of `rule`."""
    if learned not in (True, False, None):
        raise ValueError(f"learned: {learned!r} is neither true nor false; leave it out and set rule")
    if learned:
        return "anti_stdp" if rule in (None, "stdp", "none", "fixed") else rule
    if rule in LEARNING:
        raise ValueError(f"learned: False contradicts rule = '{rule}'; leave the older key learned out")
    return "fixed"
