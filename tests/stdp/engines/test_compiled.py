"""The compiled engine: vectors of any width give the same numbers, in blocks of any size, and so do threads."""

import numpy as np
import pytest

from stdpnet.geometry import Geometry
from stdpnet.stdp.engines.compiled.blocks import SIZES, Block, register_bytes, registers_per_block
from stdpnet.stdp.engines.compiled.engine import NumbaEngine
from stdpnet.stdp.engines.compiled.events import empty_events, find_events, layout
from stdpnet.stdp.engines.compiled.schedule import by_group, by_presentation
from stdpnet.stdp.engines.protocol import FROZEN, Switches
from stdpnet.stdp.network import initial_network
from tests.stdp.engines.networks import ARCHITECTURES, TRAINING, lively, random_trains


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("channels", [2, 6, 21, 43, 100, 130])  # single neurons fill one block, or up to 19 blocks
def test_vectors_and_blocks_of_any_size_equal_single_neurons(architecture, channels):
    keys = {"topology": {"channels": channels}, "competition": {"rule": "anti_stdp"}}
    spec = lively(architecture, simulation={"dtype": "float32"}, **keys)
    trains = random_trains(np.random.default_rng(0), 3, 40, 36, 0.15)
    single, wide = (NumbaEngine(spec, initial_network(spec), 1, lanes) for lanes in (1, None))
    for switches in (TRAINING, FROZEN):
        expected = single.present(trains, switches).counts
        assert expected.sum() > 20
        np.testing.assert_array_equal(wide.present(trains, switches).counts, expected)
    assert wide.network.changed_arrays(single.network) == []


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("switches", [TRAINING, FROZEN, Switches(False, False, True)], ids=str)
def test_threads_equal_one_thread(architecture, switches):
    spec = lively(architecture, competition={"rule": "anti_stdp", "drift": 0.01})
    trains = random_trains(np.random.default_rng(9), 13, 40, 36, 0.2)
    engines = [NumbaEngine(spec, initial_network(spec), threads) for threads in (1, 2, 3, 7)]
    outcomes = [engine.present(trains, switches) for engine in engines]
    assert outcomes[0].counts.sum() > 50
    for engine, outcome in zip(engines[1:], outcomes[1:], strict=True):
        np.testing.assert_array_equal(outcome.counts, outcomes[0].counts)
        assert outcome.unnormalised == outcomes[0].unnormalised
        assert engine.network.changed_arrays(engines[0].network) == []


@pytest.mark.parametrize("threads", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("costs", [[1.0], [1.0, 5.0, 1.0], [2.0] * 9])
def test_a_schedule_shows_every_presentation_once_and_in_order(costs, threads):
    count = 10
    plan = by_group(np.array(costs), count, threads)
    assert len(plan) <= threads
    shown = np.zeros((len(costs), count), int)
    for pieces in plan:
        for piece in pieces:
            for group, first, end in piece.tasks:
                shown[group, first:end] += 1
                if first > 0:
                    assert piece.after is not None, "a group is gone on with before it is begun"
                if end < count:
                    assert piece.done is not None
    assert (shown == 1).all()
    begun = [id(piece.done) for pieces in plan for piece in pieces if piece.done]
    awaited = [id(piece.after) for pieces in plan for piece in pieces if piece.after]
    assert sorted(begun) == sorted(awaited)


def test_a_frozen_schedule_shows_every_presentation_of_every_group_once():
    shown = np.zeros((3, 10), int)
    for pieces in by_presentation(3, 10, 4):
        for piece in pieces:
            for group, first, end in piece.tasks:
                shown[group, first:end] += 1
    assert (shown == 1).all()


@pytest.mark.parametrize(
    "geometry",
    [
        Geometry(20, 12, 4, 1, False),
        Geometry(9, 3, 2, 1, True),
        Geometry(10, 2, 4, 1, False),
        Geometry(6, 6, 1, 1, False),
    ],
    ids=["overlapping", "touching", "with gaps", "whole image"],
)
def test_events_are_the_spikes_inside_each_receptive_field(geometry):
    trains = random_trains(np.random.default_rng(3), 3, 15, geometry.pixels, 0.2)
    plan = layout(geometry)
    events = empty_events(3, 15 * geometry.pixels, 15, plan)
    scratch = np.empty((2, 16 * geometry.pixels), np.int32)
    find_events(trains.pixels, trains.offsets, plan, events, scratch)
    spec = lively(dataset={"crop": geometry.side}, topology={"kernel": geometry.kernel, "stride": geometry.stride})
    windows = initial_network(spec).geometry.receptive_field_rows()
    for i in range(3):
        for position, (strip, first, end, top) in enumerate(plan.fields):
            for k in range(15):
                spikes = trains.pixels[trains.offsets[i, k] : trains.offsets[i, k + 1]]
                expected = [row for row in windows[position][spikes] if row >= 0]
                begin, stop = events.begins[i, strip, k * events.bands + np.array([first, end])]
                np.testing.assert_array_equal(events.rows[i, strip, begin:stop].astype(int) - top, expected)


def test_padding_stays_out_of_the_network_even_where_bounds_exclude_0():
    keys = {"w_min": 0.1, "w_max": 0.9, "A_minus": 0.05}
    spec = lively(plasticity=keys, competition={"rule": "anti_stdp", "w_max": -0.5}, simulation={"dtype": "float32"})
    trains = random_trains(np.random.default_rng(0), 6, 40, 36, 0.2)
    padded, plain = (NumbaEngine(spec, initial_network(spec), 1, lanes) for lanes in (None, 1))
    counts = padded.present(trains, TRAINING).counts
    assert counts.shape == (6, 4, 3)
    np.testing.assert_array_equal(counts, plain.present(trains, TRAINING).counts)
    assert padded.network.weights.shape == (4, 16, 3)
    assert padded.network.changed_arrays(plain.network) == []


def test_traces_that_fade_to_nothing_are_raised_again():
    """A trace that underflows to 0 between two spikes of a neuron must not be mistaken for that of a neuron at rest."""
    keys = {"tau_minus": 0.01, "tau_plus": 0.01, "A_minus": 0.05}
    spec = lively(plasticity=keys, competition={"rule": "anti_stdp", **keys}, simulation={"dtype": "float32"})
    trains = random_trains(np.random.default_rng(0), 6, 40, 36, 0.3)
    plain, wide = (NumbaEngine(spec, initial_network(spec), 1, lanes) for lanes in (1, None))
    np.testing.assert_array_equal(plain.present(trains, TRAINING).counts, wide.present(trains, TRAINING).counts)
    assert wide.network.changed_arrays(plain.network) == []


def test_blocks_have_one_of_the_compiled_sizes_and_little_padding():
    assert register_bytes() in (16, 32, 64)
    assert [registers_per_block(channels, Block(8)) for channels in (4, 16, 25, 50, 100, 1000)] == [1, 2, 4, 7, 7, 7]
    for channels in range(1, 2000, 7):
        needed, size = -(-channels // 8), registers_per_block(channels, Block(8))
        assert size in SIZES
        assert needed > max(SIZES) or size >= needed, "one block, which stays in registers, where that is possible"
        assert -(-needed // size) * size <= 1.5 * needed


def test_weights_begin_at_cache_lines_and_rows_are_an_odd_number_of_them_apart():
    for channels in (25, 100, 200):
        spec = lively(topology={"channels": channels}, simulation={"dtype": "float32"})
        weights = NumbaEngine(spec, initial_network(spec), 1).network.weights
        assert weights.ctypes.data % 64 == 0
        assert weights.strides[1] % 64 == 0
        assert weights.strides[1] // 64 % 2 == 1
