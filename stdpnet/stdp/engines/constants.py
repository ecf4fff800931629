"""The numbers of a time step that all engines share, without the specs that they are derived from."""

from __future__ import annotations

from typing import NamedTuple


class NeuronConstants(NamedTuple):
    """Numbers of one time step of the neuron; mV where no unit is given."""

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
    """Numbers of one time step of pair-based STDP."""

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

    pairs: STDPConstants
    """What pairs of spikes change, and the bounds of all changes."""
    resting: float
    """Postsynaptic trace at which a pre spike changes nothing."""
    eta: float
    """Learning rate of the product of two spike counts, mV."""
    expected: float
    """Product of two spike counts that changes nothing."""
    drift: float
    """Added to each weight after a presentation, mV."""


class Constants(NamedTuple):
    """All numbers that an engine needs beside the arrays."""

    neuron: NeuronConstants
    xy: STDPConstants
    yy: CompetitionConstants
    norm: float
    """Sum of a neuron's feedforward weights after normalisation, mV."""
    normalise_all: bool
    """Whether neurons that did not spike in a presentation are normalised after it, too."""
    relaxation: float
    """Subtracted from each theta, down to 0, after a presentation that adapts it, mV."""
