"""Small experiments and input spikes for the engine tests, and the comparison of an engine with the naive twin."""

import numpy as np

from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import Recording, Switches
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.spec.experiment import STDPExperiment
from tests.naive import NaiveEngine

ENGINES = {
    "numba": {"engine": "numba"},
    "brian2-numpy": {"engine": "brian2", "brian2_target": "numpy"},
    "brian2-cython": {"engine": "brian2", "brian2_target": "cython"},
}
TRAINING = Switches(learn_xy=True, learn_yy=True, adapt_theta=True)
ARCHITECTURES = ("locally_connected", "convolutional", "fully_connected")

LIVELY = {
    # A small network in which everything happens: spikes, refractoriness, clipping at both bounds, all plasticities.
    "seed": 3,
    "dataset": {"crop": 6},
    "neuron": {"v_thresh": -62.0, "tau_v": 30.0, "theta_plus": 0.3, "tau_theta": 500.0, "tau_refrac": 2.0},
    "plasticity": {
        "A_plus": 0.2,
        "A_minus": 0.05,
        "tau_plus": 8.0,
        "tau_minus": 11.0,
        "mean_weight": 0.4,
        "w_max": 0.7,
    },
    "competition": {"c_w": -3.0, "A_plus": -0.9, "A_minus": -0.4, "w_min": -4.0, "w_max": -0.01},
    "simulation": {"dtype": "float64", "duration": 40.0},
}


def lively(architecture="locally_connected", **changes):
    """Return a small spec; `changes` are tables that are merged into LIVELY's."""
    kernel = {} if architecture == "fully_connected" else {"kernel": 4}
    values = {**LIVELY, "topology": {"architecture": architecture, "channels": 3, "stride": 2, **kernel}}
    for table, keys in changes.items():
        values[table] = {**values.get(table, {}), **keys} if isinstance(keys, dict) else keys
    return STDPExperiment(**values)


def random_trains(rng, presentations, steps, pixels, probability=0.1):
    """Return Bernoulli input spikes of one probability."""
    return as_trains(rng.random((presentations, steps, pixels)) < probability)


def as_trains(raster):
    """Return the SpikeTrains of a boolean raster (N, T, pixels)."""
    raster = np.asarray(raster, bool)
    ends = np.cumsum(raster.sum(axis=2).ravel()).reshape(raster.shape[:2])
    starts = np.concatenate([[0], ends[:-1, -1]])
    return SpikeTrains(np.nonzero(raster)[2].astype(np.int32), np.column_stack([starts, ends]).astype(np.int64))


def build(spec, engine_keys):
    """Return an engine for the spec's untrained network."""
    spec = spec.updated({"simulation": engine_keys})
    return make_engine(spec, initial_network(spec), threads=1)


def show(engine, trains, switches=TRAINING, learning_rates=None):
    """Present, recording everything; return (outcome, recording)."""
    recording = Recording.empty(len(trains.offsets), trains.steps, engine.network)
    return engine.present(trains, switches, recording, learning_rates), recording


def assert_same(spec, engine_keys, trains, switches=TRAINING, learning_rates=None):
    """Assert that an engine and the naive twin agree to the last bit; return the outcome, and the network after it."""
    engine, twin = build(spec, engine_keys), NaiveEngine(spec, initial_network(spec))
    (outcome, seen), (expected, wanted) = (show(each, trains, switches, learning_rates) for each in (engine, twin))
    np.testing.assert_array_equal(seen.spikes, wanted.spikes)
    np.testing.assert_array_equal(seen.v, wanted.v)
    np.testing.assert_array_equal(seen.current, wanted.current)
    np.testing.assert_array_equal(seen.theta, wanted.theta)
    np.testing.assert_array_equal(outcome.counts, expected.counts)
    assert outcome.unnormalised == expected.unnormalised
    for name, array in engine.network.arrays().items():
        np.testing.assert_array_equal(array, twin.network.arrays()[name], err_msg=name)
    return outcome, engine.network
