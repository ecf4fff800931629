"""Turn activities into spikes and back: spikes of each step, their mean over time, a low-pass filter.

N images, H hidden units, T steps. The rule is that of SpikingActivation of keras-spiking and pytorch-spiking.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stdpnet.arrays import Floats


def spikes(activity: Floats, v: Floats, dt: float, steps: int) -> Floats:
    """Return how often each unit spikes in each step, (T, N, H): v += activity*dt, n = floor(v), v -= n.

    There is no leak and no refractory time; a unit may spike several times in a step. The activity is constant, so that
    in T steps it spikes T*dt*activity times, up to one spike.

    Parameters
    ----------
    activity : (N, H), Hz
    v : (N, H) in [0, 1), potentials at the start; not changed
    dt : length of a step, s
    steps : T
    """
    counts = np.empty((steps, *activity.shape))
    potential = v.copy()
    for step in range(steps):
        potential += activity * dt
        np.floor(potential, out=counts[step])
        potential -= counts[step]
    return counts


class Filtered(NamedTuple):
    """The value of a low-pass filter after the last step, and its derivatives."""

    value: Floats
    """(N, H)."""
    by_input: Floats
    """(H,) with respect to an input that is the same in all steps."""
    by_log_tau: Floats
    """(N, H) with respect to the logarithm of the time constant."""
    by_level: Floats
    """(H,) with respect to the value before the first step."""


def lowpass(rates: Floats, log_tau: Floats, level: Floats, dt: float) -> Filtered:
    """Return y after the last step of y <- s y + (1 - s) rate, s = exp(-dt/tau).

    Parameters
    ----------
    rates : (T, N, H) input of each step, Hz
    log_tau : (H,) logarithm of the time constant in seconds
    level : (H,) y before the first step
    dt : length of a step, s
    """
    s = np.exp(-dt / np.exp(log_tau))
    value, by_s = np.broadcast_to(level, rates.shape[1:]), np.zeros(rates.shape[1:])
    for rate in rates:
        by_s = value - rate + s * by_s
        value = s * value + (1 - s) * rate
    remains: Floats = s ** len(rates)
    return Filtered(value=value, by_input=1 - remains, by_log_tau=by_s * s * dt / np.exp(log_tau), by_level=remains)
