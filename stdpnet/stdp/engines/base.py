"""What every engine is given and must do; the numbers that all engines share are computed here, once."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stdpnet.encoding import SpikeTrains
from stdpnet.stdp.network import Floats, Network
from stdpnet.stdp.spec.experiment import ExperimentSpec
from stdpnet.stdp.spec.plasticity import STDPSpec


class Switches(NamedTuple):
    """What a presentation may change."""

    learn_xy: bool
    """STDP of the feedforward synapses, and their normalisation."""
    learn_yy: bool
    """The competition; only where it is learned."""
    adapt_theta: bool
    """Decay and growth of the adaptive threshold."""


FROZEN = Switches(learn_xy=False, learn_yy=False, adapt_theta=False)


class Recording(NamedTuple):
    """Where an engine writes what happened at each step, as it stands at the end of the step."""

    v: NDArray[np.float64]
    """(N, T, P, C) membrane potential, mV."""
    current: NDArray[np.float64]
    """(N, T, P, C) accumulated input I that counts in the next step, mV."""
    theta: NDArray[np.float64]
    """(N, T, P, C) adaptive part of the threshold, mV."""
    spikes: NDArray[np.bool_]
    """(N, T, P, C) which neurons spiked."""

    @classmethod
    def empty(cls, presentations: int, steps: int, network: Network) -> Recording:
        """Return a recording to be filled."""
        shape = (presentations, steps, *network.theta.shape)
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, np.bool_))


class Outcome(NamedTuple):
    """What presentations brought."""

    counts: NDArray[np.int32]
    """(N, P, C) spikes of each neuron."""
    unnormalised: int
    """How often a neuron's weights could not be normalised because their sum was not above 0."""


class Engine(Protocol):
    """A simulator of MODEL's time step.

    It takes its network over: the arrays there are always up to date, may be replaced when the engine is made, and
    belong to no second engine.
    """

    network: Network

    def present(
        self,
        trains: SpikeTrains,
        switches: Switches,
        recording: Recording | None = None,
        rates: NDArray[np.float64] | None = None,
    ) -> Outcome:
        """Show presentations one by one, each from the resting state; each followed by its end.

        The end of a presentation normalises, lets the competition learn from the counts and drift, and relaxes theta.

        Parameters
        ----------
        trains : input spikes of N presentations
        switches : what they may change
        recording : where to write each step, if anywhere
        rates : (N,) factors of the feedforward A_plus and A_minus; default 1
        """
        ...


class NeuronConstants(NamedTuple):
    """Numbers of one time step of the neuron; mV unless said."""

    v_rest: float
    v_reset: float
    v_thresh: float
    decay_v: float
    """exp(-dt/tau_v)."""
    theta_plus: float
    decay_theta: float
    """exp(-dt/tau_theta)."""
    refractory_steps: int


class STDPConstants(NamedTuple):
    """Numbers of one time step of a plasticity."""

    A_plus: float
    A_minus: float
    decay_pre: float
    """exp(-dt/tau_plus)."""
    decay_post: float
    """exp(-dt/tau_minus)."""
    w_min: float
    w_max: float
    accumulate: bool
    """True: a spike adds 1 to its trace (all_to_all); False: it sets it to 1 (nearest)."""


class CompetitionConstants(NamedTuple):
    """Numbers of one time step, and of the end of a presentation, of the competition's plasticity.

    Its three rules are one: on a pre spike c - A_minus*(b - resting), on a post spike c + A_plus*a, and after a
    presentation c - eta*(n_pre*n_post - expected), then c + drift, each clipped. A rule has zeros where it has no term.
    """

    A_plus: float
    A_minus: float
    decay_pre: float
    """exp(-dt/tau_plus)."""
    decay_post: float
    """exp(-dt/tau_minus)."""
    w_min: float
    w_max: float
    accumulate: bool
    """True: a spike adds 1 to its trace (all_to_all); False: it sets it to 1 (nearest)."""
    resting: float
    """Postsynaptic trace at which a pre spike changes nothing."""
    eta: float
    """Learning rate of what two neurons have in common, mV."""
    expected: float
    """Product of two spike counts that changes nothing."""
    drift: float
    """Added to each weight after a presentation, mV."""


Plasticity: TypeAlias = STDPConstants | CompetitionConstants


class Constants(NamedTuple):
    """All numbers that an engine needs beside the arrays."""

    neuron: NeuronConstants
    xy: STDPConstants
    yy: CompetitionConstants
    norm: float
    """Sum of a neuron's feedforward weights after normalisation, mV."""
    relaxation: float
    """Taken from each theta, down to 0, after a presentation that adapts it, mV."""


def constants(spec: ExperimentSpec, dtype: np.dtype[Any]) -> Constants:
    """Return the derived numbers of a spec, computed in float64 and rounded once to `dtype`."""
    neuron, dt, seconds = spec.neuron, spec.simulation.dt, spec.simulation.duration / 1000
    real: Any = dtype.type

    def stdp(rule: STDPSpec) -> STDPConstants:
        A_plus, A_minus = rule.amplitudes
        return STDPConstants(
            real(A_plus),
            real(A_minus),
            real(math.exp(-dt / rule.tau_plus)),
            real(math.exp(-dt / rule.tau_minus)),
            real(rule.w_min),
            real(rule.w_max),
            rule.traces == "all_to_all",
        )

    yy = spec.competition
    competition = CompetitionConstants(
        *stdp(yy),
        real(yy.resting_trace),
        real(yy.eta if yy.rule == "anti_hebbian" else 0),
        real((yy.target_rate * seconds) ** 2),
        real(yy.drift),
    )

    return Constants(
        NeuronConstants(
            real(neuron.v_rest),
            real(neuron.v_reset),
            real(neuron.v_thresh),
            real(math.exp(-dt / neuron.tau_v)),
            real(neuron.theta_plus),
            real(math.exp(-dt / neuron.tau_theta)),
            min(round(neuron.tau_refrac / dt), spec.simulation.steps),  # longer than a presentation is as long as it
        ),
        stdp(spec.plasticity),
        competition,
        real(spec.plasticity.mean_weight * spec.geometry.fan_in),
        real(neuron.theta_plus * neuron.target_rate * spec.simulation.duration / 1000),
    )


def window_rows(network: Network) -> NDArray[np.int32]:
    """Return (P, n*n) the row of each pixel in each position's receptive field, -1 outside."""
    geometry = network.geometry
    rows = np.full((geometry.positions, geometry.side, geometry.side), -1, np.int32)
    field = np.arange(geometry.fan_in, dtype=np.int32).reshape(geometry.kernel, geometry.kernel)
    for position in range(geometry.positions):
        top, left = geometry.origin(position)
        rows[position, top : top + geometry.kernel, left : left + geometry.kernel] = field
    return rows.reshape(geometry.positions, -1)


def make_engine(spec: ExperimentSpec, network: Network, threads: int | None = None) -> Engine:
    """Return the engine that spec.simulation names, working on `network` in place.

    Parameters
    ----------
    spec : the experiment
    network : its state, of dtype spec.simulation.effective_dtype
    threads : how many threads may compute; default all cores; results do not depend on it
    """
    match spec.simulation.engine:
        case "numba":
            from stdpnet.stdp.engines.compiled.engine import NumbaEngine

            return NumbaEngine(spec, network, threads)
        case "brian2":
            from stdpnet.stdp.engines.brian import BrianEngine

            return BrianEngine(spec, network)


__all__ = ["FROZEN", "Constants", "Engine", "Floats", "Outcome", "Recording", "Switches", "constants", "make_engine"]
