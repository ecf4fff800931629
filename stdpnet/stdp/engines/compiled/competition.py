"""The competition between the neurons of a position: inhibition and plasticity (docs/model.md, steps 4 and 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.memory import Activity, Cells, Traces
from stdpnet.stdp.engines.compiled.plasticity import clip
from stdpnet.stdp.engines.compiled.state import Group
from stdpnet.stdp.engines.constants import CompetitionConstants, STDPConstants


@inlined
def inhibit(g: int, group: Group, cells: Cells, activity: Activity) -> None:
    """Add the competition's weights to the input, spiking neurons ascending (step 4)."""
    current = cells.current[g]
    for n in range(activity.n_fired[g]):
        i = activity.fired[g, n]
        if group.competition.shape[0] > 0:
            outgoing = group.competition[g, i]
            for j in range(group.channels):
                current[j] += outgoing[j]
        else:
            unchanged = current[i]  # no neuron inhibits itself
            for j in range(current.shape[0]):
                current[j] += group.c_w
            current[i] = unchanged


@internal
def learn_competition(
    k: int, g: int, competition: Floats, activity: Activity, traces: Traces, yy: CompetitionConstants
) -> None:
    """Change a position's competition (C, C) by the spikes of time step k (step 6); the diagonal stays 0."""
    pairs = yy.pairs
    _update_traces(k, g, activity, traces, pairs)
    a, b, has_spiked, n_has_spiked = traces.a[g], traces.b[g], activity.has_spiked[g], activity.n_has_spiked[g]
    for n in range(activity.n_fired[g]):
        i = activity.fired[g, n]
        if yy.resting != 0:  # synapses to neurons whose trace is 0 change too
            for j in range(competition.shape[0]):
                competition[i, j] = clip(competition[i, j] - pairs.A_minus * (b[j] - yy.resting), pairs)
        else:
            for m in range(n_has_spiked):
                j = has_spiked[m]
                competition[i, j] = clip(competition[i, j] - pairs.A_minus * b[j], pairs)
        competition[i, i] = 0
    for n in range(activity.n_fired[g]):
        j = activity.fired[g, n]
        for m in range(n_has_spiked):
            i = has_spiked[m]
            competition[i, j] = clip(competition[i, j] + pairs.A_plus * a[i], pairs)
        competition[j, j] = 0


@inlined
def _update_traces(k: int, g: int, activity: Activity, traces: Traces, pairs: STDPConstants) -> None:
    """Decay the traces a and b up to time step k (step 1), and raise those of the neurons that fired (step 5)."""
    for _ in range(traces.yy_decayed_to[g], k + 1):
        for n in range(activity.n_has_spiked[g]):
            j = activity.has_spiked[g, n]
            traces.a[g, j] *= pairs.decay_pre
            traces.b[g, j] *= pairs.decay_post
    traces.yy_decayed_to[g] = k + 1
    for n in range(activity.n_fired[g]):
        j = activity.fired[g, n]
        traces.a[g, j] = traces.a[g, j] + 1 if pairs.accumulate else 1
        traces.b[g, j] = traces.b[g, j] + 1 if pairs.accumulate else 1


@internal
def end_competition(competition: Floats, counts: NDArray[np.int32], scratch: Floats, yy: CompetitionConstants) -> None:
    """Change a position's competition (C, C) after a presentation: by the spike counts (C,), then by the drift.

    Parameters
    ----------
    competition : (C, >= C) weights, mV
    counts : (C,) spikes of each neuron
    scratch : (>= C,) memory for the counts as floating point numbers
    yy : numbers
    """
    channels = competition.shape[0]
    if yy.eta != 0:
        for j in range(channels):
            scratch[j] = counts[j]
        for i in range(channels):
            count, outgoing = scratch[i], competition[i]
            for j in range(channels):
                outgoing[j] = clip(outgoing[j] - yy.eta * (count * scratch[j] - yy.expected), yy.pairs)
            outgoing[i] = 0
    if yy.drift != 0:
        for i in range(channels):
            outgoing = competition[i]
            for j in range(channels):
                outgoing[j] = clip(outgoing[j] + yy.drift, yy.pairs)
            outgoing[i] = 0
