"""A simulator of NIR graphs that knows nothing but the graph: the equations of NIR's primitives in steps of dt."""

import math

import nir
import numpy as np


def simulate(graph, pulses, dt):
    """Return the output spikes (T, N) and the potentials (T, N) after each step, for input pulses (T, *input shape).

    Pulses arrive at multiples of dt, and all neurons begin at their leak potential. Between pulses v relaxes exactly.
    Pulses of a step are added one by one, in ascending order, the incoming edges of a node in the order of the graph.
    """
    (delay,) = (name for name, node in graph.nodes.items() if isinstance(node, nir.Delay))
    (lif,) = (node for node in graph.nodes.values() if isinstance(node, nir.LIF))
    steps = np.round(graph.nodes[delay].delay / dt).astype(int)
    assert (steps == 1).all()
    assert (delay, "neurons") in graph.edges
    real = lif.v_threshold.dtype
    decay = np.array([math.exp(-dt / tau) for tau in lif.tau], real)
    gain = (lif.r / lif.tau).astype(real)
    v, arriving = lif.v_leak.copy(), np.zeros_like(lif.v_leak)
    spikes, potentials = [], []
    for inputs in pulses:
        v = lif.v_leak + (v - lif.v_leak) * decay
        v = v + gain * arriving
        fired = v > lif.v_threshold
        arriving = np.zeros_like(v)
        for source, target in graph.edges:
            if target == delay:
                add(graph, source, {"input": inputs, "neurons": fired}, arriving)
        v = np.where(fired, lif.v_reset, v)
        spikes.append(fired)
        potentials.append(v)
    return np.array(spikes), np.array(potentials)


def add(graph, name, active, total):
    """Add what a node sends to `total`, in place; `active` has the pulses of the nodes that send some."""
    node = graph.nodes[name]
    (source,) = (before for before, after in graph.edges if after == name)
    if isinstance(node, nir.Flatten):
        add(graph, source, active, total.reshape(node.input_type["input"]))
    elif isinstance(node, nir.Linear):
        for number in np.flatnonzero(active[source]):
            total += node.weight[:, number]
    else:
        assert isinstance(node, nir.Conv2d)
        _, _, height, width = node.weight.shape
        for _, row, column in np.argwhere(active[source]):
            for y, x in np.ndindex(total.shape[1:]):
                down, right = row - y * node.stride[0], column - x * node.stride[1]
                if 0 <= down < height and 0 <= right < width:
                    total[:, y, x] += node.weight[:, 0, down, right]
