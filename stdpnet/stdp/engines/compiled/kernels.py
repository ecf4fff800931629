"""Presentations: run groups of positions through the time steps of docs/model.md, and end each presentation.

Kernels work on a *group* of G positions: a single one where every position has its own feedforward weights (LCSNN,
FCSNN) or nothing is learned, all positions where they learn shared kernels (CSNN). Groups share nothing that a kernel
writes, so they may run on any number of threads in any order with the same result.

In most steps of a position no neuron spikes. `advance` runs through them in one loop until a neuron reaches its
threshold or plasticity is due; `_present` does the rest of that step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.blocks import Block
from stdpnet.stdp.engines.compiled.competition import end_competition, inhibit, learn_competition
from stdpnet.stdp.engines.compiled.events import Events, presentation_events
from stdpnet.stdp.engines.compiled.memory import Activity, Cells, Memory
from stdpnet.stdp.engines.compiled.normalisation import normalise
from stdpnet.stdp.engines.compiled.plasticity import learn, raise_y, with_learning_rate
from stdpnet.stdp.engines.compiled.shared import learn_shared
from stdpnet.stdp.engines.compiled.stages import COMPETITION, INTEGRATE, NORMALISE, OTHER, PLASTICITY, REST, SPIKES, lap
from stdpnet.stdp.engines.compiled.state import Group, Output, Rules, State
from stdpnet.stdp.engines.compiled.subthreshold import advance
from stdpnet.stdp.engines.compiled.vectors import add, bits_ge, length, load, lowest_bit
from stdpnet.stdp.engines.constants import NeuronConstants
from stdpnet.stdp.engines.protocol import Recording

NEVER = 2**31 - 1
"""A time step after the end of every presentation."""


@compiled
def present(
    tasks: NDArray[np.int64],
    events: Events,
    learning_rates: Floats,
    state: State,
    memory: Memory,
    rules: Rules,
    output: Output,
    block: Block,
) -> int:
    """Show presentations to groups, one after the other; return how often a neuron could not be normalised.

    Parameters
    ----------
    tasks : (M, 3) group, first presentation, and presentation after the last, of each task
    events : input spikes of N presentations
    learning_rates : (N,) factors of the feedforward A_plus and A_minus
    state, memory, rules, output : the network, scratch memory (see `allocate`), numbers, where to write
    block : a block of one register
    """
    size = memory.cells.v.shape[0]
    unnormalised = 0
    lap(memory.stages, OTHER)
    for task in range(tasks.shape[0]):
        number = tasks[task, 0]
        first, end = number * size, (number + 1) * size
        group = Group(
            weights=state.weights[first * state.weights.shape[0] // state.theta.shape[0]],
            theta=state.theta[first:end],
            competition=state.competition[first:end],
            c_w=state.c_w,
            fields=state.fields[first:end],
            channels=state.channels,
            shared=state.shared,
            registers=state.registers,
            first=first,
        )
        for i in range(tasks[task, 1], tasks[task, 2]):
            _rest(memory, rules)
            lap(memory.stages, REST)
            _present(i, events, group, memory, with_learning_rate(rules, learning_rates[i]), output, block)
            unnormalised += _end(output.counts[i], group, memory, rules, block)
    return unnormalised


@inlined
def _rest(memory: Memory, rules: Rules) -> None:
    """Set the resting state; of the neurons, only those that spiked in the last presentation have traces to clear."""
    cells, activity, traces = memory.cells, memory.activity, memory.traces
    cells.v[:] = rules.neuron.v_rest
    cells.current[:] = 0
    for g in range(cells.v.shape[0]):
        for n in range(activity.n_has_spiked[g]):
            j = activity.has_spiked[g, n]
            activity.refractory_until[g, j] = 0
            traces.y[g, j] = traces.a[g, j] = traces.b[g, j] = 0
        activity.n_fired[g] = activity.n_refractory[g] = activity.n_has_spiked[g] = 0
        traces.x_decayed_to[g] = traces.y_decayed_to[g] = traces.yy_decayed_to[g] = 0
    if rules.learn_xy:
        traces.x[:] = 0
        traces.last_spike[:] = -(traces.powers.shape[0] // 2)


@inlined
def _present(
    i: int, all_events: Events, group: Group, memory: Memory, rules: Rules, output: Output, block: Block
) -> None:
    """Run a group through the steps of presentation i, and let it learn."""
    cells, activity, positions = memory.cells, memory.activity, memory.cells.v.shape[0]
    events = presentation_events(i, all_events)
    steps = (events.begins.shape[1] - 1) // events.bands
    k = 0
    while k < steps:
        stop = k + 1 if output.recording.spikes.shape[0] > 0 else steps
        has_spiked = False
        for g in range(positions):
            if activity.n_refractory[g] > 0:
                following = _end_refractoriness(k, g, cells, activity, rules.neuron)
                stop = following if following < stop else stop
            has_spiked |= activity.n_has_spiked[g] > 0
        depresses = rules.depresses and has_spiked
        k = advance(k, stop, depresses, events, group, memory, rules, block)
        lap(memory.stages, INTEGRATE)
        fired = False
        for g in range(positions):
            activity.n_fired[g] = 0
            if cells.crossed[g]:
                _fire(k, g, group.theta, cells, activity, rules.neuron, block)
            if activity.n_fired[g] > 0:
                fired = True
                _count(i, k, g, group.first + g, activity, output)
                raise_y(k, g, activity, memory.traces, rules)
                lap(memory.stages, SPIKES)
                inhibit(g, group, cells, activity)
                if rules.learn_yy:
                    learn_competition(k, g, group.competition[g], activity, memory.traces, rules.yy)
                lap(memory.stages, COMPETITION)
            _record(output.recording, i, k, g, group, memory, rules.neuron)
        if fired or depresses:
            if group.shared:
                learn_shared(k, fired, events, group, memory, rules, block)
            else:
                learn(k, fired, events, group, memory, rules, block)
            lap(memory.stages, PLASTICITY)
        k += 1


@inlined
def _end_refractoriness(k: int, g: int, cells: Cells, activity: Activity, neuron: NeuronConstants) -> int:
    """Let the neurons integrate whose refractory time ends before time step k; return the step of the next ones.

    Refractory neurons lie at -infinity, where neither decay nor input moves them.
    """
    left, following = 0, NEVER
    for n in range(activity.n_refractory[g]):
        j = activity.refractory[g, n]
        if activity.refractory_until[g, j] <= k:
            cells.v[g, j] = neuron.v_reset
        else:
            until = activity.refractory_until[g, j]
            following = until if until < following else following
            activity.refractory[g, left] = j
            left += 1
    activity.n_refractory[g] = left
    return following


@inlined
def _fire(
    k: int, g: int, theta: Floats, cells: Cells, activity: Activity, neuron: NeuronConstants, block: Block
) -> None:
    """Find the neurons that spike, ascending (step 3), and reset them (step 7).

    Steps 5 and 6, which follow, read neither v nor theta. A refractory neuron does not reach its threshold.
    """
    for start in range(0, cells.v.shape[1], length(block)):
        bits = bits_ge(load(cells.v, g, start, block), add(load(theta, g, start, block), neuron.v_thresh))
        while bits != 0:
            _fire_one(k, g, start + lowest_bit(bits), theta, cells, activity, neuron)
            bits &= bits - 1


@inlined
def _fire_one(k: int, g: int, j: int, theta: Floats, cells: Cells, activity: Activity, neuron: NeuronConstants) -> None:
    """List a neuron among those that fired, and reset it."""
    activity.fired[g, activity.n_fired[g]] = j
    activity.n_fired[g] += 1
    if activity.refractory_until[g, j] == 0:
        activity.has_spiked[g, activity.n_has_spiked[g]] = j
        activity.n_has_spiked[g] += 1
    activity.refractory_until[g, j] = k + 1 + neuron.refractory_steps
    cells.v[g, j] = neuron.v_reset
    if neuron.refractory_steps > 0:
        activity.refractory[g, activity.n_refractory[g]] = j
        activity.n_refractory[g] += 1
        cells.v[g, j] = -np.inf
    theta[g, j] += neuron.theta_plus


@inlined
def _count(i: int, k: int, g: int, position: int, activity: Activity, output: Output) -> None:
    """Count the spikes of step k, and write which are the first of their neurons, if that is asked for."""
    for n in range(activity.n_fired[g]):
        j = activity.fired[g, n]
        output.counts[i, position, j] += 1
        if len(output.first_spikes) > 0 and output.counts[i, position, j] == 1:
            output.first_spikes[i, position, j] = k + 1


@inlined
def _record(
    recording: Recording, i: int, k: int, g: int, group: Group, memory: Memory, neuron: NeuronConstants
) -> None:
    """Record the values at the end of a step, if that is asked for."""
    if recording.spikes.shape[0] > 0:
        cells, activity, position = memory.cells, memory.activity, group.first + g
        for j in range(group.channels):
            refractory = activity.refractory_until[g, j] > k
            recording.v[i, k, position, j] = neuron.v_reset if refractory else cells.v[g, j]
            recording.current[i, k, position, j] = cells.current[g, j]
            recording.theta[i, k, position, j] = group.theta[g, j]
        for n in range(activity.n_fired[g]):
            recording.spikes[i, k, position, activity.fired[g, n]] = True


@internal
def _end(counts: NDArray[np.int32], group: Group, memory: Memory, rules: Rules, block: Block) -> int:
    """End a presentation with these counts (P, C); return how many neurons could not be normalised."""
    if rules.learn_yy:
        for g in range(group.competition.shape[0]):
            end_competition(group.competition[g], counts[group.first + g], memory.change, rules.yy)
        lap(memory.stages, COMPETITION)
    if rules.relaxation > 0:
        for g in range(group.theta.shape[0]):
            for j in range(group.channels):
                theta = group.theta[g, j] - rules.relaxation
                group.theta[g, j] = theta if theta > 0 else 0
        lap(memory.stages, REST)
    if not rules.learn_xy:
        return 0
    own = counts[group.first : group.first + group.theta.shape[0]]
    unnormalised = normalise(group.weights, own, memory.normalisation, rules, block)
    lap(memory.stages, NORMALISE)
    return unnormalised
