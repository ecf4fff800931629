"""Surrogate gradients: neurons, exact gradients of a smoothed network, determinism, and every command on their runs."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

import stdpnet
from stdpnet.baselines.surrogate_gradient import kernels
from stdpnet.baselines.surrogate_gradient.kernels import History, Weights, Workspace
from stdpnet.baselines.surrogate_gradient.network import SurrogateNetwork, constants_of, weights
from stdpnet.errors import ConfigError, HealthError
from stdpnet.model import open_model
from stdpnet.random import Stream
from stdpnet_analysis.figures import layers
from tests.models.cases import images, labels, surrogate_gradient

STEPS, HIDDEN, CLASSES = 8, 5, 2
RANDOM = np.random.default_rng(1)
INPUT = (RANDOM.random((STEPS, 36)) < 0.4).astype(float)
FUNCTIONS = ("sigmoid", "fast_sigmoid", "arctan", "triangular", "straight_through")
SLOPE = 2.0


def smooth(function, x):
    """Return a spike that is smooth in x, whose derivative is the surrogate."""
    k = SLOPE
    match function:
        case "sigmoid":
            return 1 / (1 + np.exp(-k * x))
        case "fast_sigmoid":
            return 0.5 + x / (1 + k * np.abs(x))
        case "arctan":
            return 0.5 + np.arctan(np.pi * k * x / 2) / np.pi
        case "triangular":
            near = np.clip(x, -1 / k, 1 / k)
            return 0.5 + near - k * np.sign(near) * near**2 / 2
    return x


def naive(spec, w, spike, frozen=None):
    """Return potentials and spikes of both layers, (T + 1, n) each, of the network that docs define.

    `spike` is a function of v - threshold. `frozen` are spikes that reset in place of the network's own.
    """
    neuron, layers = spec.neuron, []
    given = np.vstack([np.zeros(36), INPUT])
    for number, matrix in enumerate(w):
        v, s = np.zeros((STEPS + 1, matrix.shape[1])), np.zeros((STEPS + 1, matrix.shape[1]))
        for t in range(1, STEPS + 1):
            reset = s[t - 1] if frozen is None else frozen[number][1][t - 1]
            kept = v[t - 1] - neuron.threshold * reset if neuron.reset == "subtract" else v[t - 1] * (1 - reset)
            v[t] = neuron.decay * kept + given[t] @ matrix
            s[t] = spike(v[t] - neuron.threshold)
        layers.append((v, s))
        given = s
    return layers


def loss(counts, label):
    return np.log(np.exp(counts).sum()) - counts[label]


def softmax(counts):
    return np.exp(counts) / np.exp(counts).sum()


def compiled_gradients(spec, w, layers, label):
    """Return the gradients of the compiled backward pass, from a history of the naive network."""
    pixels = np.nonzero(INPUT)[1].astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(INPUT.sum(axis=1))]).astype(np.int64)
    error = softmax(layers[1][1].sum(axis=0)) - np.eye(CLASSES)[label]
    space = Workspace.of(*(History(*(each.astype(np.float32) for each in layer)) for layer in layers))
    space.error[:] = error
    found = Weights(*(np.zeros(each.shape, np.float32) for each in w))
    kernels.backward(
        pixels,
        offsets,
        np.ascontiguousarray(w[1].T, np.float32),
        constants_of(spec),
        space,
        found,
    )
    return found


def numbers():
    """Return weights with which both layers spike."""
    random = np.random.default_rng(5)
    return [random.normal(0, 0.4, (36, HIDDEN)), random.normal(0, 0.5, (HIDDEN, CLASSES))]


@pytest.mark.parametrize("through_reset", [False, True])
@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("function", FUNCTIONS[:4])
def test_gradients_are_exact_in_a_network_of_smooth_spikes(function, reset, through_reset):
    surrogate = {"function": function, "slope": SLOPE, "through_reset": through_reset}
    spec = surrogate_gradient(neuron={"reset": reset, "decay": 0.9}, surrogate=surrogate)

    def spike(x):
        return smooth(function, x)

    w = numbers()
    layers = naive(spec, w, spike)
    frozen = None if through_reset else layers
    found = compiled_gradients(spec, w, layers, 1)
    for matrix, gradient in zip(w, found, strict=True):
        expected = np.zeros(matrix.shape)
        for place in list(np.ndindex(matrix.shape))[:: max(matrix.size // 9, 1)]:
            value, losses = matrix[place], []
            for change in (1e-5, -1e-5):
                matrix[place] = value + change
                losses.append(loss(naive(spec, w, spike, frozen)[1][1].sum(axis=0), 1))
            matrix[place] = value
            expected[place] = (losses[0] - losses[1]) / 2e-5
            assert gradient[place] == pytest.approx(expected[place], rel=2e-3, abs=1e-4 * float(np.abs(gradient).max()))
        assert np.abs(expected).max() > 1e-3


@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_neurons_are_those_of_the_definition(reset):
    spec = surrogate_gradient(neuron={"reset": reset}, simulation={"steps": STEPS})
    network, w = SurrogateNetwork(spec, 1), numbers()
    w = [matrix.astype(np.float32) for matrix in w]
    pixels = np.nonzero(INPUT)[1].astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(INPUT.sum(axis=1))]).astype(np.int64)
    hidden, output = network.histories()
    kernels.forward(pixels, offsets, Weights(*w), network.constants, hidden, output)
    for layer, (v, s) in zip((hidden, output), naive(spec, w, lambda x: (x > 0).astype(float)), strict=True):
        np.testing.assert_allclose(layer.v, v, atol=1e-5)
        np.testing.assert_array_equal(layer.s, s)
        assert 0 < s.sum() < s.size


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_one_step_of_straight_through_spikes_is_logistic_regression(temperature):
    training = {"temperature": temperature}
    spec = surrogate_gradient(
        surrogate={"function": "straight_through"}, simulation={"steps": 1}, training={"classes": 2, **training}
    )
    network, arrays, shown, classes = SurrogateNetwork(spec, 1), weights(spec), images(16), labels(16)
    batch = network.batch(arrays, shown, classes, 7)
    trains = network.encode(shown, Stream.TRAIN, np.arange(7, 23))
    hidden, output, _ = network.answer(arrays, shown, Stream.TRAIN, np.arange(7, 23))
    error = (np.array([softmax(row / temperature) for row in output]) - np.eye(2)[classes]) / temperature
    np.testing.assert_allclose(batch.gradients["output_weights"], hidden.T @ error / 16, atol=1e-6)
    x = np.zeros((16, 36))
    for image, (begin, end) in enumerate(trains.offsets):
        x[image, trains.pixels[begin:end]] = 1
    expected = x.T @ (error @ arrays["output_weights"].T) / 16
    np.testing.assert_allclose(batch.gradients["hidden_weights"], expected, atol=1e-6)
    losses = [loss(row / temperature, label) for row, label in zip(output, classes, strict=True)]
    assert batch.loss == pytest.approx(np.mean(losses))
    assert batch.correct == np.count_nonzero(output.argmax(axis=1) == classes)


def test_the_instantaneous_gradient_has_no_path_through_time():
    spec = surrogate_gradient(
        surrogate={"function": "triangular", "slope": 0.5, "backward": "instantaneous", "centre": -0.2},
        neuron={"decay": 0.9},
    )
    w = numbers()
    layers = naive(spec, w, lambda x: (x > 0).astype(float))
    found = compiled_gradients(spec, w, layers, 0)
    error = softmax(layers[1][1].sum(axis=0)) - np.eye(2)[0]
    current = INPUT @ w[0]
    spikes = layers[0][1][1:]
    by_u = error * np.maximum(0, 1 - 0.5 * np.abs(spikes @ w[1] + 0.2))
    np.testing.assert_allclose(found.output, spikes.T @ by_u, atol=1e-5)
    by_v = (by_u @ w[1].T) * np.maximum(0, 1 - 0.5 * np.abs(current + 0.2))
    np.testing.assert_allclose(found.hidden, INPUT.T @ by_v, atol=1e-5)


def test_a_white_pixel_spikes_in_each_step_and_a_grey_one_by_its_brightness():
    spec = surrogate_gradient(simulation={"steps": 1000})
    shown = np.zeros((1, 6, 6), np.uint8)
    shown[0, 0, :3] = (255, 51, 0)
    trains = SurrogateNetwork(spec, 1).encode(shown, Stream.TEST, np.arange(1))
    counts = np.bincount(trains.pixels, minlength=36)
    assert counts[0] == 1000
    assert abs(counts[1] - 200) < 5 * np.sqrt(1000 * 0.2 * 0.8)
    assert counts[2:].sum() == 0


def test_threads_and_the_seed_decide_nothing_else():
    spec = surrogate_gradient(training={"images": 80, "batch": 40})
    states = [stdpnet.fit(spec, images(), labels(), threads=threads) for threads in (1, 2)]
    assert states[0].digest() == states[1].digest()
    assert states[0].digest() != stdpnet.fit(spec.updated({"seed": 4}), images(), labels()).digest()


@pytest.fixture(scope="module")
def trained():
    spec = stdpnet.load_config("bptt-digits", ["network.hidden=24", "training.images=3200", "simulation.steps=25"])
    split = stdpnet.load_dataset(spec.dataset)
    return spec, stdpnet.fit(spec, split.train.images, split.train.labels), split


def test_it_learns_and_answers_with_the_counts_of_the_output(trained):
    spec, state, split = trained
    found = open_model(spec).respond(spec, state, split.test, Stream.TEST)
    assert np.mean(found.scores.argmax(axis=1) == split.test.labels) > 0.8
    assert found.scores.max() <= 25
    assert found.cost["events"] == pytest.approx(24 * found.cost["input_spikes"] + 10 * found.counts.sum(axis=1).mean())


def test_a_recording_is_what_the_answer_counts(trained):
    spec, state, split = trained
    network, few = SurrogateNetwork(spec, 1), split.test.at(np.array([7]))
    recording = network.record(state.arrays, few, Stream.TEST)
    found = open_model(spec).respond(spec, state, few, Stream.TEST)
    np.testing.assert_array_equal(recording.hidden.s.sum(axis=0), found.counts[0])
    np.testing.assert_array_equal(recording.output.s.sum(axis=0), found.scores[0])
    assert recording.input.sum() == found.cost["input_spikes"]
    np.testing.assert_array_equal(recording.hidden.v > np.float32(0.6), recording.hidden.s)

    figure = Figure()
    layers.plot_recording(figure, recording, split.classes, 0.6)
    points = figure.axes[1].collections[0].get_offsets()
    np.testing.assert_array_equal(np.sort(points[:, 1]), np.sort(np.nonzero(recording.hidden.s)[1]))
    first = weights(spec)["hidden_weights"]
    before, after = layers.plot_weights(Figure().subplots(), first, state.arrays["hidden_weights"])
    assert before.get_data().values.sum() == after.get_data().values.sum() == first.size
    rows = [{"images": 9, "loss": 2.0, "training_accuracy": 0.5, "gradient_norm": 30.0}]
    lines = layers.plot_gradients(Figure(), rows)
    assert [float(line.get_ydata()[0]) for line in lines.values()] == [2.0, 50.0, 30.0]


def test_health_names_silent_networks_and_numbers_that_are_not_finite():
    spec = surrogate_gradient(training={"images": 8}, progress={"every": 8}, neuron={"threshold": 1e6})
    with pytest.warns(UserWarning, match=r"dead units at image 8: 100% of the hidden .* raise network\.deviation"):
        stdpnet.fit(spec, images(), labels())
    state = open_model(spec).initial(spec)
    state.arrays["output_weights"][0] = np.nan
    with pytest.raises(HealthError, match=r"not finite at image 8: .*lower optimiser\.learning_rate"):
        stdpnet.fit(spec, images(), labels(), state=state)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("neuron.decay", 1.5, "neuron.decay"),
        ("neuron.reset", "none", "neuron.reset"),
        ("surrogate.function", "step", "surrogate.function"),
        ("simulation.steps", 0, "simulation.steps"),
    ],
)
def test_wrong_keys_are_named(key, value, said):
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        surrogate_gradient().updated({key: value})


def test_every_command_works_on_its_runs(stdpnet_command, tmp_path):
    train = ["train", "bptt-digits", "--set", "network.hidden=4", "--set", "simulation.steps=10"]
    train += ["--set", "dataset.validation=50", "--set", "progress.every=320"]
    train += ["--set", "curve.every=320", "--set", "curve.validation=50", "--set", "curve.readout=own"]
    stdpnet_command(*train, "--run", "runs/a", "--set", "training.images=650")  # in the middle of a batch
    scores = json.loads(stdpnet_command("evaluate", "runs/a", "--readouts", "own", "--no-baselines", "--json").stdout)
    assert set(scores["readouts"]) == {"own"}
    assert scores["protocol"]["training_labels"] == 650
    longer = stdpnet_command("evaluate", "runs/a", "--readouts", "own", "--no-baselines", "--at", "simulation.steps=20")
    assert "simulation.steps = 20" in " ".join(longer.stdout.split())
    assert "BPTT 784-4-10" in stdpnet_command("compare", "runs/a", "--format", "markdown").stdout
    stdpnet_command("resume", "runs/a", "--images", "960")
    stdpnet_command(*train, "--run", "runs/b", "--set", "training.images=960")
    first, second = (stdpnet.Run.open(tmp_path / "runs" / name).load_state() for name in "ab")
    assert first.digest() == second.digest()
    assert "BPTT 784-4-10" in stdpnet_command("info", "runs/a").stdout
    drawn = stdpnet_command("figures", "runs/a", "layers", "weight-histograms", "gradients").stdout
    assert all(f"{name}.png" in drawn for name in ("layers", "weight-histograms", "gradients"))
    row = stdpnet.Run.open(tmp_path / "runs/b").rows("progress")[-1]
    assert row["gradient_norm"] > 0
    assert 0 <= row["training_accuracy"] <= 1


@pytest.mark.parametrize("arguments", [("verify",), ("benchmark",), ("train", "--engine", "brian2")])
def test_what_needs_stdp_says_so(arguments, stdpnet_command):
    command, *options = arguments
    error = stdpnet_command(command, "bptt-digits", *options, code=2).stderr
    assert "needs a network with model = 'stdp', and this one is 'surrogate_gradient'" in error
