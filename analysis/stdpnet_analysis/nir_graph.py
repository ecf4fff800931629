"""A frozen spiking network as a graph of the Neuromorphic Intermediate Representation (NIR), and its limits."""

from __future__ import annotations

import math
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

from stdpnet.arrays import Floats
from stdpnet.errors import ConfigError
from stdpnet.extras import require
from stdpnet.machine import check_memory
from stdpnet.model import State
from stdpnet.spec.load import dump_config
from stdpnet.stdp.engines.constants import NeuronConstants
from stdpnet.stdp.engines.derive import constants
from stdpnet.stdp.network import Network, fitting_network
from stdpnet.stdp.spec.experiment import STDPExperiment

FAITHFUL, APPROXIMATE, UNSUPPORTED = "faithful", "approximate", "unsupported"
COPIES = 4
"""Number of copies of a graph in memory while it is written."""


class Part(NamedTuple):
    """A part of the model, and whether a NIR graph represents it."""

    label: str
    """faithful: by the equations of NIR's primitives; approximate: up to rounding; unsupported: left out."""
    note: str
    """How the graph represents it, or what a reader has to do."""


def to_nir(spec: STDPExperiment, network: Network | State) -> Any:
    """Return a frozen network as a nir.NIRGraph (Pedersen et al. 2024, doi 10.1038/s41467-024-52259-9).

    Its nodes, all in ms and mV: `input`, one pulse of area 1 for a spike of a pixel; `feedforward`, a Linear, or, where
    positions share kernels, a Conv2d followed by a Flatten, `flat`; `competition`, a Linear from the neurons to
    themselves, left out where there is none; `delay`, one time step for both; `neurons`, a LIF with the threshold
    v_thresh + theta of each neuron; `output`, their spikes. A neuron is position * C + channel, with shared kernels
    channel * P + position. The metadata of the graph has the time step `dt`, the configuration as TOML, and `parts`:
    what is faithful, approximate or unsupported, and why.

    Parameters
    ----------
    spec : the experiment
    network : its state, as returned by `fit`, Run.load_state() or `make_engine(...).network`; it is copied

    Raises
    ------
    ConfigError
        If the spec is of another model, or the state does not fit it.
    ExtraError
        If the extra "nir" is not installed.

    Examples
    --------
    >>> import stdpnet
    >>> spec = stdpnet.load_config("digits", {"topology.channels": 4, "training.images": 20})
    >>> images = stdpnet.load_dataset(spec.dataset).train.images
    >>> graph = stdpnet.to_nir(spec, stdpnet.fit(spec, images, progress=False))
    >>> graph.nodes["feedforward"].weight.shape, graph.nodes["neurons"].v_threshold.shape
    ((36, 400), (36,))
    >>> graph.metadata["parts"]["refractory time"].partition(":")[0]
    'unsupported'
    """
    require("nir")
    import nir

    if not isinstance(spec, STDPExperiment):
        raise ConfigError(f"spec: is a {type(spec).__name__}; only spiking networks of this package have a NIR form")
    fitting = fitting_network(spec, network)
    geometry, neurons = fitting.geometry, fitting.geometry.neurons
    likely = COPIES * neurons * (neurons + geometry.pixels) * fitting.dtype.itemsize
    check_memory("topology.channels", certain=likely, likely=likely, what="a NIR graph")
    nodes, edges = _feedforward(fitting)
    nodes["delay"] = nir.Delay(np.full(neurons, spec.simulation.dt))
    nodes["neurons"] = _lif(spec, fitting)
    nodes["output"] = nir.Output({"output": np.array([neurons])})
    edges += [("delay", "neurons"), ("neurons", "output")]
    if fitting.competition.any():
        nodes["competition"] = nir.Linear(_competition(fitting))
        edges += [("neurons", "competition"), ("competition", "delay")]
    metadata = {
        "source": f"stdpnet {version('stdpnet')}",
        "units": "ms, mV; a spike is a pulse of area 1",
        "dt": spec.simulation.dt,
        "neuron": "channel * positions + position" if geometry.shared else "position * channels + channel",
        "positions": geometry.positions,
        "channels": geometry.channels,
        "parts": {name: f"{part.label}: {part.note}" for name, part in parts(spec).items()},
        "config": dump_config(spec),
    }
    return nir.NIRGraph(nodes=nodes, edges=edges, metadata=metadata)


def parts(spec: STDPExperiment) -> dict[str, Part]:
    """Return the parts of a model, by name, as its NIR graph represents them."""
    retried = spec.training.min_spikes
    return {
        "input": Part(FAITHFUL, "one node for each pixel, row by row"),
        "feedforward": Part(
            FAITHFUL,
            "a Conv2d of the kernels that all positions share"
            if spec.geometry.shared
            else "a Linear whose weights are 0 outside of a neuron's receptive field",
        ),
        "competition": Part(
            FAITHFUL,
            "there is none"
            if spec.competition.rule == "none"
            else "a Linear whose weights are 0 between positions and from a neuron to itself",
        ),
        "delay": Part(
            FAITHFUL,
            f"every spike arrives one time step, {spec.simulation.dt:g} ms, later; a reader adds none of its own",
        ),
        **_neuron_parts(spec),
        "beginning": Part(
            UNSUPPORTED, "each image begins with v = v_leak and nothing under way, which a reader has to set"
        ),
        "encoder": Part(UNSUPPORTED, "the graph takes spikes, not images; `stdpnet export RUN FILE.h5` writes them"),
        **(
            {"retries": Part(UNSUPPORTED, f"images answered by fewer than {retried} spikes are shown again")}
            if retried
            else {}
        ),
        "learning": Part(UNSUPPORTED, "weights and thresholds are frozen"),
    }


def _neuron_parts(spec: STDPExperiment) -> dict[str, Part]:
    dtype, dt, tau = spec.simulation.effective_dtype, spec.simulation.dt, spec.neuron.tau_v
    steps = constants(spec, np.dtype(float)).neuron.refractory_steps
    return {
        "leak": Part(
            FAITHFUL,
            "tau and v_leak, solved exactly, by exp(-dt/tau) in a step; Euler's method leaks as much with "
            f"tau = {dt / (1 - math.exp(-dt / tau))!r}",
        ),
        "threshold": Part(
            FAITHFUL,
            "v_thresh + theta of each neuron, frozen; NIR spikes above the threshold and this model at it, so that the "
            f"next smaller {dtype} is written",
        ),
        "reset": Part(FAITHFUL, "to v_reset, at once"),
        "arithmetic": Part(
            APPROXIMATE,
            f"NIR leaves rounding open; the last digits are the same in {dtype} if the spikes of a step are added one "
            "by one, those of pixels first, in ascending order",
        ),
        "refractory time": Part(
            UNSUPPORTED if steps else FAITHFUL,
            f"{steps} steps after a spike, in which v stays at v_reset and input is lost, are left out"
            if steps
            else "there is none",
        ),
    }


def _feedforward(network: Network) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return nodes and edges from the pixels to the delay."""
    import nir

    geometry, weights = network.geometry, network.weights
    if not geometry.shared:
        dense = np.zeros((geometry.positions, geometry.channels, geometry.pixels), weights.dtype)
        for rows, kernels, field in zip(geometry.receptive_field_rows(), weights, dense, strict=True):
            field[:, rows >= 0] = kernels.T
        nodes = {
            "input": nir.Input({"input": np.array([geometry.pixels])}),
            "feedforward": nir.Linear(dense.reshape(geometry.neurons, geometry.pixels)),
        }
        return nodes, [("input", "feedforward"), ("feedforward", "delay")]
    kernels = weights[0].T.reshape(geometry.channels, 1, geometry.kernel, geometry.kernel)
    shape = np.array([geometry.channels, geometry.positions_per_side, geometry.positions_per_side])
    nodes = {
        "input": nir.Input({"input": np.array([1, geometry.side, geometry.side])}),
        "feedforward": nir.Conv2d(
            input_shape=(geometry.side, geometry.side),
            weight=kernels.copy(),
            stride=geometry.stride,
            padding=0,
            dilation=1,
            groups=1,
            bias=np.zeros(geometry.channels, weights.dtype),
        ),
        "flat": nir.Flatten({"input": shape}, start_dim=0),
    }
    return nodes, [("input", "feedforward"), ("feedforward", "flat"), ("flat", "delay")]


def _competition(network: Network) -> Floats:
    """Return the competition as weights (target, source) between all neurons, mV."""
    positions, channels = network.geometry.positions, network.geometry.channels
    weights = np.zeros((positions, channels, positions, channels), network.dtype)
    for position in range(positions):
        inside = network.competition[position].T if network.competition.ndim else network.competition
        weights[position, :, position] = np.where(np.eye(channels, dtype=bool), 0, inside)
    if network.geometry.shared:
        weights = weights.transpose(1, 0, 3, 2)
    return weights.reshape(network.geometry.neurons, network.geometry.neurons)


def _lif(spec: STDPExperiment, network: Network) -> Any:
    """Return the neurons, each with its threshold."""
    import nir

    neuron: NeuronConstants = constants(spec, network.dtype).neuron
    theta = (network.theta.T if network.geometry.shared else network.theta).ravel()
    tau = np.full(len(theta), spec.neuron.tau_v)
    return nir.LIF(
        tau=tau,
        r=tau.copy(),  # a pulse of area w moves v by w
        v_leak=np.full_like(theta, neuron.v_rest),
        v_threshold=np.nextafter(theta + neuron.v_thresh, -np.inf, dtype=theta.dtype),
        v_reset=np.full_like(theta, neuron.v_reset),
    )
