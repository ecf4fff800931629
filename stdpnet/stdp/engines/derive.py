"""Derive the numbers of a time step from a spec, once for all engines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stdpnet.stdp.engines.constants import CompetitionConstants, Constants, NeuronConstants, STDPConstants
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet.stdp.spec.plasticity import PairRule


def constants(spec: STDPExperiment, dtype: np.dtype[Any]) -> Constants:
    """Return the derived numbers of a spec, computed in float64 and rounded once to `dtype`."""
    real: Any = dtype.type
    return Constants(
        neuron=_neuron(spec, real),
        xy=_stdp(spec.plasticity, spec.simulation.dt, real),
        yy=_competition(spec, real),
        norm=real(spec.plasticity.mean_weight * spec.geometry.fan_in),
        normalise_all=spec.plasticity.normalise == "all",
        relaxation=real(spec.neuron.theta_plus * spec.neuron.target_rate * spec.simulation.duration / 1000),
    )


def _neuron(spec: STDPExperiment, real: Any) -> NeuronConstants:
    neuron, dt = spec.neuron, spec.simulation.dt
    return NeuronConstants(
        v_rest=real(neuron.v_rest),
        v_reset=real(neuron.v_reset),
        v_thresh=real(neuron.v_thresh),
        decay_v=real(math.exp(-dt / neuron.tau_v)),
        theta_plus=real(neuron.theta_plus),
        decay_theta=real(math.exp(-dt / neuron.tau_theta)),
        refractory_steps=min(round(neuron.tau_refrac / dt), spec.simulation.steps),  # capped at one presentation
    )


def _stdp(rule: PairRule, dt: float, real: Any) -> STDPConstants:
    A_plus, A_minus = rule.amplitudes
    return STDPConstants(
        A_plus=real(A_plus),
        A_minus=real(A_minus),
        decay_pre=real(math.exp(-dt / rule.tau_plus)),
        decay_post=real(math.exp(-dt / rule.tau_minus)),
        w_min=real(rule.w_min),
        w_max=real(rule.w_max),
        accumulate=rule.traces == "all_to_all",
    )


def _competition(spec: STDPExperiment, real: Any) -> CompetitionConstants:
    rule, seconds = spec.competition, spec.simulation.duration / 1000
    return CompetitionConstants(
        pairs=_stdp(rule, spec.simulation.dt, real),
        resting=real(rule.resting_trace),
        eta=real(rule.eta if rule.rule == "anti_hebbian" else 0),
        expected=real((rule.target_rate * seconds) ** 2),
        drift=real(rule.drift),
    )
