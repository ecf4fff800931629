"""The competition between the neurons of a position, compiled: inhibition, and the rules by which it is learned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import inlined, internal
from stdpnet.arrays import Floats
from stdpnet.stdp.engines.compiled.plasticity import clip
from stdpnet.stdp.engines.compiled.state import ALIVE, FIRED, YY_TRACES, Cells, Group, Spikes
from stdpnet.stdp.engines.constants import CompetitionConstants, STDPConstants


@inlined
def inhibit(g: int, group: Group, cells: Cells, spikes: Spikes) -> None:
    """Add the weights of the competition to the input, spiking neurons ascending (step 4)."""
    current = cells.current[g]
    for n in range(spikes.tally[FIRED, g]):
        i = spikes.fired[g, n]
        if group.competition.shape[0] > 0:
            outgoing = group.competition[g, i]
            for j in range(group.channels):
                current[j] += outgoing[j]
        else:
            own = current[i]
            for j in range(current.shape[0]):
                current[j] += group.c_w
            current[i] = own


@internal
def learn_competition(k: int, competition: Floats, g: int, spikes: Spikes, yy: CompetitionConstants) -> None:
    """Let a position's (C, C) competition learn from step k, after every spike of it; the diagonal stays 0."""
    pairs = yy.pairs
    _raise_traces(k, g, spikes, pairs)
    a, b, alive, n_alive = spikes.a[g], spikes.b[g], spikes.alive[g], spikes.tally[ALIVE, g]
    for n in range(spikes.tally[FIRED, g]):
        i = spikes.fired[g, n]
        if yy.resting != 0:  # traces of 0 count too
            for j in range(competition.shape[0]):
                competition[i, j] = clip(competition[i, j] - pairs.A_minus * (b[j] - yy.resting), pairs)
        else:
            for m in range(n_alive):
                j = alive[m]
                competition[i, j] = clip(competition[i, j] - pairs.A_minus * b[j], pairs)
        competition[i, i] = 0
    for n in range(spikes.tally[FIRED, g]):
        j = spikes.fired[g, n]
        for m in range(n_alive):
            i = alive[m]
            competition[i, j] = clip(competition[i, j] + pairs.A_plus * a[i], pairs)
        competition[j, j] = 0


@inlined
def _raise_traces(k: int, g: int, spikes: Spikes, pairs: STDPConstants) -> None:
    """Bring the traces a and b to step k (step 1) and raise those of the neurons that fired (step 5)."""
    for _ in range(spikes.aged[YY_TRACES, g], k + 1):
        for n in range(spikes.tally[ALIVE, g]):
            j = spikes.alive[g, n]
            spikes.a[g, j] *= pairs.decay_pre
            spikes.b[g, j] *= pairs.decay_post
    spikes.aged[YY_TRACES, g] = k + 1
    for n in range(spikes.tally[FIRED, g]):
        j = spikes.fired[g, n]
        spikes.a[g, j] = spikes.a[g, j] + 1 if pairs.accumulate else 1
        spikes.b[g, j] = spikes.b[g, j] + 1 if pairs.accumulate else 1


@internal
def end_competition(competition: Floats, counts: NDArray[np.int32], spikes: Spikes, yy: CompetitionConstants) -> None:
    """Let a position's (C, C) competition learn from the spike counts (C,) of a presentation, and drift."""
    shown, channels = spikes.change, competition.shape[0]
    if yy.eta != 0:
        for j in range(channels):
            shown[j] = counts[j]
        for i in range(channels):
            own, outgoing = shown[i], competition[i]
            for j in range(channels):
                outgoing[j] = clip(outgoing[j] - yy.eta * (own * shown[j] - yy.expected), yy.pairs)
            outgoing[i] = 0
    if yy.drift != 0:
        for i in range(channels):
            outgoing = competition[i]
            for j in range(channels):
                outgoing[j] = clip(outgoing[j] + yy.drift, yy.pairs)
            outgoing[i] = 0
