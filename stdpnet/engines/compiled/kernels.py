"""Presentations, compiled: the steps of MODEL's time step as small functions, and the loops that call them.

Kernels work on a *group* of G positions that share one set of feedforward weights: a single position where each has its
own (LCSNN, FCSNN), all of them where they share kernels (CSNN). Groups share nothing that a kernel writes, so they may
run on any number of threads in any order with the same result.

Most steps of a position are calm: nobody spikes, nothing is learned. `calm` runs through them without looking up; the
rest is done between its calls. Traces are aged when they are needed, step by step as if they had been kept up to date,
and plasticity passes over what a trace of 0 cannot change. Neither alters a number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._jit import lean
from stdpnet.encoding import SpikeTrains
from stdpnet.engines.base import Constants, NeuronConstants, Recording, STDPConstants, Switches
from stdpnet.engines.compiled.vectors import Lanes, add, any_ge, length, load, mul, splat, store, sub
from stdpnet.network import Floats

FIRED, ASLEEP, ALIVE = 0, 1, 2  # rows of Spikes.tally
PRE, POST = 0, 1  # rows of Spikes.aged


class Group(NamedTuple):
    """The state of a group's part of the network; K channels: C, padded with neurons that never spike."""

    weights: Floats
    """(k*k, >= K) feedforward weights, mV."""
    theta: Floats
    """(G, K) adaptive threshold, mV."""
    competition: Floats
    """(G, C, >= K) learned competition, mV; (0, 0, 0) where it is fixed."""
    c_w: float
    """The one weight of fixed competition, mV."""
    windows: NDArray[np.int32]
    """(G, n*n) row of each pixel in each receptive field, -1 outside."""
    channels: int
    """Channels C without the padding."""
    shared: bool
    """Whether the members share the weights, so that all changes of a step are summed."""


class Output(NamedTuple):
    """Where kernels write what happened."""

    counts: NDArray[np.int32]
    """(N, P, C) spikes."""
    recording: Recording | None
    """Every step, if asked for."""
    first: int
    """Position of the group's first member."""


class Rules(NamedTuple):
    """The numbers of one presentation; what it may not change is switched off in them."""

    neuron: NeuronConstants
    xy: STDPConstants
    yy: STDPConstants
    learn_xy: bool
    learn_yy: bool
    norm: float
    drift: float
    relaxation: float


class Cells(NamedTuple):
    """What `calm` works on."""

    v: Floats
    """(G, K) membrane potential, mV."""
    current: Floats
    """(G, K) input that counts in the next step, mV."""
    theta: Floats
    """(G, K) adaptive threshold, mV."""
    weights: Floats
    """(k*k, >= K) feedforward weights, mV."""
    rows: NDArray[np.int32]
    """(G, S) receptive field rows of the input spikes, by step."""
    begins: NDArray[np.int32]
    """(G, T + 1) where the rows of each step begin."""
    crossed: NDArray[np.bool_]
    """(G,) whether a neuron may have crossed its threshold in the last step done."""


class Spikes(NamedTuple):
    """Who has spiked in this presentation, and the traces."""

    tally: NDArray[np.int32]
    """(3, G) how many neurons fired, are asleep, are alive."""
    fired: NDArray[np.int32]
    """(G, C) channels that spiked in this step, ascending."""
    asleep: NDArray[np.int32]
    """(G, C) channels that are refractory."""
    alive: NDArray[np.int32]
    """(G, C) channels that have spiked in this presentation: the others' traces are 0."""
    awake: NDArray[np.int32]
    """(G, C) first step that integrates; 0: has not spiked."""
    aged: NDArray[np.int32]
    """(2, G) how many steps the traces of pixels, and those of neurons, have behind them."""
    last: NDArray[np.int32]
    """(G, k*k) step of a pixel's last spike, -1 before the first; kept for nearest traces."""
    powers: Floats
    """(T + 1,) the presynaptic trace so many steps after its spike."""
    x: Floats
    """(G, k*k) presynaptic traces of XY."""
    y: Floats
    """(G, C) postsynaptic traces of XY."""
    a: Floats
    """(G, C) presynaptic traces of YY."""
    b: Floats
    """(G, C) postsynaptic traces of YY."""
    dw: Floats
    """(k*k, C) accumulated change of shared weights; zero between steps."""
    factor: Floats
    """(C,) of the normalisation."""


def rules_of(constants: Constants, switches: Switches) -> Rules:
    """Return the rules of presentations; frozen means times 1 and plus 0, which changes no number."""
    neuron, one, zero = constants.neuron, type(constants.norm)(1), type(constants.norm)(0)
    if not switches.adapt_theta:
        neuron = neuron._replace(decay_theta=one, theta_plus=zero)
    return Rules(
        neuron,
        constants.xy,
        constants.yy,
        switches.learn_xy,
        switches.learn_yy,
        constants.norm,
        constants.drift if switches.learn_yy else zero,
        constants.relaxation if switches.adapt_theta else zero,
    )


def allocate(trains: SpikeTrains, group: Group, xy: STDPConstants) -> tuple[Cells, Spikes]:
    """Return the scratch memory of a group's presentations."""
    (members, padded), fan_in, steps = group.theta.shape, len(group.weights), trains.offsets.shape[1]
    kind, channels = group.weights.dtype, group.channels
    longest = int(np.max(trains.offsets[:, -1] - trains.offsets[:, 0], initial=0))
    powers = np.ones(steps, kind)
    for n in range(1, steps):
        powers[n] = powers[n - 1] * xy.decay_pre
    neurons, pixels = (members, channels), (members, fan_in)

    def integers(*shape: int) -> NDArray[np.int32]:
        return np.zeros(shape, np.int32)

    def floats(*shape: int) -> Floats:
        return np.zeros(shape, kind)

    cells = Cells(
        floats(members, padded),
        floats(members, padded),
        group.theta,
        group.weights,
        integers(members, longest + 1),
        integers(members, steps),
        np.zeros(members, np.bool_),
    )
    spikes = Spikes(
        integers(3, members),
        integers(*neurons),
        integers(*neurons),
        integers(*neurons),
        integers(*neurons),
        integers(2, members),
        integers(*pixels),
        powers,
        floats(*pixels),
        floats(*neurons),
        floats(*neurons),
        floats(*neurons),
        floats(*((fan_in, channels) if group.shared else (0, 0))),
        floats(channels),
    )
    return cells, spikes


@lean
def present_group(
    trains: SpikeTrains,
    rates: Floats,
    group: Group,
    memory: tuple[Cells, Spikes],
    rules: Rules,
    output: Output,
    lanes: Lanes | None,
) -> int:
    """Show presentations to a group, one after the other; return how often a neuron could not be normalised.

    Parameters
    ----------
    trains : input spikes of N presentations
    rates : (N,) factors of the learning rate
    group, memory, rules, output : state, scratch memory (see `allocate`), numbers, where to write
    lanes : how many neurons a vector has; None: plain loops, which give the same numbers
    """
    cells, spikes = memory
    unnormalised = 0
    for i in range(trains.offsets.shape[0]):
        slowed = _slowed(rules, rates[i])
        _begin(trains, i, group, cells, spikes, rules.neuron)
        _present(i, group, cells, spikes, slowed, output, lanes)
        unnormalised += _end(group, rules, spikes.factor)
    return unnormalised


@lean
def _slowed(rules: Rules, rate: float) -> Rules:
    """Return the rules with the feedforward learning rate multiplied by a factor."""
    xy = rules.xy
    slowed = STDPConstants(
        xy.A_plus * rate, xy.A_minus * rate, xy.decay_pre, xy.decay_post, xy.w_min, xy.w_max, xy.accumulate
    )
    return Rules(
        rules.neuron,
        slowed,
        rules.yy,
        rules.learn_xy,
        rules.learn_yy,
        rules.norm,
        rules.drift,
        rules.relaxation,
    )


@lean
def _begin(trains: SpikeTrains, i: int, group: Group, cells: Cells, spikes: Spikes, neuron: NeuronConstants) -> None:
    """Set the resting state and find the receptive field rows of presentation i's input spikes."""
    cells.v[:] = neuron.v_rest
    cells.current[:] = 0
    for array in (spikes.tally, spikes.awake, spikes.aged):
        array[:] = 0
    for trace in (spikes.x, spikes.y, spikes.a, spikes.b):
        trace[:] = 0
    spikes.last[:] = -1
    for g in range(cells.v.shape[0]):
        _find_rows(trains.pixels, trains.offsets[i], group.windows[g], cells.rows[g], cells.begins[g])


@lean
def _find_rows(
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
    window: NDArray[np.int32],
    rows: NDArray[np.int32],
    begins: NDArray[np.int32],
) -> None:
    """Write the rows of the spikes inside a receptive field, and where each step begins."""
    count = 0
    for k in range(offsets.shape[0] - 1):
        begins[k] = count
        for spike in range(offsets[k], offsets[k + 1]):
            row = window[pixels[spike]]
            rows[count] = row
            count += row >= 0  # without a branch: half of the pixels are outside
    begins[offsets.shape[0] - 1] = count


@lean
def _present(
    i: int, group: Group, cells: Cells, spikes: Spikes, rules: Rules, output: Output, lanes: Lanes | None
) -> None:
    """Run a group through the steps of a presentation, and let it learn."""
    tally, members, steps = spikes.tally, cells.v.shape[0], cells.begins.shape[1] - 1
    depresses = rules.learn_xy and rules.xy.A_minus != 0
    k = 0
    while k < steps:
        busy = output.recording is not None
        for g in range(members):
            busy |= tally[ASLEEP, g] > 0 or (depresses and tally[ALIVE, g] > 0)
        if lanes is None:
            k = calm_plain(k, k + 1 if busy else steps, cells, rules.neuron)
        else:
            k = calm(k, k + 1 if busy else steps, cells, rules.neuron, lanes)
        for g in range(members):
            _keep_asleep(k, g, cells, spikes, rules.neuron)
            tally[FIRED, g] = 0
            if cells.crossed[g]:
                _fire(k, g, cells, spikes, rules.neuron)
            if tally[FIRED, g] > 0:
                _inhibit(g, group, cells, spikes)
                _raise_traces(k, g, spikes, rules)
                for n in range(tally[FIRED, g]):
                    output.counts[i, output.first + g, spikes.fired[g, n]] += 1
            if rules.learn_yy and tally[FIRED, g] > 0:
                _learn_competition(group.competition[g], g, spikes, rules.yy)
            _record(output.recording, i, k, g, output.first + g, cells, spikes)
        if rules.learn_xy:
            _learn(k, group, cells, spikes, rules)
        k += 1


@lean
def calm(k: int, stop: int, cells: Cells, neuron: NeuronConstants, lanes: Lanes) -> int:
    """Do steps 1, 2 and the input part of 4 (MODEL) until a neuron may fire; return the last step done.

    A block of neurons at a time: decay, integrate, compare with the threshold, then add up the weights of the step's
    input in registers. Refractory neurons move too, and are put back by the caller.
    """
    v, current, theta, weights, rows, begins, crossed = cells
    rest, threshold = splat(neuron.v_rest, lanes), splat(neuron.v_thresh, lanes)
    decay, decay_theta = splat(neuron.decay_v, lanes), splat(neuron.decay_theta, lanes)
    adapts = neuron.decay_theta != 1
    for step in range(k, stop):
        anybody = False
        for g in range(v.shape[0]):
            crossing = False
            first, end = begins[g, step], begins[g, step + 1]
            for block in range(0, v.shape[1], length(lanes)):
                adaptive = load(theta, g, block, lanes)
                if adapts:
                    adaptive = mul(adaptive, decay_theta)
                    store(theta, g, block, adaptive)
                moved = add(rest, mul(sub(load(v, g, block, lanes), rest), decay))
                moved = add(moved, load(current, g, block, lanes))
                store(v, g, block, moved)
                crossing |= any_ge(moved, add(threshold, adaptive))
                collected = sub(rest, rest)
                for spike in range(first, end):
                    collected = add(collected, load(weights, rows[g, spike], block, lanes))
                store(current, g, block, collected)
            crossed[g] = crossing
            anybody |= crossing
        if anybody:
            return step
    return stop - 1


@lean
def calm_plain(k: int, stop: int, cells: Cells, neuron: NeuronConstants) -> int:
    """Do what `calm` does in plain loops, with the same numbers: its oracle, and its fallback."""
    for step in range(k, stop):
        anybody = False
        for g in range(cells.v.shape[0]):
            v, current, theta = cells.v[g], cells.current[g], cells.theta[g]
            crossing = False
            for j in range(v.shape[0]):
                theta[j] *= neuron.decay_theta
                v[j] = neuron.v_rest + (v[j] - neuron.v_rest) * neuron.decay_v + current[j]
                crossing |= v[j] >= neuron.v_thresh + theta[j]
                current[j] = 0
            for spike in range(cells.begins[g, step], cells.begins[g, step + 1]):
                incoming = cells.weights[cells.rows[g, spike]]
                for j in range(v.shape[0]):
                    current[j] += incoming[j]
            cells.crossed[g] = crossing
            anybody |= crossing
        if anybody:
            return step
    return stop - 1


@lean
def _keep_asleep(k: int, g: int, cells: Cells, spikes: Spikes, neuron: NeuronConstants) -> None:
    """Put refractory neurons back to the reset potential; forget those that have woken."""
    left = 0
    for n in range(spikes.tally[ASLEEP, g]):
        j = spikes.asleep[g, n]
        if spikes.awake[g, j] > k:
            cells.v[g, j] = neuron.v_reset
            spikes.asleep[g, left] = j
            left += 1
    spikes.tally[ASLEEP, g] = left


@lean
def _fire(k: int, g: int, cells: Cells, spikes: Spikes, neuron: NeuronConstants) -> None:
    """Find who fires, ascending, and reset them (steps 3 and 7): steps 5 and 6 read neither v nor theta."""
    tally, awake = spikes.tally, spikes.awake
    for j in range(awake.shape[1]):
        if cells.v[g, j] >= neuron.v_thresh + cells.theta[g, j] and awake[g, j] <= k:
            spikes.fired[g, tally[FIRED, g]] = j
            tally[FIRED, g] += 1
            if awake[g, j] == 0:
                spikes.alive[g, tally[ALIVE, g]] = j
                tally[ALIVE, g] += 1
            awake[g, j] = k + 1 + neuron.refractory_steps
            if neuron.refractory_steps > 0:
                spikes.asleep[g, tally[ASLEEP, g]] = j
                tally[ASLEEP, g] += 1
            cells.v[g, j] = neuron.v_reset
            cells.theta[g, j] += neuron.theta_plus


@lean
def _inhibit(g: int, group: Group, cells: Cells, spikes: Spikes) -> None:
    """Add the weights of the competition to the input, spiking neurons ascending (step 4)."""
    current = cells.current[g]
    for n in range(spikes.tally[FIRED, g]):
        i = spikes.fired[g, n]
        if group.competition.shape[0] > 0:
            outgoing = group.competition[g, i]  # its own entry is 0
            for j in range(current.shape[0]):
                current[j] += outgoing[j]
        else:
            own = current[i]
            for j in range(current.shape[0]):
                current[j] += group.c_w
            current[i] = own


@lean
def _age(k: int, g: int, spikes: Spikes, rules: Rules) -> None:
    """Bring the neurons' traces to step k: one multiplication for each step (step 1)."""
    for _ in range(spikes.aged[POST, g], k + 1):
        for n in range(spikes.tally[ALIVE, g]):
            j = spikes.alive[g, n]
            spikes.y[g, j] *= rules.xy.decay_post
            spikes.a[g, j] *= rules.yy.decay_pre
            spikes.b[g, j] *= rules.yy.decay_post
    spikes.aged[POST, g] = k + 1


@lean
def _raise_traces(k: int, g: int, spikes: Spikes, rules: Rules) -> None:
    """Age the neurons' traces and raise those of the neurons that fired (step 5), if anything is learned with them."""
    if not (rules.learn_xy or rules.learn_yy):
        return
    _age(k, g, spikes, rules)
    for n in range(spikes.tally[FIRED, g]):
        j = spikes.fired[g, n]
        spikes.y[g, j] = spikes.y[g, j] + 1 if rules.xy.accumulate else 1
        spikes.a[g, j] = spikes.a[g, j] + 1 if rules.yy.accumulate else 1
        spikes.b[g, j] = spikes.b[g, j] + 1 if rules.yy.accumulate else 1


@lean
def _find_pixel_traces(k: int, g: int, cells: Cells, spikes: Spikes, xy: STDPConstants) -> None:
    """Bring the pixels' traces x to step k (steps 1 and 5)."""
    x, last = spikes.x[g], spikes.last[g]
    for step in range(spikes.aged[PRE, g], k + 1):
        if xy.accumulate:
            for row in range(x.shape[0]):
                x[row] *= xy.decay_pre
        for spike in range(cells.begins[g, step], cells.begins[g, step + 1]):
            row = cells.rows[g, spike]
            if xy.accumulate:
                x[row] += 1
            last[row] = step
    if not xy.accumulate:
        for row in range(x.shape[0]):
            x[row] = spikes.powers[k - last[row]] if last[row] >= 0 else 0
    spikes.aged[PRE, g] = k + 1


@lean
def clip(w: float, stdp: STDPConstants) -> float:
    """Return w within the bounds of its plasticity."""
    return min(max(w, stdp.w_min), stdp.w_max)


@lean
def _learn(k: int, group: Group, cells: Cells, spikes: Spikes, rules: Rules) -> None:
    """STDP of the feedforward weights in step k (MODEL, step 6), if anybody has spiked to learn from."""
    alive = fired = False
    for g in range(cells.v.shape[0]):
        alive |= spikes.tally[ALIVE, g] > 0
        fired |= spikes.tally[FIRED, g] > 0
    depresses = alive and rules.xy.A_minus != 0
    if group.shared and (fired or depresses):
        _learn_shared(k, group, cells, spikes, rules)
    elif depresses:
        _depress(k, group, cells, spikes, rules)
    if fired and not group.shared:
        _potentiate(k, group, cells, spikes, rules.xy)


@lean
def _depress(k: int, group: Group, cells: Cells, spikes: Spikes, rules: Rules) -> None:
    """Let the input spikes depress a position's own weights (step 6): w <- clip(w - A_minus*y)."""
    _age(k, 0, spikes, rules)
    alive, y, xy, n_alive = spikes.alive[0], spikes.y[0], rules.xy, spikes.tally[ALIVE, 0]
    dense = 8 * n_alive > group.channels
    for spike in range(cells.begins[0, k], cells.begins[0, k + 1]):
        w = group.weights[cells.rows[0, spike]]
        if dense:
            for j in range(group.channels):
                w[j] = clip(w[j] - xy.A_minus * y[j], xy)
        else:
            for n in range(n_alive):
                w[alive[n]] = clip(w[alive[n]] - xy.A_minus * y[alive[n]], xy)


@lean
def _potentiate(k: int, group: Group, cells: Cells, spikes: Spikes, xy: STDPConstants) -> None:
    """Let the neurons that fired potentiate their position's own weights (step 6): w <- clip(w + A_plus*x)."""
    _find_pixel_traces(k, 0, cells, spikes, xy)
    weights, x = group.weights, spikes.x[0]
    for n in range(spikes.tally[FIRED, 0]):
        j = spikes.fired[0, n]
        for row in range(weights.shape[0]):
            weights[row, j] = clip(weights[row, j] + xy.A_plus * x[row], xy)


@lean
def _learn_shared(k: int, group: Group, cells: Cells, spikes: Spikes, rules: Rules) -> None:
    """STDP of weights that all positions share: changes are summed, then applied and clipped once (step 6).

    One entry belongs to one pixel of each position, so that going by position adds up each entry in MODEL's order.
    """
    xy = rules.xy
    for g in range(cells.v.shape[0]):
        n_alive = spikes.tally[ALIVE, g]
        if xy.A_minus != 0 and n_alive > 0:
            _age(k, g, spikes, rules)
            for spike in range(cells.begins[g, k], cells.begins[g, k + 1]):
                row = cells.rows[g, spike]
                for n in range(n_alive):
                    j = spikes.alive[g, n]
                    spikes.dw[row, j] -= xy.A_minus * spikes.y[g, j]
    for g in range(cells.v.shape[0]):
        if spikes.tally[FIRED, g] > 0:
            _find_pixel_traces(k, g, cells, spikes, xy)
        for n in range(spikes.tally[FIRED, g]):
            j = spikes.fired[g, n]
            for row in range(group.weights.shape[0]):
                spikes.dw[row, j] += xy.A_plus * spikes.x[g, row]
    for row in range(group.weights.shape[0]):
        w, dw = group.weights[row], spikes.dw[row]
        for j in range(group.channels):
            w[j] = clip(w[j] + dw[j], xy)
            dw[j] = 0


@lean
def _learn_competition(competition: Floats, g: int, spikes: Spikes, yy: STDPConstants) -> None:
    """STDP of a position's (C, C) competition: every pre, then every post spike; the diagonal stays 0 (step 6)."""
    a, b, alive, n_alive = spikes.a[g], spikes.b[g], spikes.alive[g], spikes.tally[ALIVE, g]
    for n in range(spikes.tally[FIRED, g]):
        i = spikes.fired[g, n]
        for m in range(n_alive):
            j = alive[m]
            competition[i, j] = clip(competition[i, j] - yy.A_minus * b[j], yy)
        competition[i, i] = 0
    for n in range(spikes.tally[FIRED, g]):
        j = spikes.fired[g, n]
        for m in range(n_alive):
            i = alive[m]
            competition[i, j] = clip(competition[i, j] + yy.A_plus * a[i], yy)
        competition[j, j] = 0


@lean
def _record(recording: Recording | None, i: int, k: int, g: int, position: int, cells: Cells, spikes: Spikes) -> None:
    """Write the end of a step, if that is asked for."""
    if recording is not None:
        for j in range(recording.v.shape[3]):
            recording.v[i, k, position, j] = cells.v[g, j]
            recording.current[i, k, position, j] = cells.current[g, j]
            recording.theta[i, k, position, j] = cells.theta[g, j]
        for n in range(spikes.tally[FIRED, g]):
            recording.spikes[i, k, position, spikes.fired[g, n]] = True


@lean
def _end(group: Group, rules: Rules, factor: Floats) -> int:
    """Normalise, drift and relax after a presentation; return how many neurons could not be normalised."""
    if rules.drift != 0:
        for g in range(group.competition.shape[0]):
            drift(group.competition[g], rules.drift, rules.yy)
    if rules.relaxation > 0:
        for g in range(group.theta.shape[0]):
            for j in range(group.channels):
                group.theta[g, j] = max(group.theta[g, j] - rules.relaxation, 0)
    return normalise(group.weights, factor, rules.norm, rules.xy) if rules.learn_xy else 0


@lean
def drift(competition: Floats, change: float, yy: STDPConstants) -> None:
    """Add the drift to a position's (C, C) competition, and clip it; the diagonal stays 0 (after a presentation)."""
    channels = competition.shape[0]
    for i in range(channels):
        for j in range(channels):
            competition[i, j] = clip(competition[i, j] + change, yy)
        competition[i, i] = 0


@lean
def normalise(weights: Floats, factor: Floats, norm: float, xy: STDPConstants) -> int:
    """Scale each neuron's (k*k, >= C) weights to the sum `norm`, and clip; return how many had a sum not above 0.

    `factor` is scratch memory, (C,).
    """
    channels = factor.shape[0]
    factor[:] = 0
    for row in range(weights.shape[0]):
        w = weights[row]
        for j in range(channels):
            factor[j] += w[j]
    left = 0
    for j in range(channels):
        left += not factor[j] > 0
        factor[j] = norm / factor[j] if factor[j] > 0 else 1
    for row in range(weights.shape[0]):
        w = weights[row]
        for j in range(channels):
            w[j] = clip(w[j] * factor[j], xy)
    return left
