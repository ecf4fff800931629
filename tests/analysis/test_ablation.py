import numpy as np
import pytest

import stdpnet
from stdpnet.model import Responses
from stdpnet.random import Stream
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.respond import respond
from stdpnet_analysis import ablation
from stdpnet_analysis.readouts.base import answers
from stdpnet_analysis.readouts.rules import THESIS_RULES
from stdpnet_analysis.readouts.votes import class_means, vote_scores
from stdpnet_analysis.recording import input_spikes, record, winner_and_loser
from tests.stdp.engines.networks import ENGINES


def spec(architecture="locally_connected", *overrides):
    kernel = "none" if architecture == "fully_connected" else "12"
    keys = [f"topology.architecture={architecture}", f"topology.kernel={kernel}", "topology.channels=8"]
    return stdpnet.load_config("digits", [*keys, "training.images=40", "competition.rule=anti_stdp", *overrides])


@pytest.fixture(scope="module")
def images():
    return stdpnet.load_dataset(spec("locally_connected", "dataset.subsets=spread").dataset)


def answered(small, network, split, stream=Stream.TEST):
    shown = respond(small, network.state(), split, stream)
    return shown, class_means(shown.counts, shown.labels, 10)


@pytest.mark.parametrize("architecture", ["locally_connected", "convolutional", "fully_connected"])
def test_deleting_no_synapse_changes_nothing_and_deleting_all_leaves_no_answer(architecture, images):
    small, split = spec(architecture), images.some("test", 60)
    network = initial_network(small)
    before = network.copy()
    shown, votes = answered(small, network, split)
    found = ablation.by_synapses_deleted(small, network, votes, split, "test", (0.0, 0.5, 1.0))
    positions = network.geometry.positions
    for rule in THESIS_RULES:
        whole = np.mean(answers(vote_scores(shown.counts, votes, positions, rule)) == shown.labels)
        assert found[rule][0] == whole > 0.12
        assert found[rule][2] == 0
    assert network.changed_arrays(before) == []


def test_which_synapses_are_deleted_depends_on_the_seed_alone(images):
    small, split = spec(), images.some("test", 60)
    network = initial_network(small)
    _, votes = answered(small, network, split)

    def run(**keys):
        return ablation.by_synapses_deleted(small, network, votes, split, "test", (0.6, 0.8), **keys)["all"].tolist()

    assert run(seed=1) == run(seed=1, threads=2)
    assert run(seed=1) != run(seed=2)


def test_a_convolution_with_weights_for_each_position_answers_the_same(images):
    small = spec("convolutional", "simulation.dtype=float64", "topology.channels=4")
    split = images.some("test", 20)
    network = initial_network(small)
    network.theta += np.linspace(0, 3, network.theta.size).reshape(network.theta.shape)
    own_spec, own = ablation.unshared(small, network)
    assert own.weights.shape == (network.geometry.positions, 144, 4)
    shared, alone = (
        respond(*each, split, Stream.TEST).counts for each in ((small, network.state()), (own_spec, own.state()))
    )
    assert shared.sum() > 0
    np.testing.assert_array_equal(shared, alone)


def test_all_channels_kept_is_the_whole_network_and_the_order_decides_who_stays(images):
    counts = np.zeros((40, 2 * 3), np.uint16)
    labels = np.arange(40) % 2
    counts[labels == 0, 0], counts[labels == 1, 4] = 5, 5  # position 0, channel 0; position 1, channel 1
    scored, votes = Responses(counts, labels, labels), class_means(counts, labels, 2)
    best_first, best_last = np.array([[0, 1, 2], [1, 0, 2]]), np.array([[1, 2, 0], [0, 2, 1]])
    found = ablation.by_channels_kept(votes, scored, 2, (1, 3), best_first)
    assert {rule: values.tolist() for rule, values in found.items()} == {rule: [1.0, 1.0] for rule in THESIS_RULES}
    found = ablation.by_channels_kept(votes, scored, 2, (1, 2, 3), best_last)
    assert found["all"].tolist() == [0.0, 0.0, 1.0]


def test_clamping_beyond_the_weights_changes_nothing_and_without_competition_the_network_spikes_more(images):
    small = spec()
    network = initial_network(small)
    bounds = np.array([network.competition.min() - 1, 0.0])
    found = ablation.by_clamp(small, network, images, "test", bounds, 50)
    assert found.images == 50
    for rule in THESIS_RULES:
        assert found.below[rule][0] == found.above[rule][1] == found.unclamped[rule]
    open_ = ablation.clamp(network, low=0.0)
    split = images.some("test", 50)
    free, rivals = (respond(small, each.state(), split, Stream.TEST).counts.sum() for each in (open_, network))
    assert free > 1.5 * rivals


@pytest.mark.parametrize("engine", ["numba", "brian2-numpy"])
def test_a_recorded_image_is_what_evaluation_saw_on_every_engine(engine, images):
    small = spec("locally_connected", "simulation.dtype=float64", "topology.channels=4", "simulation.duration=60.0")
    small = small.updated({"simulation": ENGINES[engine]})
    network = initial_network(small)
    recorded = record(small, network, images.test, 3, Stream.TEST)
    counts = respond(small, network.state(), images.test.at(np.arange(5)), Stream.TEST).counts
    assert recorded.counts.sum() > 0
    np.testing.assert_array_equal(recorded.counts.ravel(), counts[3])
    reference = record(small.updated({"simulation.engine": "numba"}), network, images.test, 3, Stream.TEST)
    np.testing.assert_array_equal(recorded.v, reference.v)
    np.testing.assert_array_equal(recorded.image, images.test.images[3])
    assert recorded.label == images.test.labels[3]
    assert len(recorded.input_steps) == len(recorded.input_pixels) > 0
    assert (np.diff(recorded.input_steps) >= 0).all()
    assert set(recorded.input_pixels) <= set(np.flatnonzero(images.test.images[3]))


def test_recording_repeats_a_weakly_answered_image_as_evaluation_does(images):
    small = spec("locally_connected", "training.min_spikes=350", "training.max_retries=2", "neuron.v_thresh=-50.0")
    network = initial_network(small)
    shown = images.test.at(np.arange(3))
    counts = respond(small, network.state(), shown, Stream.TEST).counts
    once = respond(small.updated({"training.min_spikes": 0}), network.state(), shown, Stream.TEST)
    assert (counts.sum(axis=1) != once.counts.sum(axis=1)).any(), "else nothing was shown again"
    for number in range(3):
        recorded = record(small, network, images.test, number, Stream.TEST)
        np.testing.assert_array_equal(recorded.counts.ravel(), counts[number])


def test_winner_and_loser_are_rivals_at_one_position(images):
    small = spec()
    recorded = record(small, initial_network(small), images.test, 0, Stream.TEST)
    winner, loser = winner_and_loser(recorded)
    assert winner // 8 == loser // 8
    assert winner != loser
    assert recorded.counts.flat[winner] == recorded.counts.max()
    assert recorded.counts.flat[loser] == recorded.counts[loser // 8].min()


def test_input_spikes_are_listed_step_by_step():
    from tests.stdp.engines.networks import as_trains

    raster = np.zeros((2, 5, 4), bool)
    raster[1, 2, [0, 3]] = raster[1, 4, 1] = raster[0, 0, 2] = True
    steps, pixels = input_spikes(as_trains(raster), 1)
    assert (steps.tolist(), pixels.tolist()) == ([2, 2, 4], [0, 3, 1])
