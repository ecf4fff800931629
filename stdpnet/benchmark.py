"""How fast the engines are on this machine, and against what: ratios taken in one run."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet._jit import compiled
from stdpnet.data import load_dataset
from stdpnet.encoding import Encoder, SpikeTrains, Stream
from stdpnet.engines.base import FROZEN, Switches, constants, make_engine, window_rows
from stdpnet.engines.compiled.plasticity import normalise
from stdpnet.engines.compiled.state import padded, spaced
from stdpnet.engines.compiled.vectors import fitting_block
from stdpnet.network import Floats, Network, initial_network
from stdpnet.parallel import available_cores
from stdpnet.spec.experiment import ExperimentSpec
from stdpnet.training import image_order

BLOCK = 64
"""Images that are timed together."""


def benchmark(
    spec: ExperimentSpec,
    *,
    threads: int | None = None,
    rounds: int = 8,
    warm_up: int = 512,
    brian2_images: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure training and inference of a spec's network on the compiled engine; the best of several rounds counts.

    Parameters
    ----------
    spec : the experiment; simulation.engine is not used
    threads : threads of the engine; default all cores; encoding and the add loop use one
    rounds : blocks of 64 images that are timed
    warm_up : images to train on before, so that the activity is that of a network at work
    brian2_images : training images to show to the Brian2 engine in the same run; 0: none
    progress : called with the number of images after each block

    Returns
    -------
    Times per image in microseconds by stage, images per second with the encoding included, and ratios: `*_to_add_loop`
    of times (below 1: faster than the loop that only adds weights), `train_to_brian2` of speeds.
    """
    bench = _Bench(spec, threads)
    for first in range(0, warm_up, BLOCK):
        bench.engine.present(bench.encode(first), bench.switches)
        progress(BLOCK)
    times: dict[str, list[float]] = {}
    spikes = 0
    for turn in range(rounds):
        trains, seconds = _timed(bench.encode, warm_up + turn * BLOCK)
        times.setdefault("encode", []).append(seconds)
        for name, action in bench.stages(trains).items():
            outcome, seconds = _timed(action)
            times.setdefault(name, []).append(seconds)
            spikes += int(outcome.counts.sum()) if name == "train" else 0
        progress(BLOCK)
    best = {name: min(values) / BLOCK for name, values in times.items()}
    train, inference = best["encode"] + best["train"], best["encode"] + best["simulate"]
    result: dict[str, Any] = {
        "network": spec.topology.label,
        "competition": "learned" if spec.competition.learned else "fixed",
        "dtype": spec.simulation.dtype,
        "threads": bench.threads,
        "train_images_per_s": 1 / train,
        "inference_images_per_s": 1 / inference,
        "train_to_add_loop": train / best["add_loop"],
        "inference_to_add_loop": inference / best["add_loop"],
        "microseconds_per_image": {
            "encode": 1e6 * best["encode"],
            "simulate": 1e6 * best["simulate"],
            "learn": 1e6 * (best["train"] - best["simulate"] - best["normalise"]),
            "normalise": 1e6 * best["normalise"],
            "add_loop": 1e6 * best["add_loop"],
        },
        "synaptic_events_per_s": bench.events_per_image / train,
        "spikes_per_image": spikes / rounds / BLOCK,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "machine": machine(),
    }
    if brian2_images:
        seconds = _brian2_seconds(spec, bench.engine.network, bench.encode(0, brian2_images), bench.switches)
        result["brian2_images_per_s"] = brian2_images / seconds
        result["train_to_brian2"] = seconds / brian2_images / train
    return result


class _Bench:
    """A network in training, and what is timed of it."""

    def __init__(self, spec: ExperimentSpec, threads: int | None) -> None:
        spec = spec.replace(simulation=spec.simulation.replace(engine="numba"))
        self.threads = threads or available_cores()
        self.switches = Switches(learn_xy=True, learn_yy=spec.competition.learned, adapt_theta=True)
        self.engine = make_engine(spec, initial_network(spec), self.threads)
        self.events_per_image = 0.0
        self._spec, self._images = spec, load_dataset(spec.dataset).train.images
        self._encoder = Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)
        self._windows = window_rows(self.engine.network)

    def encode(self, first: int, count: int = BLOCK) -> SpikeTrains:
        """Return the input spikes of a block of training images."""
        order = image_order(self._spec.seed, len(self._images), first, count)
        return self._encoder.encode(self._images[order], Stream.TRAIN, np.arange(first, first + count))

    def stages(self, trains: SpikeTrains) -> dict[str, Callable[[], Any]]:
        """Return what is timed, by name."""
        network = self.engine.network
        channels, block = network.geometry.channels, fitting_block(network.geometry.channels, network.dtype.itemsize)
        length = -(-channels // block.length) * block.length
        current, factor = np.zeros(channels, network.dtype), padded(np.zeros((1, channels), network.dtype), length)
        weights, numbers = padded(network.weights, spaced(length, network.dtype)), constants(self._spec, network.dtype)
        events = int((self._windows[:, trains.pixels] >= 0).sum())
        self.events_per_image = events * network.geometry.channels / len(trains.offsets)
        return {
            "simulate": lambda: self.engine.present(trains, FROZEN),
            "train": lambda: self.engine.present(trains, self.switches),
            "normalise": lambda: [
                normalise(own, channels, factor, numbers.norm, numbers.xy, block)
                for _ in range(len(trains.offsets))
                for own in weights
            ],
            "add_loop": lambda: add_loop(trains.pixels, trains.offsets, self._windows, weights, current),
        }


@compiled
def add_loop(
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
    windows: NDArray[np.int32],
    weights: Floats,
    current: Floats,
) -> None:
    """For each presentation, position, step and input spike, only add the weights: the yardstick."""
    for i in range(offsets.shape[0]):
        for position in range(windows.shape[0]):
            own, window = weights[position % weights.shape[0]], windows[position]
            for k in range(offsets.shape[1] - 1):
                for spike in range(offsets[i, k], offsets[i, k + 1]):
                    row = window[pixels[spike]]
                    if row >= 0:
                        incoming = own[row]
                        for j in range(current.shape[0]):
                            current[j] += incoming[j]


def _brian2_seconds(spec: ExperimentSpec, network: Network, trains: SpikeTrains, switches: Switches) -> float:
    """Return the time that the Brian2 engine takes for presentations, once its code is compiled."""
    spec = spec.replace(simulation=spec.simulation.replace(engine="brian2"))
    double = Network(network.geometry, *(array.astype(np.float64) for array in network.arrays().values()))
    engine = make_engine(spec, double)
    engine.present(SpikeTrains(trains.pixels, trains.offsets[:1]), switches)
    return _timed(engine.present, trains, switches)[1]


def _timed(action: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    begin = time.perf_counter()
    result = action(*arguments)
    return result, time.perf_counter() - begin


def machine() -> dict[str, Any]:
    """Return what a figure of speed depends on."""
    names = ("stdpnet", "numpy", "numba", "llvmlite", "brian2")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in names}},
    }


def _processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
