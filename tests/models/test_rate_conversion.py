"""Rate-conversion networks: the spiking rule, the gradients, the answers, and every command on their runs."""

import json

import numpy as np
import pytest

import stdpnet
from stdpnet.api import as_split
from stdpnet.baselines.rate_conversion.model import answer, output
from stdpnet.baselines.rate_conversion.network import RateNetwork, softmax, weights
from stdpnet.baselines.rate_conversion.spiking import lowpass, spikes
from stdpnet.errors import ConfigError, HealthError
from stdpnet.model import State, open_model
from stdpnet.operating import at_point
from stdpnet.random import Stream
from tests.models.cases import images, labels, rate_conversion

RANDOM = np.random.default_rng(0)
ACTIVITY, START = RANDOM.uniform(0, 30, (4, 6)), RANDOM.random((4, 6))


def test_spikes_are_the_whole_part_of_the_potential_which_keeps_the_rest():
    found = spikes(ACTIVITY, START, 0.07, 9)
    for place in np.ndindex(4, 6):
        v = START[place]
        for step in range(9):
            v += ACTIVITY[place] * 0.07
            assert found[(step, *place)] == np.floor(v)
            v -= np.floor(v)


@pytest.mark.parametrize("dt", [0.001, 0.01, 0.1, 1.0, 3.0])
def test_nothing_of_the_activity_is_lost(dt):
    total = spikes(ACTIVITY, START, dt, 50).sum(axis=0)
    rest = START + 50 * dt * ACTIVITY - total  # the potential at the end
    assert rest.min() > -1e-9
    assert rest.max() < 1 + 1e-9


def test_the_expected_output_is_the_activity():
    many = RANDOM.random((20_000, 1))
    mean = spikes(np.full((20_000, 1), 3.7), many, 0.1, 3).mean() / 0.1
    assert mean == pytest.approx(3.7, abs=5 * np.sqrt(0.25 / 20_000) / 0.3)


def test_a_unit_without_activity_is_silent():
    assert not spikes(np.zeros((2, 3)), START[:2, :3], 1.0, 5).any()


def test_the_filter_weighs_the_past_exponentially():
    rates, log_tau, level = RANDOM.uniform(0, 9, (7, 2, 3)), np.log([0.1, 0.5, 2.0]), np.array([0.0, 1.0, -2.0])
    s = np.exp(-0.2 / np.exp(log_tau))
    expected = s**7 * level + sum((1 - s) * s ** (6 - step) * rates[step] for step in range(7))
    found = lowpass(rates, log_tau, level, 0.2)
    np.testing.assert_allclose(found.value, expected)
    for name, step in (("log_tau", found.by_log_tau), ("level", found.by_level)):
        moved = [
            lowpass(rates, log_tau + change * (name == "log_tau"), level + change * (name == "level"), 0.2).value
            for change in (1e-6, -1e-6)
        ]
        np.testing.assert_allclose((moved[0] - moved[1]) / 2e-6, np.broadcast_to(step, (2, 3)), rtol=1e-6, atol=1e-8)
    up, down = (lowpass(rates + change, log_tau, level, 0.2).value for change in (1e-6, -1e-6))
    np.testing.assert_allclose((up - down) / 2e-6, np.broadcast_to(found.by_input, (2, 3)), rtol=1e-6)


@pytest.mark.parametrize("lowpass", [0.0, 0.4])
@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_gradients_are_those_of_finite_differences(lowpass, penalty):
    spec = rate_conversion(
        training={"classes": 3, "rate_penalty": penalty, "target_rate": 2.0},
        spiking={"dt": 0.1, "steps": 4, "lowpass": lowpass},
    )
    network, arrays, classes = RateNetwork(spec), weights(spec), np.arange(8) % 3
    arrays["hidden_bias"] += 0.3
    batch = network.batch(arrays, images(8), classes, 0)
    assert set(batch.gradients) == set(arrays)
    for name, gradient in batch.gradients.items():
        for place in list(np.ndindex(gradient.shape))[:: max(gradient.size // 7, 1)]:
            losses = []
            for change in (1e-6, -1e-6):
                moved = {**arrays, name: arrays[name].copy()}
                moved[name][place] += change
                losses.append(network.batch(moved, images(8), classes, 0).loss)
            assert gradient[place] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-4, abs=1e-8), name


def test_spike_aware_gradients_are_those_of_the_spikes_passed_straight_through():
    spec = rate_conversion(training={"spike_aware": True}, spiking={"dt": 0.2, "steps": 5})
    arrays, classes = weights(spec), labels(8)
    aware = RateNetwork(spec).batch(arrays, images(8), classes, 8)
    again, other = (RateNetwork(spec).batch(arrays, images(8), classes, first) for first in (8, 16))
    np.testing.assert_array_equal(aware.gradients["hidden_weights"], again.gradients["hidden_weights"])
    assert not np.array_equal(aware.gradients["output_weights"], other.gradients["output_weights"])
    x = images(8).reshape(8, -1) / 255
    z = x @ arrays["hidden_weights"]
    error = aware.gradients["output_bias"]  # sum of softmax - one-hot over the batch, divided by its size
    assert error.sum() == pytest.approx(0)
    assert not aware.gradients["hidden_weights"][:, (z <= 0).all(axis=0)].any()
    fine = spec.updated({"spiking.steps": 20_000})
    plain = spec.updated({"training.spike_aware": False})
    near, exact = (RateNetwork(each).batch(arrays, images(8), classes, 8).gradients for each in (fine, plain))
    for name, gradient in exact.items():
        np.testing.assert_allclose(near[name], gradient, atol=2e-3 * np.abs(gradient).max())


@pytest.fixture(scope="module")
def trained():
    spec = stdpnet.load_config("rate-conversion-digits", ["network.hidden=24", "training.images=6400"])
    split = stdpnet.load_dataset(spec.dataset)
    return spec, stdpnet.fit(spec, split.train.images, split.train.labels), split


def test_it_learns_and_long_steps_answer_as_units_without_spikes(trained):
    spec, state, split = trained
    accuracy = {}
    points = {"rate": {"spiking.activation": "rate"}} | {dt: {"spiking.dt": dt} for dt in (0.001, 0.1, 100.0)}
    for name, point in points.items():
        there, arrays = at_point(spec, state, point)
        found = open_model(spec).respond(there, arrays, split.test, Stream.TEST)
        accuracy[name] = np.mean(found.scores.argmax(axis=1) == split.test.labels)
        if name == "rate":
            exact = found.scores
    assert accuracy["rate"] > 0.85
    assert accuracy[0.001] < accuracy[0.1]
    assert abs(accuracy[0.1] - accuracy["rate"]) < 0.06
    np.testing.assert_allclose(found.scores, exact, atol=0.02)


def test_responses_are_spikes_and_mean_outputs(trained):
    spec, state, split = trained
    few = split.test.at(np.arange(5))
    found = open_model(spec).respond(spec, state, few, Stream.TEST)
    steps = answer(spec, state, few.images, few.indices, Stream.TEST)
    np.testing.assert_array_equal(found.counts, (steps.rates * spec.spiking.dt).sum(axis=0).round())
    each = np.stack([output(state, rates) for rates in steps.rates])
    np.testing.assert_allclose(found.scores, each.mean(axis=0))
    np.testing.assert_allclose(softmax(each).sum(axis=-1), 1)
    assert found.cost["events"] == pytest.approx(found.counts.sum() / 5 * 10)


def test_a_penalty_draws_rates_to_the_target():
    keys = {"training.images": 800, "optimiser.learning_rate": 0.02}
    spec = rate_conversion(spiking={"activation": "rate"}).updated(keys)
    free, drawn = (
        stdpnet.fit(spec.updated({"training.rate_penalty": penalty, "training.target_rate": 6.0}), images(), labels())
        for penalty in (0.0, 0.1)
    )
    rates = []
    for state in (free, drawn):
        found = answer(spec, state, images(), np.arange(40), Stream.TEST).rates.mean(axis=(0, 1))
        rates.append(found[found > 0])  # a dead unit has no gradient
    assert len(rates[1]) >= 3
    assert np.abs(rates[1] - 6).max() < 1.5
    assert np.abs(rates[0] - 6).max() > 3


def test_health_names_dead_units_and_numbers_that_grow_without_bound():
    spec = rate_conversion(training={"images": 8}, progress={"every": 8})
    state = open_model(spec).initial(spec)
    state.arrays["hidden_bias"][:] = -100
    with pytest.warns(UserWarning, match="dead units at image 8: 100% of the hidden units answered no image"):
        stdpnet.fit(spec, images(), labels(), state=state)
    state = open_model(spec).initial(spec)
    state.arrays["output_weights"][0] = np.nan
    with pytest.raises(HealthError, match=r"not finite at image 8: .*lower optimiser\.learning_rate"):
        stdpnet.fit(spec, images(), labels(), state=state)


def test_the_filter_has_arrays_of_its_own():
    spec = rate_conversion(spiking={"lowpass": 0.5})
    arrays = open_model(spec).initial(spec).arrays
    np.testing.assert_allclose(np.exp(arrays["log_tau"]), 0.5)
    with pytest.raises(ConfigError, match=r"state: its array .* this spec with these images needs"):
        stdpnet.respond(spec, State(arrays={}), images(2))
    assert as_split(images(2)).labels.tolist() == [-1, -1]


def test_every_command_works_on_its_runs(stdpnet_command, tmp_path):
    train = ["train", "rate-conversion-digits", "--set", "network.hidden=4", "--set", "dataset.validation=50"]
    train += ["--set", "curve.every=320", "--set", "curve.validation=50", "--set", "curve.readout=own"]
    stdpnet_command(*train, "--run", "runs/a", "--set", "training.images=640")
    scores = json.loads(stdpnet_command("evaluate", "runs/a", "--json").stdout)
    assert set(scores["readouts"]) == {"own", "linear"}
    assert scores["protocol"]["training_labels"] == 640
    rate = stdpnet_command("evaluate", "runs/a", "--no-baselines", "--at", "spiking.activation=rate")
    assert "spiking.activation = rate" in " ".join(rate.stdout.split())
    assert "spikes per image" in stdpnet_command("evaluate", "runs/a", "--no-baselines").stdout
    assert "untrained own" in stdpnet_command("compare", "runs/a", "--format", "markdown").stdout
    stdpnet_command("resume", "runs/a", "--images", "960")
    stdpnet_command(*train, "--run", "runs/b", "--set", "training.images=960")
    first, second = (stdpnet.Run.open(tmp_path / "runs" / name).load_state() for name in "ab")
    assert first.digest() == second.digest()
    assert "rate SNN 784-4-10" in stdpnet_command("info", "runs/a").stdout
    for words in (("runs",), ("watch", "runs/a", "--once"), ("report", "runs/a")):
        stdpnet_command(*words)
    wrong = stdpnet_command("train", "rate-conversion-digits", "--set", "training.classes=3", code=2).stderr
    assert "training.classes: 3, but there is an image of class 9; set training.classes = 10" in wrong
