"""Hand-drawn rasters: each rule of docs/model.md, One time step, on a network small enough to compute on paper."""

import math

import numpy as np
import pytest

from stdpnet.stdp.engines.protocol import FROZEN, Switches
from stdpnet.stdp.spec.experiment import STDPExperiment
from tests.stdp.engines.networks import as_trains, build, show

STEPS = 20
REST, THRESHOLD = -65.0, -55.0
LEARN = Switches(learn_xy=True, learn_yy=True, adapt_theta=True)
ADAPT = Switches(learn_xy=False, learn_yy=False, adapt_theta=True)


class Bench:
    """Four pixels and up to three neurons with chosen weights; normalisation keeps the sum the test chose."""

    def __init__(self, engine_keys, weights, **tables):
        weights = np.array(weights, float)  # (4 pixels, C)
        values = {
            "dataset": {"crop": 2},
            "topology": {"architecture": "fully_connected", "channels": weights.shape[1]},
            "neuron": {"v_thresh": THRESHOLD, "tau_v": 20.0, "theta_plus": 0.0, "tau_refrac": 3.0},
            "plasticity": {"A_plus": 0.0, "A_minus": 0.0, "w_max": 1000.0, "mean_weight": weights.sum() / weights.size},
            "competition": {"c_w": 0.0},
            "simulation": {"dtype": "float64", "duration": float(STEPS)},
        }
        for table, keys in tables.items():
            values[table] = {**values.get(table, {}), **keys}
        self.engine = build(STDPExperiment(**values), engine_keys)
        self.engine.network.weights[0] = weights
        self.weights = weights

    def run(self, spikes, switches=FROZEN):
        """Show one presentation with input spikes {pixel: [steps]}; return spike steps per neuron and the recording."""
        raster = np.zeros((1, STEPS, 4), bool)
        for pixel, steps in spikes.items():
            raster[0, steps, pixel] = True
        self.outcome, recording = show(self.engine, as_trains(raster), switches)
        self.v, self.current = recording.v[0, :, 0], recording.current[0, :, 0]
        return [list(np.nonzero(recording.spikes[0, :, 0, j])[0]) for j in range(self.weights.shape[1])]


def single(engine_keys, *weights, **tables):
    return Bench(engine_keys, [[w] for w in (*weights, *[0.0] * (4 - len(weights)))], **tables)


def test_an_input_spike_moves_v_one_step_later_and_v_decays_exponentially(engine_keys):
    bench = single(engine_keys, 4.0)
    assert bench.run({0: [2]}) == [[]]
    decay = math.exp(-1 / 20)
    assert bench.current[2, 0] == 4.0
    np.testing.assert_array_equal(bench.v[:3, 0], REST)
    assert bench.v[3, 0] == REST + 4.0
    np.testing.assert_allclose(bench.v[3:, 0] - REST, 4.0 * decay ** np.arange(STEPS - 3), rtol=1e-12)


def test_a_neuron_exactly_at_threshold_spikes(engine_keys):
    bench = single(engine_keys, 10.0)
    assert bench.run({0: [2]}) == [[3]]
    bench.engine.network.weights[0, 0] = np.nextafter(10.0, 0) - 1e-13
    assert bench.run({0: [2]}) == [[]]


def test_input_during_refractoriness_is_lost_and_the_first_step_after_integrates(engine_keys):
    # spike at step 3; refractory at 4, 5, 6 (n_ref = 3): what was sent at 3, 4, 5 is lost, that of 6 counts at 7
    bench = single(engine_keys, 10.0, 1.0)
    for sent, counts in [(3, False), (4, False), (5, False), (6, True)]:
        assert bench.run({0: [2], 1: [sent]}) == [[3]]
        np.testing.assert_array_equal(bench.v[3:7, 0], REST)
        assert (bench.v[7, 0] == REST + 1.0) == counts
        assert (bench.v[8, 0] > REST) == counts


def test_refractory_time_zero_spikes_at_every_step(engine_keys):
    bench = single(engine_keys, 10.0, neuron={"tau_refrac": 0.0})
    assert bench.run({0: [2, 3, 4]}) == [[3, 4, 5]]


def test_while_refractory_v_stays_at_reset_which_may_differ_from_rest(engine_keys):
    bench = single(engine_keys, 10.0, neuron={"v_reset": -70.0})
    bench.run({0: [2]})
    np.testing.assert_array_equal(bench.v[3:7, 0], -70.0)
    assert bench.v[7, 0] == REST + -5.0 * math.exp(-1 / 20)


def test_theta_rises_after_the_spike_and_decays_before_the_threshold(engine_keys):
    bench = single(engine_keys, 10.0, neuron={"theta_plus": 1.0, "tau_theta": 10.0, "tau_refrac": 0.0})
    assert bench.run({0: [2, 3]}, ADAPT) == [[3]], "the second input of 10 mV misses a threshold raised by theta"
    expected = 1.0
    for _ in range(STEPS - 4):
        expected *= math.exp(-1 / 10)
    assert bench.engine.network.theta[0, 0] == expected
    bench.engine.network.theta[0, 0] = 0.0
    assert bench.run({0: [2, 3]}, FROZEN) == [[3, 4]], "frozen: theta does not rise"


def test_inhibition_arrives_one_step_after_the_spike(engine_keys):
    bench = Bench(engine_keys, [[10.0, 0.0], [0.0, 9.0], [0, 0], [0, 0]], competition={"c_w": -4.0})
    assert bench.run({0: [2], 1: [2]}) == [[3], []]
    assert bench.v[3, 1] == REST + 9.0, "not yet at the step of the spike"
    assert bench.current[3, 1] == -4.0
    assert bench.v[4, 1] == REST + (REST + 9.0 - REST) * math.exp(-1 / 20) + -4.0
    assert bench.current[3, 0] == 0.0, "no synapse with itself"


def test_neurons_that_spike_together_inhibit_each_other_only_afterwards(engine_keys):
    bench = Bench(engine_keys, [[10.0, 10.0], [0, 0], [0, 0], [0, 0]], competition={"c_w": -50.0})
    assert bench.run({0: [2]}) == [[3], [3]]
    np.testing.assert_array_equal(bench.v[4:7], REST)


def test_coincident_pre_and_post_potentiate_with_full_traces_and_depress_first(engine_keys):
    # post spike at step 3 (input of step 2), pre spike of pixel 1 at step 3 too: first y depresses, then x potentiates
    keys = {"A_plus": 0.5, "A_minus": 0.2, "tau_plus": 10.0, "mean_weight": 1000.0, "w_max": 10.0}
    bench = single(engine_keys, 10.0, 1.0, plasticity=keys)
    bench.run({0: [2], 1: [3]}, Switches(True, False, False))
    w0 = min(10.0, 10.0 + 0.5 * math.exp(-1 / 10))
    w1 = 1.0 - 0.2 + 0.5
    factor = 4 * 1000.0 / (w0 + w1)
    assert bench.engine.network.weights[0, 1, 0] == min(10.0, w1 * factor)


@pytest.mark.parametrize(
    ("pre", "traces", "change"),
    [
        ([1, 2], "nearest", math.exp(-1 / 10)),
        ([1, 2], "all_to_all", math.exp(-1 / 10) + math.exp(-2 / 10)),
        ([0], "nearest", math.exp(-3 / 10)),
        ([3], "nearest", 1.0),
        ([4], "nearest", 0.0),
    ],
)
def test_pre_before_post_follows_the_exponential_window(engine_keys, pre, traces, change):
    keys = {"A_plus": 0.25, "tau_plus": 10.0, "traces": traces, "w_max": 1e6, "mean_weight": 1.0}
    bench = single(engine_keys, 10.0, 1e-9, plasticity=keys)
    assert bench.run({0: [2], 1: pre}, Switches(True, False, False)) == [[3]]
    after = bench.engine.network.weights[0, :, 0]
    own = 10.0 + 0.25 * math.exp(-1 / 10)
    np.testing.assert_allclose(after[1] / after[0], (1e-9 + 0.25 * change) / own, rtol=1e-12)


@pytest.mark.parametrize(("pre", "change"), [([3], 1.0), ([5], math.exp(-2 / 8)), ([2], 0.0)])
def test_post_before_pre_depresses_along_the_exponential_window(engine_keys, pre, change):
    keys = {"A_minus": 0.25, "tau_minus": 8.0, "w_max": 1e6, "mean_weight": 1.0}
    bench = single(engine_keys, 10.0, 0.5, plasticity=keys)
    assert bench.run({0: [2], 1: pre}, Switches(True, False, False)) == [[3]]
    after = bench.engine.network.weights[0, :, 0]
    np.testing.assert_allclose(after[1] / after[0], (0.5 - 0.25 * change) / 10.0, rtol=1e-12)


def test_weights_clip_at_both_bounds_before_the_normalisation(engine_keys):
    keys = {"A_plus": 5.0, "A_minus": 5.0, "w_max": 12.0, "mean_weight": 3.0}
    bench = single(engine_keys, 10.0, 1.0, plasticity=keys)
    bench.run({0: [2], 1: [5]}, Switches(True, False, False))  # pixel 0: 10 + 4.75 -> 12; pixel 1: 1 - 4.5 -> 0
    np.testing.assert_array_equal(bench.engine.network.weights[0, :, 0], [12.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("normalise", ["spiked", "all"])
def test_normalisation_restores_the_sum_of_neurons_that_spiked_or_of_all(engine_keys, normalise):
    keys = {"mean_weight": 10.0, "normalise": normalise}
    bench = Bench(engine_keys, [[10.0, 2.0], [5.0, 1.0], [5.0, 1.0], [0.0, 0.0]], plasticity=keys)
    assert bench.run({0: [2]}, Switches(True, False, False)) == [[3], []]
    after = bench.engine.network.weights[0]
    np.testing.assert_array_equal(after[:, 0], [20.0, 10.0, 10.0, 0.0])
    np.testing.assert_array_equal(after[:, 1], [20.0, 10.0, 10.0, 0.0] if normalise == "all" else [2.0, 1.0, 1.0, 0.0])


def test_transmission_uses_the_weights_before_this_steps_plasticity(engine_keys):
    bench = single(engine_keys, 10.0, 1.0, plasticity={"A_minus": 0.5, "mean_weight": 1.0})
    bench.run({0: [2], 1: [6]}, Switches(True, False, False))
    assert bench.current[6, 0] == 1.0


def competing(engine_keys, **keys):
    """Two neurons, driven one by one by pixels 0 and 1, with learned competition that starts at -3 mV."""
    values = {
        "rule": "anti_stdp",
        "c_w": -3.0,
        "A_plus": 0.0,
        "A_minus": 0.0,
        "tau_plus": 10.0,
        "tau_minus": 8.0,
        **keys,
    }
    weights = [[10.0, 0.0], [0.0, 40.0], [0, 0], [0, 0]]
    bench = Bench(engine_keys, weights, competition=values)
    bench.engine.network.competition[0] = [[0.0, -3.0], [-3.0, 0.0]]
    return bench


YY = Switches(learn_xy=False, learn_yy=True, adapt_theta=False)


def test_anti_stdp_strengthens_pre_before_post_and_weakens_post_before_pre(engine_keys):
    bench = competing(engine_keys, A_plus=-1.0, A_minus=-0.5)
    assert bench.run({0: [2], 1: [4]}, YY) == [[3], [5]]
    matrix = bench.engine.network.competition[0]
    assert matrix[0, 1] == -3.0 - 1.0 * (
        math.exp(-1 / 10) * math.exp(-1 / 10)
    )  # neuron 0 spiked two steps before neuron 1
    assert matrix[1, 0] == -3.0 + 0.5 * (math.exp(-1 / 8) * math.exp(-1 / 8))
    np.testing.assert_array_equal(np.diag(matrix), 0.0)


def test_competition_of_neurons_that_spike_together_learns_pre_then_post(engine_keys):
    bench = competing(engine_keys, A_plus=-1.0, A_minus=-4.0, w_max=-0.5)
    assert bench.run({0: [2], 1: [2]}, YY) == [[3], [3]]
    expected = min(-3.0 + 4.0, -0.5) - 1.0  # clipped between the two
    np.testing.assert_array_equal(bench.engine.network.competition[0], [[0.0, expected], [expected, 0.0]])


def test_a_rate_target_weakens_inhibition_of_a_silent_neuron_and_strengthens_it_around_its_spikes(engine_keys):
    # alpha = 20 Hz * (10 + 8) ms = 0.36
    bench = competing(engine_keys, rule="rate_target", eta=0.5, target_rate=20.0)
    assert bench.run({0: [2]}, YY) == [[3], []]
    np.testing.assert_array_equal(bench.engine.network.competition[0], [[0.0, -3.0 + 0.5 * 0.36], [-3.0, 0.0]])
    bench.engine.network.competition[0] = [[0.0, -3.0], [-3.0, 0.0]]
    assert bench.run({0: [2], 1: [4]}, YY) == [[3], [5]]
    matrix = bench.engine.network.competition[0]
    assert matrix[0, 1] == -3.0 + 0.5 * 0.36 - 0.5 * (math.exp(-1 / 10) * math.exp(-1 / 10))
    assert matrix[1, 0] == -3.0 - 0.5 * (math.exp(-1 / 8) * math.exp(-1 / 8) - 0.36)
    np.testing.assert_array_equal(np.diag(matrix), 0.0)


@pytest.mark.parametrize(("steps", "sign"), [([], 1), ([4, 8, 12, 16], -1)], ids=["silent", "busy"])
def test_a_rate_target_lets_a_neuron_fire_neither_less_nor_more(engine_keys, steps, sign):
    keys = {"tau_plus": 200.0, "tau_minus": 200.0, "traces": "all_to_all"}
    bench = competing(engine_keys, rule="rate_target", eta=0.1, target_rate=3.0, **keys)
    raster = bench.run({0: [2, 6, 10, 14], 1: steps}, YY)
    assert [len(spikes) for spikes in raster] == [4, len(steps)]
    assert np.sign(bench.engine.network.competition[0, 0, 1] + 3.0) == sign


def test_anti_hebbian_learns_from_the_products_of_the_counts_after_the_presentation(engine_keys):
    # p = 50 Hz * 20 ms = 1 spike
    bench = competing(engine_keys, rule="anti_hebbian", eta=0.25, target_rate=50.0)
    assert bench.run({0: [2], 1: [4, 9, 14]}, YY) == [[3], [5, 10, 15]]
    np.testing.assert_array_equal(bench.engine.network.competition[0], [[0.0, -3.5], [-3.5, 0.0]])  # 3 - 1 = 2
    bench.run({0: [2]}, YY)
    np.testing.assert_array_equal(bench.engine.network.competition[0], [[0.0, -3.25], [-3.25, 0.0]])  # 0 - 1
    bench.run({0: [2]}, FROZEN)
    np.testing.assert_array_equal(bench.engine.network.competition[0], [[0.0, -3.25], [-3.25, 0.0]])


def test_competition_drifts_once_per_presentation_and_clips(engine_keys):
    bench = competing(engine_keys, drift=1.0, w_max=-1.5)
    bench.run({}, YY)
    np.testing.assert_array_equal(bench.engine.network.competition[0], [[0.0, -2.0], [-2.0, 0.0]])
    bench.run({}, YY)
    np.testing.assert_array_equal(bench.engine.network.competition[0], [[0.0, -1.5], [-1.5, 0.0]])


def test_every_presentation_starts_from_rest(engine_keys):
    bench = single(engine_keys, 10.0, neuron={"tau_refrac": 30.0})
    assert bench.run({0: [STEPS - 2]}) == [[STEPS - 1]], "refractory, and with input on the way, when the image ends"
    assert bench.run({0: [0]}) == [[1]]
    assert bench.v[0, 0] == REST


def test_shared_kernels_add_up_the_changes_of_all_positions_and_clip_once(engine_keys):
    # two neurons of one channel: positions of 1 x 1 pixel; both potentiate the one weight, A_plus = 8 each, w_max = 14
    spec = STDPExperiment(
        dataset={"crop": 2},
        topology={"architecture": "convolutional", "channels": 1, "kernel": 1, "stride": 1},
        neuron={"v_thresh": THRESHOLD, "theta_plus": 0.0},
        plasticity={"A_plus": 1.0, "A_minus": 0.0, "tau_plus": 10.0, "mean_weight": 20.0, "w_max": 14.0},
        simulation={"dtype": "float64", "duration": float(STEPS)},
    )
    engine = build(spec, engine_keys)
    engine.network.weights[0] = 11.0
    raster = np.zeros((1, STEPS, 4), bool)
    raster[0, 2, [0, 3]] = True
    outcome, _ = show(engine, as_trains(raster), Switches(True, False, False))
    np.testing.assert_array_equal(outcome.counts[0, :, 0], [1, 0, 0, 1])
    spec_sum = min(11.0 + 2 * math.exp(-1 / 10), 14.0)
    assert engine.network.weights[0, 0, 0] == min(spec_sum * (20.0 / spec_sum), 14.0)
