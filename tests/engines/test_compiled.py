"""The compiled engine: vectors of any width and plain loops give the same numbers."""

import numpy as np
import pytest

from stdpnet.engines.base import FROZEN
from stdpnet.engines.compiled.engine import NumbaEngine
from stdpnet.engines.compiled.vectors import fitting_lanes, register_bytes
from stdpnet.network import initial_network
from tests.engines.networks import ARCHITECTURES, TRAINING, lively, random_trains


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("dtype", "lanes"), [("float32", 4), ("float32", 32), ("float64", 8)])
def test_vectors_of_any_width_equal_plain_loops(architecture, dtype, lanes):
    spec = lively(architecture, topology={"channels": 21}, competition={"learned": True}, simulation={"dtype": dtype})
    trains = random_trains(np.random.default_rng(0), 4, 40, 36, 0.15)
    plain, wide = (NumbaEngine(spec, initial_network(spec), 1, lanes=count) for count in (0, lanes))
    for switches in (TRAINING, FROZEN):
        expected = plain.present(trains, switches).counts
        assert expected.sum() > 50
        np.testing.assert_array_equal(wide.present(trains, switches).counts, expected)
    assert wide.network.changed_arrays(plain.network) == []


def test_padding_stays_out_of_the_network_even_where_bounds_exclude_0():
    spec = lively(plasticity={"w_min": 0.1, "w_max": 0.9}, competition={"learned": True, "w_max": -0.5})
    engine = NumbaEngine(spec, initial_network(spec), 1)
    counts = engine.present(random_trains(np.random.default_rng(0), 6, 40, 36, 0.2), TRAINING).counts
    assert counts.shape == (6, 4, 3)
    assert engine.network.weights.shape == (4, 16, 3)
    for group in engine._groups.values():
        assert (group.weights[:, 3:] == 0).all()
        assert (group.theta[:, 3:] == 0).all()


def test_traces_that_fade_to_nothing_are_raised_again():
    """A trace that underflows to 0 between two spikes of a neuron must not be mistaken for that of a neuron at rest."""
    keys = {"tau_minus": 0.01, "tau_plus": 0.01, "A_minus": 0.05}
    spec = lively(plasticity=keys, competition={"learned": True, **keys}, simulation={"dtype": "float32"})
    trains = random_trains(np.random.default_rng(0), 6, 40, 36, 0.3)
    plain, wide = (NumbaEngine(spec, initial_network(spec), 1, lanes=count) for count in (0, None))
    np.testing.assert_array_equal(plain.present(trains, TRAINING).counts, wide.present(trains, TRAINING).counts)
    assert wide.network.changed_arrays(plain.network) == []


def test_lanes_fit_channels_and_machine():
    assert register_bytes() in (16, 32, 64)
    assert [fitting_lanes(channels, 4, 64) for channels in (3, 25, 50, 100, 169, 225, 1000)] == [
        16,
        32,
        64,
        128,
        64,
        128,
        128,
    ]
    assert fitting_lanes(100, 8, 64) == 64
    assert fitting_lanes(100, 4, 32) <= 64, "eight registers of AVX2"
    assert fitting_lanes(25, 4, 16) <= 32, "eight registers of NEON"


def test_weights_of_neighbouring_rows_are_an_odd_number_of_cache_lines_apart():
    for channels in (25, 100, 200):
        spec = lively(topology={"channels": channels}, simulation={"dtype": "float32"})
        stride = NumbaEngine(spec, initial_network(spec), 1).network.weights.strides[1]
        assert stride % 64 == 0
        assert stride // 64 % 2 == 1
