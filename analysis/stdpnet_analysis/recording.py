"""Record a frozen network step by step while one image is shown: input spikes, potentials, thresholds, spikes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.data import Split
from stdpnet.random import Stream
from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import FROZEN, Recording, Switches
from stdpnet.stdp.network import Network
from stdpnet.stdp.respond import show
from stdpnet.stdp.spec.experiment import STDPExperiment


class ImageRecording(NamedTuple):
    """One image, its input spikes and the network's answer; T steps, P positions, C channels."""

    image: NDArray[np.uint8]
    """(n, n) the image."""
    label: int
    """Its class."""
    input_steps: NDArray[np.intp]
    """(S,) step of each input spike."""
    input_pixels: NDArray[np.int32]
    """(S,) its pixel."""
    v: NDArray[np.float64]
    """(T, P, C) membrane potential at the end of each step, mV."""
    theta: NDArray[np.float64]
    """(T, P, C) adaptive part of the threshold, mV."""
    spikes: NDArray[np.bool_]
    """(T, P, C) which neurons spiked."""
    dt: float
    """Length of a step, ms."""

    @property
    def counts(self) -> NDArray[np.intp]:
        """(P, C) spikes of each neuron."""
        total: NDArray[np.intp] = self.spikes.sum(axis=0)
        return total


def record(
    spec: STDPExperiment,
    network: Network,
    split: Split,
    number: int,
    stream: Stream,
    *,
    switches: Switches = FROZEN,
    threads: int | None = None,
) -> ImageRecording:
    """Show one image of a split to a network that learns nothing, exactly as `respond` shows it, and record it.

    Parameters
    ----------
    spec : the experiment; simulation.engine records
    network : its state; not changed
    split : the images
    number : which of them
    stream : the source of input spikes of this split
    switches : what the image may change in a copy of the network, such as theta
    threads : how many threads may compute; default all cores
    """
    engine = make_engine(spec, network.copy(), threads)
    recording = Recording.empty(1, spec.simulation.steps, engine.network)
    *_, last = show(
        spec, engine, split, np.array([number]), stream, recording=recording, switches=switches, threads=threads
    )
    steps, pixels = input_spikes(last.trains, 0)
    return ImageRecording(
        image=split.images[number],
        label=int(split.labels[number]),
        input_steps=steps,
        input_pixels=pixels,
        v=recording.v[0],
        theta=recording.theta[0],
        spikes=recording.spikes[0],
        dt=spec.simulation.dt,
    )


def input_spikes(trains: SpikeTrains, presentation: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Return the step and the pixel of every input spike of a presentation, in order."""
    offsets = trains.offsets[presentation]
    steps = np.repeat(np.arange(trains.steps), np.diff(offsets))
    return steps, trains.pixels[offsets[0] : offsets[-1]]


def winner_and_loser(recording: ImageRecording) -> tuple[int, int]:
    """Return the neuron with most spikes, and the one of its position with fewest; neuron = position*C + channel.

    Of several silent neurons the loser is the one that came nearest to its threshold on the average over the steps
    before the winner's first spike (over all steps if no neuron spiked); the first of equal ones.
    """
    counts = recording.counts
    position, winner = np.unravel_index(int(counts.argmax()), counts.shape)
    first = int(recording.spikes[:, position, winner].argmax()) or len(recording.v)
    excitation = (recording.v - recording.theta)[:first, position].mean(axis=0)
    others = [channel for channel in range(counts.shape[1]) if channel != winner] or [int(winner)]
    loser = min(others, key=lambda channel: (counts[position, channel], -excitation[channel]))
    return int(position) * counts.shape[1] + int(winner), int(position) * counts.shape[1] + loser
