"""Recorded events as input spikes: binning, engines, training, resuming, evaluation, predictions."""

import itertools
import json
import pickle

import brian2
import numpy as np
import pytest

import stdpnet
from stdpnet.data import saccades
from stdpnet.encoding import Encoder
from stdpnet.errors import ConfigError
from stdpnet.events import Events
from stdpnet.random import Stream
from stdpnet.spec.encoder import EncoderSpec
from stdpnet.stdp.engines.brian.process import quick_collection
from stdpnet.stdp.network import initial_network
from stdpnet_analysis import evaluate
from stdpnet_analysis.inspector.inside import Inside
from stdpnet_analysis.prediction import predict
from stdpnet_analysis.view import RunView
from tests.stdp.engines.networks import ARCHITECTURES, ENGINES, assert_same, lively

TYPE = [("x", "i2"), ("y", "i2"), ("t", "i8"), ("p", "i1")]


def recording(size, side, longest, rng):
    events = np.empty(size, TYPE)
    events["x"], events["y"] = rng.integers(side, size=(2, size))
    events["t"], events["p"] = np.sort(rng.integers(longest, size=size)), rng.integers(2, size=size)
    return events


@pytest.fixture(scope="module")
def recordings():
    """Return 5 recordings of 40 ms, 6 x 6, one of them without events."""
    rng = np.random.default_rng(0)
    return Events.of([recording(size, 6, 45_000, rng) for size in (500, 200, 0, 700, 300)], (6, 6))


def naive_spikes(events, steps, dt_us, start_us, polarities):
    """Return the set of pixels that spike in each step of each recording."""
    trains = []
    for each in events:
        train = [set() for _ in range(steps)]
        for x, y, t, p in zip(*(each[name].tolist() for name in "xytp"), strict=True):
            step = (t - start_us) // dt_us
            if t >= start_us and step < steps and p in polarities:
                train[step].add(y * events.side + x)
        trains.append(train)
    return trains


@pytest.mark.parametrize(("dt", "start"), [(1.0, 0.0), (0.1, 0.0), (0.5, 2.5), (3.0, 7.0)])
@pytest.mark.parametrize(("polarity", "polarities"), [("both", (0, 1)), ("on", (1,)), ("off", (0,))])
def test_events_are_binned_to_steps_and_count_once(recordings, dt, start, polarity, polarities):
    encoder = Encoder(EncoderSpec(kind="events", start=start, polarity=polarity), dt, 12, 0)
    trains = encoder.encode(recordings, Stream.TRAIN, np.arange(5))
    wanted = naive_spikes(recordings, 12, round(1000 * dt), round(1000 * start), polarities)
    for offsets, train in zip(trains.offsets, wanted, strict=True):
        found = [trains.pixels[a:b].tolist() for a, b in itertools.pairwise(offsets)]
        assert found == [sorted(pixels) for pixels in train]
    assert len(trains.pixels) > 5


def test_spikes_depend_on_nothing_but_the_recording(recordings):
    first, second = (Encoder(EncoderSpec(kind="events"), 1.0, 40, seed) for seed in (0, 1))
    together = first.encode(recordings, Stream.TRAIN, np.arange(5), threads=1)
    others = second.encode(recordings, Stream.TEST, np.arange(7, 12), retry=1, extra_rate=9.0, threads=3)
    single = [first.encode(recordings[number : number + 1], Stream.TRAIN, np.arange(1)).pixels for number in range(5)]
    np.testing.assert_array_equal(together.pixels, others.pixels)
    np.testing.assert_array_equal(together.offsets, others.offsets)
    np.testing.assert_array_equal(together.pixels, np.concatenate(single))


def of_events(architecture="locally_connected", **changes):
    return lively(architecture, encoder={"kind": "events"}, training={"images": 5}, **changes)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("engine", ["numba", "brian2-numpy"])
def test_both_engines_equal_the_naive_twin(recordings, architecture, engine):
    spec = of_events(architecture, competition={"rule": "anti_stdp"})
    encoder = Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)
    trains = encoder.encode(recordings, Stream.TRAIN, np.arange(5))
    outcome, _ = assert_same(spec, ENGINES[engine], trains)
    assert outcome.counts.sum() > 20
    assert outcome.counts[2].sum() == 0, "a recording without events makes no spikes"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_does_not_depend_on_threads_or_on_where_it_was_cut(recordings, architecture):
    spec = of_events(architecture)
    states = [stdpnet.fit(spec, recordings, threads=threads, progress=False) for threads in (1, 2, 3)]
    half = stdpnet.fit(spec.updated({"training.images": 2}), recordings, progress=False)
    states.append(stdpnet.fit(spec, recordings, state=half, progress=False))
    assert len({state.digest() for state in states}) == 1
    answers = [stdpnet.respond(spec, states[0], recordings, threads=threads).counts for threads in (1, 3)]
    np.testing.assert_array_equal(*answers)
    assert answers[0].sum() > 20


def test_other_encoders_see_pictures(recordings):
    spec = lively(training={"images": 5})
    shown = [stdpnet.fit(spec, given, progress=False).digest() for given in (recordings, recordings.pictures())]
    assert shown[0] == shown[1] != stdpnet.fit(of_events(), recordings, progress=False).digest()


def test_a_live_brian2_network_takes_recordings(recordings):
    before = brian2.prefs["codegen.target"]
    brian2.prefs["codegen.target"] = "numpy"
    try:
        spec = of_events()
        network = initial_network(spec)
        live = stdpnet.to_brian2(spec, network, recordings[:2])
        monitor = brian2.SpikeMonitor(live["Y"])
        live.add(monitor)
        with quick_collection():
            live.run(2 * spec.simulation.duration * brian2.ms)
        assert len(stdpnet.to_brian2(spec, network)["X"]) == 36
    finally:
        brian2.prefs["codegen.target"] = before
    answered = stdpnet.respond(spec, network.state(), recordings[:2]).counts
    assert answered.sum() > 5
    np.testing.assert_array_equal(np.asarray(monitor.count), answered.sum(axis=0))


def test_images_are_refused(recordings):
    spec = of_events()
    for given in (recordings.pictures(), np.zeros((1, 6, 6), np.uint8)):
        with pytest.raises(ConfigError, match=r"encoder.kind: 'events' needs recordings .*digits-events"):
            stdpnet.fit(spec, given, progress=False)


def test_weakly_answered_recordings_cannot_be_made_brighter():
    with pytest.raises(ConfigError, match=r"training.min_spikes: 5 .*set it to 0"):
        of_events().updated({"training.min_spikes": 5})


def test_a_model_that_keeps_waiting_images_refuses_events():
    with pytest.raises(ConfigError, match=r"encoder.kind: 'events' is for model = 'stdp'"):
        stdpnet.load_config("bptt-digits", {"encoder.kind": "events"})


def test_recordings_cross_processes(recordings):
    there = pickle.loads(pickle.dumps(recordings[1:4]))
    assert [each.tolist() for each in there] == [each.tolist() for each in recordings[1:4]]


TINY = {
    "dataset": {"name": "events", "sensor": [28, 28], "calibration": 40, "validation": 20, "test": 40},
    "topology.channels": 4,
    "simulation.duration": 100.0,
    "encoder.kind": "events",
    "training.images": 40,
    "curve": {"every": 20, "calibration": 20, "validation": 20},
    "neuron.v_thresh": -63.0,
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return an .npz file with the recordings of 200 simulated digits."""
    source = stdpnet.load_dataset(stdpnet.load_config("digits").dataset.updated({"crop": 28})).train
    events = saccades(source.images[:200])
    path = tmp_path_factory.mktemp("data") / "events.npz"
    np.savez(path, events=np.concatenate(list(events)), offsets=events.offsets, y=source.labels[:200])
    return path


@pytest.fixture(scope="module")
def run(file, tmp_path_factory):
    spec = stdpnet.load_config("digits", {**TINY, "dataset.path": str(file)})
    run = stdpnet.train(spec, tmp_path_factory.mktemp("runs") / "run", progress=False)
    evaluate(run, split="validation")
    return run


def test_a_resumed_run_has_the_bytes_of_a_straight_one(run, tmp_path):
    half = stdpnet.train(run.spec.updated({"training.images": 15}), tmp_path / "half", progress=False)
    whole = stdpnet.resume(half, 40, progress=False)
    assert whole.load_state().digest() == run.load_state().digest()
    assert whole.dataset_sha256 == run.dataset_sha256


def test_a_changed_recording_is_another_dataset(run, file, tmp_path):
    with np.load(file) as arrays:
        content = {name: arrays[name] for name in arrays.files}
    content["events"]["t"] += 1
    np.savez(tmp_path / "events.npz", **content)
    other = stdpnet.load_dataset(run.spec.dataset.updated({"path": str(tmp_path / "events.npz")}))
    assert other.sha256 != run.dataset_sha256


def test_evaluation_predictions_and_operating_points_take_recordings(run, file, stdpnet_command):
    scores = json.loads((run.path / "scores-validation.json").read_text())
    assert set(scores) >= {"readouts", "untrained", "pixels"}
    assert [row["images"] for row in run.rows("curve")] == [0, 20, 40]
    data = stdpnet.load_dataset(run.spec.dataset)
    found = predict(run, data.test.events, readout="linear")
    asked = stdpnet.respond(run.spec, run.load_state(), data.test.events)
    np.testing.assert_array_equal(found.spikes, asked.counts.sum(axis=1))
    assert found.spikes.sum() > 0
    rows = json.loads(stdpnet_command("predict", run.path, file, "--json").stdout)["images"]
    assert len(rows) == 200
    assert rows[data.test.indices[0]]["spikes"] == found.spikes[0]
    silent = evaluate(run, split="validation", baselines=False, at={"encoder.start": 1000.0})
    assert silent["spikes_per_image"] == 0
    some = evaluate(run, split="validation", baselines=False, at={"encoder.polarity": "on"})
    assert 0 < some["spikes_per_image"] < scores["spikes_per_image"]


def test_pictures_stand_for_recordings(run):
    view = RunView(run)
    shown = view.recording
    assert (view.dataset.split(view.shown_split).images == shown.image).all(axis=(1, 2)).any()
    assert len(shown.input_steps) > 50
    drawing = np.zeros((20, 20), np.uint8)
    drawing[3:17, 9:12] = 255
    drawn = Inside(view).drawing(drawing)
    assert len(drawn["activity"]["input"]["steps"]) > 50
