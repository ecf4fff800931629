"""The spiking network: its gradients, its answers, and the statistics of its neurons in rows of progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.arrays import Floats
from stdpnet.baselines.supervised.learner import Batch
from stdpnet.baselines.surrogate_gradient import kernels
from stdpnet.baselines.surrogate_gradient.kernels import Constants, History, Results, Weights, Workspace
from stdpnet.baselines.surrogate_gradient.spec import SurrogateGradientExperiment
from stdpnet.data import Split
from stdpnet.encoding import Encoder
from stdpnet.model import Finding
from stdpnet.parallel import available_cores, in_parallel, shares
from stdpnet.random import Purpose, Stream, generator
from stdpnet.spikes import SpikeTrains

GROUP = 16
"""Images whose gradients are added up one after the other; the sums of groups follow, so that the number of threads
does not change the rounding."""
DEAD = 0.5
"""Share of silent hidden neurons above which they are reported."""
SILENT = 0.5
"""Share of images without an output spike above which they are reported."""

Arrays = Mapping[str, NDArray[Any]]
HIDDEN, OUTPUT = "hidden_weights", "output_weights"


def weights(spec: SurrogateGradientExperiment) -> dict[str, Floats]:
    """Return the untrained weights, normal with mean 0: hidden_weights (D, H) and output_weights (H, K), float32."""
    random, hidden = generator(spec.seed, Purpose.WEIGHTS), spec.network.hidden
    shapes = {HIDDEN: (spec.pixels, hidden), OUTPUT: (hidden, spec.training.classes)}
    return {name: random.normal(0, spec.network.deviation, shape).astype(np.float32) for name, shape in shapes.items()}


def constants_of(spec: SurrogateGradientExperiment) -> Constants:
    """Return the numbers that compiled code needs."""
    neuron, surrogate = spec.neuron, spec.surrogate
    return Constants(
        decay=np.float32(neuron.decay),
        threshold=np.float32(neuron.threshold),
        subtract=neuron.reset == "subtract",
        function=kernels.FUNCTIONS.index(surrogate.function),
        slope=np.float32(surrogate.slope),
        centre=np.float32(neuron.threshold if surrogate.centre is None else surrogate.centre),
        through_time=surrogate.backward == "through_time",
        through_reset=surrogate.through_reset,
        temperature=np.float32(spec.training.temperature),
    )


def weights_of(arrays: Arrays) -> Weights:
    """Return the weights among the arrays of a state."""
    return Weights(hidden=np.ascontiguousarray(arrays[HIDDEN]), output=np.ascontiguousarray(arrays[OUTPUT]))


class LayerRecording(NamedTuple):
    """One image, with the spikes and potentials of the network in each of T steps."""

    image: NDArray[np.uint8]
    """(n, n)."""
    label: int
    """Its class."""
    input: Floats
    """(T, n*n) input spikes, 0 or 1."""
    hidden: History
    """(T, H) potentials before the reset, and spikes."""
    output: History
    """(T, K)."""


class SurrogateNetwork:
    """Computes the gradients that training follows (a stdpnet.baselines.supervised.learner.Network).

    Parameters
    ----------
    spec : the experiment
    threads : how many threads compute; default all cores; results do not depend on it
    """

    def __init__(self, spec: SurrogateGradientExperiment, threads: int | None = None) -> None:
        self.spec, self.threads, self.constants = spec, threads or available_cores(), constants_of(spec)
        self._encoder = Encoder(spec.encoder, 1.0, spec.simulation.steps, spec.seed)

    @property
    def sums(self) -> Mapping[str, Any]:
        """Spikes of the neurons of both layers over the images of updates, and the images without an output spike."""
        hidden, classes = self.spec.network.hidden, self.spec.training.classes
        return {"hidden": np.zeros(hidden, np.int64), "output": np.zeros(classes, np.int64), "silent": 0}

    def encode(self, images: NDArray[np.uint8], stream: Stream, numbers: NDArray[np.int64]) -> SpikeTrains:
        """Return the input spikes of images (B, n, n) shown as presentations of these numbers (B,)."""
        return self._encoder.encode(images, stream, numbers, threads=self.threads)

    def histories(self) -> tuple[History, History]:
        """Return memory for potentials and spikes of the hidden and the output layer."""
        steps = self.spec.simulation.steps
        return History.empty(steps, self.spec.network.hidden), History.empty(steps, self.spec.training.classes)

    def batch(self, arrays: Arrays, images: NDArray[np.uint8], labels: NDArray[np.int64], first: int) -> Batch:
        """Return gradients and statistics of a batch of images (B, n, n), by backpropagation through time."""
        size, learned = len(images), weights_of(arrays)
        trains = self.encode(images, Stream.TRAIN, np.arange(first, first + size))
        groups = [slice(begin, min(begin + GROUP, size)) for begin in range(0, size, GROUP)]
        found = Weights(*(np.zeros((len(groups), *each.shape), np.float32) for each in learned))
        counts, losses, transposed = self._counts(size), np.empty(size), np.ascontiguousarray(learned.output.T)
        parts = shares(len(groups), self.threads)

        def work(thread: int) -> None:
            space = Workspace.of(*self.histories())
            for number in range(len(groups))[parts[thread]]:
                group = groups[number]
                results = Results(
                    hidden=counts[0][group],
                    output=counts[1][group],
                    losses=losses[group],
                    gradients=Weights(found.hidden[number], found.output[number]),
                )
                part = trains._replace(offsets=trains.offsets[group])
                kernels.learn(part, labels[group], size, learned, transposed, self.constants, space, results)

        in_parallel(work, len(parts))
        sums = {
            "hidden": counts[0].sum(axis=0, dtype=np.int64),
            "output": counts[1].sum(axis=0, dtype=np.int64),
            "silent": int(np.count_nonzero(~counts[1].any(axis=1))),
        }
        return Batch(
            {HIDDEN: found.hidden.sum(axis=0), OUTPUT: found.output.sum(axis=0)},
            loss=float(losses.mean()),
            correct=int(np.count_nonzero(counts[1].argmax(axis=1) == labels)),
            sums=sums,
        )

    def answer(
        self, arrays: Arrays, images: NDArray[np.uint8], stream: Stream, numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16], int]:
        """Return the spike counts (N, H) and (N, K) of images, and the number of input spikes; nothing is learned."""
        trains, learned = self.encode(images, stream, numbers), weights_of(arrays)
        counts, parts = self._counts(len(images)), shares(len(images), self.threads)

        def work(thread: int) -> None:
            part = parts[thread]
            into = (counts[0][part], counts[1][part])
            kernels.answer(trains.pixels, trains.offsets[part], learned, self.constants, *self.histories(), into)

        in_parallel(work, len(parts))
        return (*counts, len(trains.pixels))

    def record(self, arrays: Arrays, split: Split, stream: Stream) -> LayerRecording:
        """Show the first image of a split, as `answer` does, and return spikes and potentials of each step."""
        trains = self.encode(split.images[:1], stream, np.asarray(split.indices[:1], np.int64))
        hidden, output = self.histories()
        kernels.forward(trains.pixels, trains.offsets[0], weights_of(arrays), self.constants, hidden, output)
        steps = np.repeat(np.arange(trains.steps), np.diff(trains.offsets[0]))
        spikes = np.zeros((trains.steps, self.spec.pixels), np.float32)
        spikes[steps, trains.pixels] = 1
        return LayerRecording(
            image=split.images[0],
            label=int(split.labels[0]),
            input=spikes,
            hidden=History(hidden.v[1:], hidden.s[1:]),
            output=History(output.v[1:], output.s[1:]),
        )

    def _counts(self, images: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        hidden, classes = self.spec.network.hidden, self.spec.training.classes
        return np.empty((images, hidden), np.uint16), np.empty((images, classes), np.uint16)

    def row(self, interval: Mapping[str, Any]) -> dict[str, Any]:
        """Return mean rates of both layers, Hz, and the shares of silent hidden neurons and images without answer."""
        names = ("hidden_rate", "output_rate", "dead_units", "silent_images")
        shown = interval["updates"] * self.spec.training.batch
        if not shown:
            return dict.fromkeys(names)
        seconds = shown * self.spec.simulation.steps / 1000
        values = (
            interval["hidden"].mean() / seconds,
            interval["output"].mean() / seconds,
            np.mean(interval["hidden"] == 0),
            interval["silent"] / shown,
        )
        return {name: float(value) for name, value in zip(names, values, strict=True)}

    def findings(self, row: Mapping[str, Any]) -> list[Finding]:
        """Return findings where most hidden neurons are silent, or most images are not answered."""
        found = []
        remedy = "raise network.deviation, or lower neuron.threshold or optimiser.learning_rate"
        if (dead := row["dead_units"] or 0.0) > DEAD:
            found.append(Finding("dead units", f"{dead:.0%} of the hidden neurons spiked in no image; {remedy}"))
        if (silent := row["silent_images"] or 0.0) > SILENT:
            message = f"no output neuron spiked in {silent:.0%} of the images; {remedy}"
            found.append(Finding("silent output", message))
        return found
