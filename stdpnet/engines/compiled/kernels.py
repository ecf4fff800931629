"""One presentation, compiled: the steps of MODEL's time step as small functions, and the loop that calls them.

Kernels work on a *group* of positions that share one set of feedforward weights: a single position where each has its
own (LCSNN, FCSNN), all of them where they share kernels (CSNN). Groups share nothing that a kernel writes, so they may
run on any number of threads in any order with the same result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._jit import compiled
from stdpnet.encoding import SpikeTrains
from stdpnet.engines.base import Constants, NeuronConstants, Recording, STDPConstants, Switches
from stdpnet.network import Floats


class Arrays(NamedTuple):
    """The network's state as kernels see it."""

    weights: Floats
    """(S, k*k, C) feedforward weights, mV."""
    theta: Floats
    """(P, C) adaptive threshold, mV."""
    competition: Floats
    """(P, C, C) learned competition, mV; (0, 0, 0) where it is fixed."""
    c_w: float
    """The one weight of fixed competition, mV."""
    windows: NDArray[np.int32]
    """(P, n*n) row of each pixel in each receptive field, -1 outside."""


class Scratch(NamedTuple):
    """What lives for one presentation; leading axis: members of the group."""

    v: Floats
    """(G, C) membrane potential, mV."""
    current: Floats
    """(G, C) input that counts in the next step, mV."""
    awake: NDArray[np.int32]
    """(G, C) first step that integrates."""
    fired: NDArray[np.int32]
    """(G, C) channels that spiked in this step, ascending."""
    n_fired: NDArray[np.int32]
    """(G,) how many did."""
    x: Floats
    """(G, k*k) presynaptic traces of XY."""
    y: Floats
    """(G, C) postsynaptic traces of XY."""
    a: Floats
    """(G, C) presynaptic traces of YY."""
    b: Floats
    """(G, C) postsynaptic traces of YY."""
    rows: NDArray[np.int32]
    """(G, S) receptive field rows of the input spikes, by step."""
    begins: NDArray[np.int32]
    """(G, T + 1) where the rows of each step begin."""
    dw: Floats
    """(k*k, C) accumulated change of shared weights; zero between steps."""


@compiled
def present_group(
    trains: SpikeTrains,
    members: NDArray[np.int64],
    arrays: Arrays,
    constants: Constants,
    switches: Switches,
    counts: NDArray[np.int32],
    recording: Recording | None,
    rates: Floats,
) -> int:
    """Show presentations to the group's member positions; return how often a neuron could not be normalised."""
    weights = arrays.weights[members[0] if arrays.weights.shape[0] > 1 else 0]
    s = _scratch(trains, members, arrays, weights)
    steps = trains.offsets.shape[1] - 1
    unnormalised = 0
    for i in range(trains.offsets.shape[0]):
        _begin(trains, i, members, arrays, constants.neuron, s)
        xy = _slowed(constants.xy, rates[i])
        spiked = False
        for k in range(steps):
            for g in range(members.shape[0]):
                position = members[g]
                s.n_fired[g] = advance(
                    k, s.v[g], s.current[g], s.awake[g], arrays.theta[position], s.fired[g], constants.neuron, switches
                )
                rows, fired = s.rows[g, s.begins[g, k] : s.begins[g, k + 1]], s.fired[g, : s.n_fired[g]]
                spiked |= fired.shape[0] > 0
                _transmit(s.current[g], weights, rows, fired, arrays, position)
                if switches.learn_xy:
                    _trace(s.x[g], rows, constants.xy.decay_pre, constants.xy.accumulate)
                    _trace(s.y[g], fired, constants.xy.decay_post, constants.xy.accumulate)
                if switches.learn_yy:
                    _trace(s.a[g], fired, constants.yy.decay_pre, constants.yy.accumulate)
                    _trace(s.b[g], fired, constants.yy.decay_post, constants.yy.accumulate)
                    learn_competition(arrays.competition[position], fired, s.a[g], s.b[g], constants.yy)
                for channel in fired:
                    counts[i, position, channel] += 1
                if recording is not None:
                    recording.v[i, k, position] = s.v[g]
                    recording.current[i, k, position] = s.current[g]
                    for channel in fired:
                        recording.spikes[i, k, position, channel] = True
            if switches.learn_xy and spiked:
                if members.shape[0] == 1:
                    rows, fired = s.rows[0, s.begins[0, k] : s.begins[0, k + 1]], s.fired[0, : s.n_fired[0]]
                    learn_own(weights, rows, fired, s.x[0], s.y[0], xy)
                else:
                    learn_shared(weights, k, s, xy)
        if switches.learn_xy:
            unnormalised += normalise(weights, constants.norm, constants.xy)
        for position in members:
            if switches.learn_yy and constants.drift != 0:
                drift(arrays.competition[position], constants)
            if switches.adapt_theta and constants.relaxation > 0:
                relax(arrays.theta[position], constants.relaxation)
    return unnormalised


@compiled
def _scratch(trains: SpikeTrains, members: NDArray[np.int64], arrays: Arrays, weights: Floats) -> Scratch:
    """Allocate what a presentation needs."""
    group, (fan_in, channels) = members.shape[0], weights.shape
    longest = (trains.offsets[:, -1] - trains.offsets[:, 0]).max() if trains.offsets.shape[0] > 0 else 0
    neurons, kind = (group, channels), weights.dtype
    return Scratch(
        np.empty(neurons, kind),
        np.empty(neurons, kind),
        np.empty(neurons, np.int32),
        np.empty(neurons, np.int32),
        np.zeros(group, np.int32),
        np.empty((group, fan_in), kind),
        np.empty(neurons, kind),
        np.empty(neurons, kind),
        np.empty(neurons, kind),
        np.empty((group, longest), np.int32),
        np.empty((group, trains.offsets.shape[1]), np.int32),
        np.zeros(weights.shape if group > 1 else (0, 0), kind),
    )


@compiled
def _begin(
    trains: SpikeTrains, i: int, members: NDArray[np.int64], arrays: Arrays, neuron: NeuronConstants, s: Scratch
) -> None:
    """Set the resting state and find the receptive field rows of presentation i's input spikes."""
    s.v[:] = neuron.v_rest
    s.current[:] = 0
    s.awake[:] = 0
    s.x[:] = 0
    s.y[:] = 0
    s.a[:] = 0
    s.b[:] = 0
    offsets = trains.offsets[i]
    for g in range(members.shape[0]):
        window, rows = arrays.windows[members[g]], s.rows[g]
        count = 0
        for k in range(offsets.shape[0] - 1):
            s.begins[g, k] = count
            for pixel in trains.pixels[offsets[k] : offsets[k + 1]]:
                row = window[pixel]
                if row >= 0:
                    rows[count] = row
                    count += 1
        s.begins[g, offsets.shape[0] - 1] = count


@compiled
def advance(
    k: int,
    v: Floats,
    current: Floats,
    awake: NDArray[np.int32],
    theta: Floats,
    fired: NDArray[np.int32],
    neuron: NeuronConstants,
    switches: Switches,
) -> int:
    """Decay, integrate and threshold (MODEL, steps 1 to 3) a position's (C,) neurons; write who fired, return how many.

    Those who fired are reset at once (step 7): steps 4 to 6 read neither v nor theta.
    """
    if switches.adapt_theta:
        for j in range(theta.shape[0]):
            theta[j] *= neuron.decay_theta
    crossed = 0
    for j in range(v.shape[0]):
        moved = neuron.v_rest + (v[j] - neuron.v_rest) * neuron.decay_v + current[j]
        integrates = awake[j] <= k
        v[j] = moved if integrates else v[j]
        current[j] = 0
        crossed += integrates & (moved >= neuron.v_thresh + theta[j])
    if crossed == 0:
        return 0
    count = 0
    for j in range(v.shape[0]):
        if awake[j] <= k and v[j] >= neuron.v_thresh + theta[j]:
            fired[count] = j
            count += 1
            v[j] = neuron.v_reset
            awake[j] = k + 1 + neuron.refractory_steps
            if switches.adapt_theta:
                theta[j] += neuron.theta_plus
    return count


@compiled
def _transmit(
    current: Floats, weights: Floats, rows: NDArray[np.int32], fired: NDArray[np.int32], arrays: Arrays, position: int
) -> None:
    """Add the weights of the input spikes, then of the neurons' own (MODEL, step 4)."""
    for row in rows:
        incoming = weights[row]
        for j in range(current.shape[0]):
            current[j] += incoming[j]
    for i in fired:
        if arrays.competition.shape[0] > 0:
            outgoing = arrays.competition[position, i]  # its own entry is 0
            for j in range(current.shape[0]):
                current[j] += outgoing[j]
        else:
            own = current[i]
            for j in range(current.shape[0]):
                current[j] += arrays.c_w
            current[i] = own


@compiled
def _trace(trace: Floats, spikes: NDArray[np.int32], decay: float, accumulate: bool) -> None:
    """Decay a trace, then raise it where there were spikes (MODEL, steps 1 and 5)."""
    for j in range(trace.shape[0]):
        trace[j] *= decay
    for j in spikes:
        trace[j] = trace[j] + 1 if accumulate else 1


@compiled
def _slowed(stdp: STDPConstants, rate: float) -> STDPConstants:
    """Return a plasticity with its amplitudes multiplied by a rate."""
    return STDPConstants(
        stdp.A_plus * rate,
        stdp.A_minus * rate,
        stdp.decay_pre,
        stdp.decay_post,
        stdp.w_min,
        stdp.w_max,
        stdp.accumulate,
    )


@compiled
def clip(w: float, stdp: STDPConstants) -> float:
    """Return w within the bounds of its plasticity."""
    return min(max(w, stdp.w_min), stdp.w_max)


@compiled
def learn_own(
    weights: Floats, rows: NDArray[np.int32], fired: NDArray[np.int32], x: Floats, y: Floats, stdp: STDPConstants
) -> None:
    """STDP of one position's own (k*k, C) weights: every pre spike, then every post spike (MODEL, step 6)."""
    if stdp.A_minus != 0:
        for row in rows:
            w = weights[row]
            for j in range(w.shape[0]):
                w[j] = clip(w[j] - stdp.A_minus * y[j], stdp)
    for j in fired:
        for row in range(weights.shape[0]):
            weights[row, j] = clip(weights[row, j] + stdp.A_plus * x[row], stdp)


@compiled
def learn_shared(weights: Floats, k: int, s: Scratch, stdp: STDPConstants) -> None:
    """STDP of (k*k, C) weights that all positions share: changes are summed, then applied and clipped once (step 6).

    One entry belongs to one pixel of each position, so that going by position adds up each entry in MODEL's order.
    """
    spikes = 0
    for g in range(s.v.shape[0]):
        spikes += s.n_fired[g]
        if stdp.A_minus != 0:
            for row in s.rows[g, s.begins[g, k] : s.begins[g, k + 1]]:
                for j in range(weights.shape[1]):
                    s.dw[row, j] -= stdp.A_minus * s.y[g, j]
    for g in range(s.v.shape[0]):
        for j in s.fired[g, : s.n_fired[g]]:
            for row in range(weights.shape[0]):
                s.dw[row, j] += stdp.A_plus * s.x[g, row]
    if spikes > 0 or stdp.A_minus != 0:
        for row in range(weights.shape[0]):
            for j in range(weights.shape[1]):
                weights[row, j] = clip(weights[row, j] + s.dw[row, j], stdp)
                s.dw[row, j] = 0


@compiled
def learn_competition(competition: Floats, fired: NDArray[np.int32], a: Floats, b: Floats, stdp: STDPConstants) -> None:
    """STDP of a position's (C, C) competition: every pre, then every post spike; the diagonal stays 0 (step 6)."""
    for i in fired:
        for j in range(competition.shape[1]):
            competition[i, j] = clip(competition[i, j] - stdp.A_minus * b[j], stdp)
        competition[i, i] = 0
    for j in fired:
        for i in range(competition.shape[0]):
            competition[i, j] = clip(competition[i, j] + stdp.A_plus * a[i], stdp)
        competition[j, j] = 0


@compiled
def relax(theta: Floats, relaxation: float) -> None:
    """Take the theta of the target rate's spikes from each neuron, down to 0 (after a presentation)."""
    for j in range(theta.shape[0]):
        theta[j] = max(theta[j] - relaxation, 0)


@compiled
def drift(competition: Floats, constants: Constants) -> None:
    """Add the drift to a position's (C, C) competition, and clip it; the diagonal stays 0 (after a presentation)."""
    for i in range(competition.shape[0]):
        for j in range(competition.shape[1]):
            competition[i, j] = clip(competition[i, j] + constants.drift, constants.yy)
        competition[i, i] = 0


@compiled
def normalise(weights: Floats, norm: float, stdp: STDPConstants) -> int:
    """Scale each column of (k*k, C) weights to the sum `norm` and clip it; return how many had a sum not above 0."""
    factor = np.zeros(weights.shape[1], weights.dtype)
    for row in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            factor[j] += weights[row, j]
    left = 0
    for j in range(weights.shape[1]):
        left += not factor[j] > 0
        factor[j] = norm / factor[j] if factor[j] > 0 else 1
    for row in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            weights[row, j] = clip(weights[row, j] * factor[j], stdp)
    return left
