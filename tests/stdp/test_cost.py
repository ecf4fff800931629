"""Spikes and synaptic events against plain loops."""

import numpy as np
import pytest

import stdpnet
from stdpnet.data import load_dataset
from stdpnet.encoding import Encoder
from stdpnet.random import Stream
from stdpnet.stdp.model import initial
from stdpnet.stdp.respond import coverage, respond

ARCHITECTURES = {
    "locally_connected": ["topology.kernel=12"],
    "convolutional": ["topology.architecture=convolutional", "topology.kernel=8"],
    "fully_connected": ["topology.architecture=fully_connected", "topology.kernel=none"],
}


def spec_of(architecture):
    return stdpnet.load_config(
        "digits", ["topology.channels=3", "simulation.duration=50", *ARCHITECTURES[architecture]]
    )


def test_a_corner_is_seen_once_and_the_middle_by_all_nine_positions():
    seen = coverage(spec_of("locally_connected").geometry).reshape(20, 20)
    assert (seen[0, 0], seen[19, 19], seen[10, 10]) == (1, 1, 9)
    assert seen[0, 8] == 3, "row 0 belongs to the first row of windows, column 8 to all three columns"
    assert seen.sum() == 9 * 12 * 12


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_synaptic_events_are_those_of_a_loop_over_spikes_and_windows(architecture):
    spec, images = spec_of(architecture), load_dataset(stdpnet.load_config("digits").dataset).test
    found = respond(spec, initial(spec), images, Stream.TEST)
    spikes = found.counts.sum() / len(images)
    assert spikes > 0
    encoder = Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)
    trains = encoder.encode(images.images, Stream.TEST, images.indices)
    geometry, events = spec.geometry, 0
    corners = [geometry.origin(position) for position in range(geometry.positions)]
    for pixel, count in enumerate(np.bincount(trains.pixels[: trains.offsets[-1, -1]], minlength=400)):
        row, column = divmod(pixel, 20)
        inside = [0 <= row - top < geometry.kernel and 0 <= column - left < geometry.kernel for top, left in corners]
        events += int(count) * sum(inside) * 3
    assert found.cost["events"] == pytest.approx(events / len(images) + spikes * 2)
    assert found.cost["input_spikes"] == pytest.approx(trains.offsets[-1, -1] / len(images))
