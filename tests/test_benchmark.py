import json

import numpy as np

import stdpnet
from stdpnet.benchmark import add_loop, benchmark
from stdpnet.engines.base import window_rows
from stdpnet.network import initial_network
from tests.engines.networks import lively, random_trains


def test_a_benchmark_reports_speeds_stages_and_ratios():
    keys = ["topology.channels=5", "simulation.brian2_target=numpy", "simulation.duration=50.0"]
    result = benchmark(stdpnet.load_config("digits", keys), threads=1, rounds=2, warm_up=64, brian2_images=2)
    times = result["microseconds_per_image"]
    assert set(times) == {"encode", "simulate", "learn", "normalise", "add_loop"}
    assert min(times[stage] for stage in ("encode", "simulate", "normalise", "add_loop")) > 0
    together = times["encode"] + times["simulate"] + times["learn"] + times["normalise"]
    np.testing.assert_allclose(result["train_images_per_s"], 1e6 / together, rtol=1e-9)
    np.testing.assert_allclose(result["train_to_add_loop"], together / times["add_loop"], rtol=1e-9)
    assert result["train_to_brian2"] > 1
    assert result["machine"]["versions"]["numba"]
    json.dumps(result)


def test_the_add_loop_adds_the_weights_of_all_inputs():
    network = initial_network(lively())
    trains = random_trains(np.random.default_rng(0), 2, 40, 36)
    current = np.zeros(3)
    windows = window_rows(network)
    add_loop(trains.pixels, trains.offsets, windows, network.weights, current)
    rows = windows[:, trains.pixels]
    expected = sum(network.weights[position][rows[position][rows[position] >= 0]].sum(axis=0) for position in range(4))
    np.testing.assert_allclose(current, expected, rtol=1e-12)
