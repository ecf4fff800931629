import pytest

from stdpnet.spec.topology import TopologySpec

# docs/model.md, Topology; n = 20, stride 4
COUNTS = [
    ("locally_connected", 1000, 12, 10_287_000),
    ("locally_connected", 100, 12, 218_700),
    ("locally_connected", 100, 8, 260_800),
    ("locally_connected", 25, 12, 37_800),
    ("locally_connected", 25, 8, 35_200),
    ("convolutional", 169, 12, 279_864),
    ("convolutional", 81, 12, 69_984),
    ("convolutional", 100, 8, 164_800),
    ("convolutional", 25, 12, 9_000),
    ("convolutional", 25, 8, 11_200),
    ("fully_connected", 100, None, 49_900),
    ("fully_connected", 100, 20, 49_900),
]


@pytest.mark.parametrize(("architecture", "channels", "kernel", "synapses"), COUNTS)
def test_synapse_counts_are_those_of_the_model(architecture, channels, kernel, synapses):
    topology = TopologySpec(architecture=architecture, channels=channels, kernel=kernel)
    assert topology.geometry(20).synapses == synapses


def test_feedforward_and_competition_synapses_of_the_largest_row():
    geometry = TopologySpec(channels=1000, kernel=12).geometry(20)
    assert (geometry.feedforward_synapses, geometry.competition_synapses) == (1_296_000, 8_991_000)
    assert (geometry.positions, geometry.neurons, geometry.fan_in) == (9, 9000, 144)


def test_origins_go_row_by_row():
    geometry = TopologySpec(channels=1, kernel=12).geometry(20)
    assert [geometry.origin(p) for p in range(9)] == [(r, c) for r in (0, 4, 8) for c in (0, 4, 8)]
