"""The network in ANNarchy (Vitay et al. 2015, doi 10.3389/fninf.2015.00019).

One compiled network; the input spikes of all images in one SpikeSourceArray, one call of `simulate` for each image, and
a pause between images in which time passes but nothing is simulated, so that the traces vanish. STDP with replacing,
event-driven traces in the synapses, as in ANNarchy's own rules; without depression where A_minus is 0. The
normalisation of all neurons is NumPy on weights that are copied out and in: ANNarchy has none, so the speed without it
is reported too. What differs from the model: weights change at the arrival of a spike, one step later than there; input
of an image's last step, which could only arrive in the next, is left out; weights are not clipped after the
normalisation.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import ANNarchy as ann  # noqa: N813 -- as in its manual
import numpy as np
import scipy.sparse

if TYPE_CHECKING:
    from stdpnet_analysis.benchmark.peers.runner import Problem

PAUSE = 100
"""Time between two images, in time constants of the slowest trace."""


def neuron(p: dict[str, float]) -> Any:
    """Return the adaptive leaky integrate-and-fire neuron."""
    return ann.Neuron(
        parameters={
            "v_rest": p["v_rest"],
            "v_reset": p["v_reset"],
            "v_thresh": p["v_thresh"],
            "decay_v": float(np.exp(-p["dt"] / p["tau_v"])),
            "theta_plus": p["theta_plus"],
            "decay_theta": float(np.exp(-p["dt"] / p["tau_theta"])),
        },
        equations=[
            ann.Variable("v = v_rest + (v - v_rest)*decay_v + g_exc - g_inh", init=p["v_rest"]),
            ann.Variable("theta = theta*decay_theta", init=0.0),
        ],
        spike="v >= v_thresh + theta",
        reset="v = v_reset\ntheta += theta_plus",
        refractory=p["refractory_steps"] * p["dt"],
    )


def stdp(p: dict[str, float]) -> Any:
    """Return the plastic synapse."""
    equations, pre_spike = ["tau_plus*dx/dt = -x : event-driven"], ["g_target += w", "x = 1.0"]
    post_spike = ["w = clip(w + A_plus*x, w_min, w_max)"]
    names = ["A_plus", "tau_plus", "w_min", "w_max"]
    if p["A_minus"]:
        equations.append("tau_minus*dy/dt = -y : event-driven")
        pre_spike.append("w = clip(w - A_minus*y, w_min, w_max)")
        post_spike.insert(0, "y = 1.0")
        names += ["A_minus", "tau_minus"]
    return ann.Synapse(
        parameters={name: p[name] for name in names},
        equations="\n".join(equations),
        pre_spike="\n".join(pre_spike),
        post_spike="\n".join(post_spike),
    )


class Simulation:
    """The compiled network, and its place in the input spikes.

    Parameters
    ----------
    problem : network and input spikes
    threads : OpenMP threads
    learning : whether to train, or to show images to the frozen network
    """

    def __init__(self, problem: Problem, threads: int, learning: bool) -> None:
        p, (positions, channels) = problem.numbers, problem.theta.shape
        self.problem, self.learning = problem, learning
        self.net = net = ann.Network(dt=p["dt"])
        net.config(num_threads=threads, dtype=ann.float32, suppress_warnings=True)
        source = net.create(ann.SpikeSourceArray(spike_times=_spike_times(problem)))
        self.y = net.create(geometry=positions * channels, neuron=neuron(p))
        self.xy = net.connect(source, self.y, target="exc", synapse=stdp(p))
        self.xy.from_sparse(_weights(problem), storage_format="csr", storage_order="pre_to_post")  # the fastest here
        for position in range(positions):
            members = self.y[position * channels : (position + 1) * channels]
            net.connect(members, members, target="inh").all_to_all(weights=-p["c_w"], allow_self_connections=False)
        self.counter = net.monitor(self.y, ["spike"])
        net.compile(directory=f"annarchy-{learning}/", silent=True)
        self.y.theta = problem.theta.ravel()
        if not learning:
            net.disable_learning()

    def show(self) -> tuple[float, float]:
        """Show the next image; return the seconds of everything, and of the normalisation in it."""
        p = self.problem.numbers
        begin = time.perf_counter()
        self.net.simulate(self.problem.steps * p["dt"])
        self.net.time = self.net.time + PAUSE * max(p["tau_plus"], p["tau_minus"])
        self.y.v = p["v_rest"]
        middle = time.perf_counter()
        if self.learning:
            self._normalise()
            if p["relaxation"]:
                self.y.theta = np.maximum(self.y.theta - p["relaxation"], 0)
        end = time.perf_counter()
        return end - begin, end - middle

    def _normalise(self) -> None:
        """Scale the weights of each neuron to a sum of norm."""
        weights = np.asarray(self.xy.w)
        self.xy.w = weights * (self.problem.numbers["norm"] / weights.sum(axis=1, keepdims=True))

    def spikes(self) -> int:
        """Return how many spikes the neurons have fired since the last call."""
        return sum(map(len, self.counter.get("spike").values()))


def _spike_times(problem: Problem) -> list[list[float]]:
    """Return the times of each pixel's spikes, ms; images follow one another without the pauses."""
    rasters = [problem.raster(image) for image in range(len(problem.offsets))]
    for raster in rasters:
        raster[-1] = False
    spikes, dt = np.concatenate(rasters), problem.numbers["dt"]
    return [(np.flatnonzero(column) * dt).tolist() for column in spikes.T]


def _weights(problem: Problem) -> Any:
    """Return the sparse (n*n, P*C) matrix of the feedforward weights."""
    positions, fan_in, channels = problem.weights.shape
    rows = np.broadcast_to(problem.pixel_of_row()[:, :, None], problem.weights.shape)
    columns = np.broadcast_to(
        np.arange(positions * channels).reshape(positions, 1, channels), (positions, fan_in, channels)
    )
    shape = (problem.windows.shape[1], positions * channels)
    return scipy.sparse.csc_matrix((problem.weights.ravel(), (rows.ravel(), columns.ravel())), shape)


def measure(problem: Problem, threads: int) -> dict[str, Any]:
    """Return images per second of training, with and without normalisation, and of inference; spikes per image.

    Speeds are those of the median image, so that short disturbances of the machine do not count.
    """
    images = len(problem.offsets)
    training = Simulation(problem, threads, learning=True)
    shown = np.array([training.show() for _ in range(images)])
    spikes = training.spikes()
    frozen = Simulation(problem, threads, learning=False)
    seconds = [frozen.show()[0] for _ in range(images)]
    return {
        "version": f"ANNarchy {version('ANNarchy')}",
        "train_images_per_s": 1 / np.median(shown[:, 0]),
        "train_images_per_s_without_normalisation": 1 / np.median(shown[:, 0] - shown[:, 1]),
        "inference_images_per_s": 1 / np.median(seconds),
        "spikes_per_image": spikes / images,
    }
