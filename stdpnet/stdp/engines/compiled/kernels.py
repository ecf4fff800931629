"""Presentations, compiled: the steps of MODEL's time step as small functions, and the loops that call them.

Kernels work on a *group* of G positions that share one set of feedforward weights: a single position where each has its
own (LCSNN, FCSNN), all of them where they share kernels (CSNN). Groups share nothing that a kernel writes, so they may
run on any number of threads in any order with the same result.

Most steps of a position are calm: nobody spikes. `calm` runs through them without looking up; the rest is done between
its calls (see plasticity, shared, competition and normalisation for what is learned). The type of `block`
decides how it computes, so that there is one kernel in the source and one in the cache for each shape of a block.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.calm import calm
from stdpnet.stdp.engines.compiled.competition import end_competition, inhibit, learn_competition
from stdpnet.stdp.engines.compiled.events import Events
from stdpnet.stdp.engines.compiled.normalisation import normalise
from stdpnet.stdp.engines.compiled.plasticity import learn, raise_traces, slowed
from stdpnet.stdp.engines.compiled.shared import learn_shared
from stdpnet.stdp.engines.compiled.state import ALIVE, ASLEEP, FIRED, Cells, Group, Memory, Output, Rules, Spikes, State
from stdpnet.stdp.engines.compiled.vectors import Block, add, bits_ge, length, load, lowest_bit, single, splat
from stdpnet.stdp.engines.constants import NeuronConstants
from stdpnet.stdp.engines.protocol import Recording


@compiled
def present(
    tasks: NDArray[np.int64],
    events: Events,
    rates: Floats,
    state: State,
    memory: Memory,
    rules: Rules,
    output: Output,
    block: Block | None,
) -> int:
    """Show presentations to groups, one after the other; return how often a neuron could not be normalised.

    Parameters
    ----------
    tasks : (M, 3) of each: group, first presentation, presentation after the last
    events : input spikes of N presentations
    rates : (N,) factors of the learning rate
    state, memory, rules, output : the network, scratch memory (see `allocate`), numbers, where to write
    block : neurons to work on together; None: plain loops, which give the same numbers
    """
    size = state.theta.shape[0] // state.weights.shape[0]
    unnormalised = 0
    for task in range(tasks.shape[0]):
        number = tasks[task, 0]
        first, end = number * size, (number + 1) * size
        group = Group(
            state.weights[number],
            state.theta[first:end],
            state.competition[first:end],
            state.c_w,
            state.fields[first:end],
            state.channels,
            state.shared,
            first,
        )
        for i in range(tasks[task, 1], tasks[task, 2]):
            own = slowed(rules, rates[i])
            _rest(memory.cells, memory.spikes, rules)
            _present(i, events, group, memory.cells, memory.spikes, own, output, block)
            unnormalised += _end(output.counts[i], group, rules, memory.spikes, block)
    return unnormalised


@inlined
def _rest(cells: Cells, spikes: Spikes, rules: Rules) -> None:
    """Set the resting state; of the neurons, only those that have spiked have left it."""
    cells.v[:] = rules.neuron.v_rest
    cells.current[:] = 0
    for g in range(cells.v.shape[0]):
        for n in range(spikes.tally[ALIVE, g]):
            j = spikes.alive[g, n]
            spikes.awake[g, j] = 0
            spikes.y[g, j] = spikes.a[g, j] = spikes.b[g, j] = 0
    spikes.tally[:] = 0
    spikes.aged[:] = 0
    if rules.learn_xy:
        spikes.x[:] = 0
        spikes.last[:] = -1


@internal
def _present(
    i: int,
    events: Events,
    group: Group,
    cells: Cells,
    spikes: Spikes,
    rules: Rules,
    output: Output,
    block: Block | None,
) -> None:
    """Run a group through the steps of presentation i, and let it learn."""
    tally, members = spikes.tally, cells.v.shape[0]
    rows, begins, bands = events.rows[i], events.begins[i], events.bands
    steps = (begins.shape[1] - 1) // bands
    depresses = rules.learn_xy and rules.xy.A_minus != 0
    k = 0
    while k < steps:
        stop = steps if output.recording is None else k + 1
        alive = False
        for g in range(members):
            if tally[ASLEEP, g] > 0:
                stop = min(stop, _wake(k, g, cells, spikes, rules.neuron))
            alive |= tally[ALIVE, g] > 0
        k = calm(k, stop, rows, begins, bands, group, cells, spikes, rules, depresses and alive, block)
        fired = False
        for g in range(members):
            tally[FIRED, g] = 0
            if cells.crossed[g]:
                _fire(k, g, group.theta, cells, spikes, rules.neuron, block)
            if tally[FIRED, g] > 0:
                fired = True
                for n in range(tally[FIRED, g]):
                    output.counts[i, group.first + g, spikes.fired[g, n]] += 1
                inhibit(g, group, cells, spikes)
                raise_traces(k, g, spikes, rules)
                if rules.learn_yy:
                    learn_competition(k, group.competition[g], g, spikes, rules.yy)
            _record(output.recording, i, k, g, group, cells, spikes, rules.neuron)
        if fired or (depresses and alive):
            if group.shared:
                learn_shared(k, fired, rows, begins, bands, group, spikes, rules, block)
            else:
                learn(k, fired, rows, begins, bands, group, spikes, rules, block)
        k += 1


@inlined
def _wake(k: int, g: int, cells: Cells, spikes: Spikes, neuron: NeuronConstants) -> int:
    """Wake the neurons that integrate from step k on; return the step from which the next one does.

    Refractory neurons lie at -infinity, where neither decay nor input moves them.
    """
    left, following = 0, np.iinfo(np.int32).max
    for n in range(spikes.tally[ASLEEP, g]):
        j = spikes.asleep[g, n]
        if spikes.awake[g, j] <= k:
            cells.v[g, j] = neuron.v_reset
        else:
            following = min(following, spikes.awake[g, j])
            spikes.asleep[g, left] = j
            left += 1
    spikes.tally[ASLEEP, g] = left
    return following


@inlined
def _fire(
    k: int, g: int, theta: Floats, cells: Cells, spikes: Spikes, neuron: NeuronConstants, block: Block | None
) -> None:
    """Find who fires, ascending, and reset them (steps 3 and 7): steps 5 and 6 read neither v nor theta."""
    if block is None:
        for j in range(spikes.awake.shape[1]):
            if cells.v[g, j] >= neuron.v_thresh + theta[g, j]:
                _fire_one(k, g, j, theta, cells, spikes, neuron)
    else:
        one = single(block)
        threshold = splat(neuron.v_thresh, one)
        for start in range(0, cells.v.shape[1], length(one)):
            bits = bits_ge(load(cells.v, g, start, one), add(threshold, load(theta, g, start, one)))
            while bits != 0:
                _fire_one(k, g, start + lowest_bit(bits), theta, cells, spikes, neuron)
                bits &= bits - 1


@inlined
def _fire_one(k: int, g: int, j: int, theta: Floats, cells: Cells, spikes: Spikes, neuron: NeuronConstants) -> None:
    """Let a neuron fire; a refractory one does not get here."""
    tally, awake = spikes.tally, spikes.awake
    spikes.fired[g, tally[FIRED, g]] = j
    tally[FIRED, g] += 1
    if awake[g, j] == 0:
        spikes.alive[g, tally[ALIVE, g]] = j
        tally[ALIVE, g] += 1
    awake[g, j] = k + 1 + neuron.refractory_steps
    cells.v[g, j] = neuron.v_reset
    if neuron.refractory_steps > 0:
        spikes.asleep[g, tally[ASLEEP, g]] = j
        tally[ASLEEP, g] += 1
        cells.v[g, j] = -np.inf
    theta[g, j] += neuron.theta_plus


@inlined
def _record(
    recording: Recording | None,
    i: int,
    k: int,
    g: int,
    group: Group,
    cells: Cells,
    spikes: Spikes,
    neuron: NeuronConstants,
) -> None:
    """Write the end of a step, if that is asked for."""
    if recording is not None:
        position = group.first + g
        for j in range(group.channels):
            recording.v[i, k, position, j] = neuron.v_reset if spikes.awake[g, j] > k else cells.v[g, j]
            recording.current[i, k, position, j] = cells.current[g, j]
            recording.theta[i, k, position, j] = group.theta[g, j]
        for n in range(spikes.tally[FIRED, g]):
            recording.spikes[i, k, position, spikes.fired[g, n]] = True


@internal
def _end(counts: NDArray[np.int32], group: Group, rules: Rules, spikes: Spikes, block: Block | None) -> int:
    """End a presentation with these counts (P, C); return how many neurons could not be normalised."""
    if rules.learn_yy:
        for g in range(group.competition.shape[0]):
            end_competition(group.competition[g], counts[group.first + g], spikes, rules.yy)
    if rules.relaxation > 0:
        for g in range(group.theta.shape[0]):
            for j in range(group.channels):
                group.theta[g, j] = max(group.theta[g, j] - rules.relaxation, 0)
    return normalise(group.weights, group.channels, spikes.sums, rules.norm, rules.xy, block) if rules.learn_xy else 0
