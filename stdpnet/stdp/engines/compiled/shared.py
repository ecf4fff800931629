"""STDP of shared feedforward weights (docs/model.md, step 6): all positions' changes are summed, then applied at once.

Each position maps a shared weight to another pixel, in ascending order; looping over positions therefore adds the
changes in the model's order, pixels ascending.
"""

from __future__ import annotations

from stdpnet._numba.jit import inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.blocks import Block
from stdpnet.stdp.engines.compiled.events import PresentationEvents, arrivals, field_events
from stdpnet.stdp.engines.compiled.memory import Activity, Memory, SharedChanges, Traces
from stdpnet.stdp.engines.compiled.plasticity import clip, decay_y, depression_is_due, update_x
from stdpnet.stdp.engines.compiled.state import Group, Rules
from stdpnet.stdp.engines.compiled.vectors import add, clip_vector, length, load, mul, splat, store, sub
from stdpnet.stdp.engines.constants import STDPConstants


@internal
def learn_shared(
    k: int,
    fired: bool,
    events: PresentationEvents,
    group: Group,
    memory: Memory,
    rules: Rules,
    block: Block,
) -> None:
    """Change the weights that positions share in time step k: w <- clip(w + dw).

    Parameters
    ----------
    k : time step
    fired : whether a neuron of any position spikes in it
    events, group, memory, rules, block : see stdpnet.stdp.engines.compiled.subthreshold.advance
    """
    activity, traces, shared, xy = memory.activity, memory.traces, memory.shared, rules.xy
    changed = 0
    if depression_is_due(fired, group, rules, block):
        changed = _find_members(k, events, group, memory, xy)
    learns = fired and rules.learn_xy
    columns = _copy_columns(group.weights, activity, shared) if learns else 0
    for n in range(changed):
        _depress_row(shared.rows[n], group.weights, traces, shared, xy, block)
    if learns:
        for g in range(group.theta.shape[0]):
            if activity.n_fired[g] > 0:
                update_x(k, g, events, group, traces, xy)
        for n in range(columns):
            _learn_column(n, group.weights, memory, xy)
    for n in range(changed):
        shared.n_members[shared.rows[n]] = 0


@inlined
def _find_members(k: int, events: PresentationEvents, group: Group, memory: Memory, xy: STDPConstants) -> int:
    """List the positions whose traces depress each row of weights in time step k; return how many rows have any."""
    activity, shared, changed = memory.activity, memory.shared, 0
    for g in range(group.theta.shape[0]):
        if activity.n_has_spiked[g] > 0:
            decay_y(k, g, activity, memory.traces, xy)
            spikes = arrivals(k, field_events(group.fields[g], events))
            for spike in range(spikes.first, spikes.end):
                row = spikes.rows[spike] - spikes.top
                if shared.n_members[row] == 0:
                    shared.rows[changed] = row
                    changed += 1
                shared.members[row, shared.n_members[row]] = g
                shared.n_members[row] += 1
    return changed


@inlined
def _copy_columns(weights: Floats, activity: Activity, shared: SharedChanges) -> int:
    """List the channels that fired at any position, and copy their weights; return how many channels there are."""
    count = 0
    for g in range(activity.n_fired.shape[0]):
        for n in range(activity.n_fired[g]):
            j = activity.fired[g, n]
            new = True
            for m in range(count):
                new &= shared.columns[m] != j
            if new:
                shared.columns[count] = j
                for row in range(weights.shape[0]):
                    shared.before[count, row] = weights[row, j]
                count += 1
    return count


@inlined
def _depress_row(
    row: int, weights: Floats, traces: Traces, shared: SharedChanges, xy: STDPConstants, block: Block
) -> None:
    """Apply the depression of one row of weights."""
    for start in range(0, traces.y.shape[1], length(block)):
        change = splat(xy.A_minus - xy.A_minus, block)
        for n in range(shared.n_members[row]):
            change = sub(change, mul(load(traces.y, shared.members[row, n], start, block), xy.A_minus))
        w = add(load(weights, row, start, block), change)
        store(weights, row, start, clip_vector(w, xy.w_min, xy.w_max))


@inlined
def _depression(row: int, j: int, traces: Traces, shared: SharedChanges, xy: STDPConstants) -> float:
    """Return the change of one weight by the input spikes of all positions in this step."""
    change = xy.A_minus - xy.A_minus
    for n in range(shared.n_members[row]):
        change -= xy.A_minus * traces.y[shared.members[row, n], j]
    return change


@inlined
def _learn_column(n: int, weights: Floats, memory: Memory, xy: STDPConstants) -> None:
    """Apply depression and potentiation, together, to the weights of a channel that fired."""
    activity, traces, shared, change = memory.activity, memory.traces, memory.shared, memory.change
    j = shared.columns[n]
    for row in range(weights.shape[0]):
        change[row] = _depression(row, j, traces, shared, xy)
    for g in range(activity.n_fired.shape[0]):
        for m in range(activity.n_fired[g]):
            if activity.fired[g, m] == j:
                for row in range(weights.shape[0]):
                    change[row] += xy.A_plus * traces.x[g, row]
    for row in range(weights.shape[0]):
        weights[row, j] = clip(shared.before[n, row] + change[row], xy)
