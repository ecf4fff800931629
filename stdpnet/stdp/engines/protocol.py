"""The protocol of all engines: what an engine is given, what it must do, and what it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # compiled code uses the records below and must load no spec
    from stdpnet.spikes import SpikeTrains
    from stdpnet.stdp.network import Network


class Switches(NamedTuple):
    """What a presentation may change."""

    learn_xy: bool
    """Feedforward weights: STDP and normalisation."""
    learn_yy: bool
    """The competition; only where it is learned."""
    adapt_theta: bool
    """The adaptive threshold: decay, growth and relaxation."""


FROZEN = Switches(learn_xy=False, learn_yy=False, adapt_theta=False)


class Recording(NamedTuple):
    """The course of presentations: the values at the end of each step, which an engine writes here."""

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
        return cls(v=np.zeros(shape), current=np.zeros(shape), theta=np.zeros(shape), spikes=np.zeros(shape, np.bool_))


class Outcome(NamedTuple):
    """The result of `Engine.present`."""

    counts: NDArray[np.int32]
    """(N, P, C) spikes of each neuron."""
    unnormalised: int
    """How often a neuron's weights could not be normalised because their sum was not above 0."""


class Engine(Protocol):
    """A simulator of the time step of docs/model.md.

    The engine owns `network`: its constructor may replace the arrays, they are current after every call, and no other
    engine may use them.
    """

    network: Network

    def present(
        self,
        trains: SpikeTrains,
        switches: Switches,
        recording: Recording | None = None,
        learning_rates: NDArray[np.float64] | None = None,
        first_spikes: NDArray[np.int32] | None = None,
    ) -> Outcome:
        """Show presentations one after the other, each from the resting state.

        After each presentation the feedforward weights are normalised, the competition learns from the spike counts and
        drifts, and theta relaxes, as far as `switches` allow it (docs/model.md, End of a presentation).

        Parameters
        ----------
        trains : input spikes of N presentations
        switches : what they may change
        recording : where to write each step; default: nowhere
        learning_rates : (N,) factors of the feedforward A_plus and A_minus; default 1
        first_spikes : (N, P, C) zeros, where the step of each neuron's first spike is written, counted from 1
        """
        ...
