"""The network in BindsNET (Hazan et al. 2018, doi 10.3389/fninf.2018.00089).

DiehlAndCookNodes without `one_spike`, a PostPre rule with replacing traces, normalisation of all neurons after each
image. The receptive fields are a dense `Connection` whose upper bound is 0 outside them, which BindsNET's own kernels
serve (LocalConnection2D was not timed). The competition is a connection that subtracts the spikes of a neuron's
position, in training faster than a matrix of mostly zeros.

What differs from the model: spikes are transmitted with the weights after, not before, the plasticity of their step,
and weights are clipped once per step and not after the normalisation. Inference shows all images in one batch.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from bindsnet.learning import PostPre
from bindsnet.network import Network
from bindsnet.network.monitors import Monitor
from bindsnet.network.nodes import DiehlAndCookNodes, Input
from bindsnet.network.topology import AbstractConnection, Connection

if TYPE_CHECKING:
    from stdpnet_analysis.benchmark.peers.runner import Problem


class Competition(AbstractConnection):  # type: ignore[misc]
    """Fixed inhibition between the neurons of each position: c_w times the spikes of the others."""

    def __init__(self, layer: Any, positions: int, c_w: float) -> None:
        super().__init__(layer, layer)
        self.positions, self.c_w = positions, c_w

    def compute(self, s: Any) -> Any:
        """Return the input of each neuron, mV."""
        spikes = s.view(len(s), self.positions, -1).float()
        return (self.c_w * (spikes.sum(2, keepdim=True) - spikes)).view(len(s), -1)

    def update(self, **_: Any) -> None:
        """Do nothing: it is fixed."""

    def normalize(self) -> None:
        """Do nothing: it is fixed."""

    def reset_state_variables(self) -> None:
        """Do nothing: it has none."""


def build(problem: Problem) -> Network:
    """Return the network; layers X and Y."""
    p, (positions, channels) = problem.numbers, problem.theta.shape
    rows = problem.pixel_of_row()
    weights = np.zeros((problem.windows.shape[1], positions, channels), np.float32)
    inside = np.zeros(weights.shape, bool)
    for position in range(positions):
        weights[rows[position], position] = problem.weights[position]
        inside[rows[position], position] = True
    flat = (len(weights), positions * channels)
    neuron = {
        "thresh": p["v_thresh"],
        "rest": p["v_rest"],
        "reset": p["v_reset"],
        "refrac": p["refractory_steps"] * p["dt"],
        "tc_decay": p["tau_v"],
        "theta_plus": p["theta_plus"],
        "tc_theta_decay": p["tau_theta"],
    }
    network = Network(dt=p["dt"])
    network.add_layer(Input(n=flat[0], traces=True, tc_trace=p["tau_plus"]), "X")
    network.add_layer(
        DiehlAndCookNodes(n=flat[1], traces=True, tc_trace=p["tau_minus"], one_spike=False, **neuron), "Y"
    )
    x, y = network.layers["X"], network.layers["Y"]
    feedforward = Connection(
        x,
        y,
        w=torch.from_numpy(weights.reshape(flat)),
        wmin=p["w_min"],
        wmax=torch.from_numpy(np.where(inside, np.float32(p["w_max"]), np.float32(0)).reshape(flat)),
        norm=p["norm"],
        nu=(p["A_minus"], p["A_plus"]),
        update_rule=PostPre,
    )
    network.add_connection(feedforward, "X", "Y")
    network.add_connection(Competition(y, positions, p["c_w"]), "Y", "Y")
    network.add_monitor(Monitor(y, ["s"], time=problem.steps), "Y")
    y.theta[:] = torch.from_numpy(problem.theta.ravel().astype(np.float32))
    return network


def run(network: Network, rasters: Any, relaxation: float = 0.0) -> tuple[float, int]:
    """Show images (T, N, n*n) at once; return seconds, and the spikes of all."""
    y = network.layers["Y"]
    begin = time.perf_counter()
    network.run(inputs={"X": rasters}, time=len(rasters) * network.dt)
    spikes = int(network.monitors["Y"].get("s").sum())
    if relaxation:
        y.theta.sub_(relaxation).clamp_(min=0)
    network.reset_state_variables()
    return time.perf_counter() - begin, spikes


def measure(problem: Problem, threads: int) -> dict[str, Any]:
    """Return images per second of training (the median image) and inference (the best of three batches), and spikes."""
    torch.set_num_threads(threads)
    images = range(len(problem.offsets))
    rasters = torch.from_numpy(np.stack([problem.raster(image) for image in images], axis=1)).float()
    run(build(problem), rasters[:, :1])
    network = build(problem)
    network.train(False)
    frozen = min(run(network, rasters)[0] for _ in range(3))
    network = build(problem)
    runs = [run(network, rasters[:, [image]], problem.numbers["relaxation"]) for image in images]
    return {
        "version": f"BindsNET {version('bindsnet')}, torch {torch.__version__}",
        "train_images_per_s": 1 / float(np.median([seconds for seconds, _ in runs])),
        "inference_images_per_s": len(runs) / frozen,
        "spikes_per_image": sum(spikes for _, spikes in runs) / len(runs),
    }
