"""The door in memory: fit and respond, on arrays."""

from functools import partial

import h5py
import numpy as np
import pytest

import stdpnet
from stdpnet.errors import ConfigError, DataError, HealthError, RunError
from stdpnet.random import Stream
from stdpnet.runs import Run
from stdpnet_analysis import evaluate
from tests import jobs

SPEC = jobs.spec("training.images=40")
DIGITS = stdpnet.load_dataset(SPEC.dataset)
IMAGES = DIGITS.train.images


def fit(spec=SPEC, images=IMAGES, labels=None, **more):
    return stdpnet.fit(spec, images, labels, **more)


def same(one, other):
    """Whether two states are the same in everything that training goes on from."""
    intervals = one.interval.keys() == other.interval.keys() and all(
        np.array_equal(value, other.interval[name]) for name, value in one.interval.items()
    )
    counters = (one.images, one.presentations) == (other.images, other.presentations)
    return one.digest() == other.digest() and counters and intervals


def test_train_is_fit_on_a_run_directory(tmp_path):
    spec = SPEC.updated({"training.images": 310})
    run = stdpnet.train(spec, tmp_path / "run")
    assert same(run.load_state(), fit(spec))


def test_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stdpnet.respond(SPEC, fit(), IMAGES[:3])
    assert list(tmp_path.iterdir()) == []


def test_respond_is_what_an_evaluation_computes(tmp_path):
    run = stdpnet.train(SPEC, tmp_path / "run")
    evaluate(run, baselines=False)
    for part, stream in (("test", Stream.TEST), ("calibration", Stream.CALIBRATE)):
        asked, name = DIGITS.split(part), f"trained-{part}"
        with h5py.File(run.path / "responses" / f"{name}.h5") as file:
            kept = run.load_responses(name, file.attrs["key"])
        images = np.zeros((asked.indices.max() + 1, *asked.images.shape[1:]), np.uint8)
        images[asked.indices] = asked.images  # an image's number, here its place, decides its input spikes
        answered = stdpnet.respond(SPEC, run.load_state(), images, stream=stream)
        assert np.array_equal(answered.counts[asked.indices], kept.counts)


def test_labels_change_nothing_and_are_handed_on():
    assert same(fit(labels=DIGITS.train.labels), fit())
    state = fit()
    answered = stdpnet.respond(SPEC, state, IMAGES[:5], DIGITS.train.labels[:5])
    assert answered.labels.tolist() == DIGITS.train.labels[:5].tolist()
    silent = stdpnet.respond(SPEC, state, IMAGES[:5])
    assert silent.labels.tolist() == [-1] * 5
    assert silent.indices.tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(silent.counts, answered.counts)


def test_a_state_goes_on_as_if_it_had_never_stopped():
    half = fit(SPEC.updated({"training.images": 20}))
    assert half.images == 20
    assert same(fit(state=half), fit())
    finished = fit()
    assert same(fit(state=finished.copy()), finished)


def test_respond_leaves_the_state_as_it_is():
    state = fit()
    before = state.copy()
    counts = stdpnet.respond(SPEC, state, IMAGES[:9]).counts
    assert same(state, before)
    assert counts.shape == (9, SPEC.geometry.neurons)
    assert np.array_equal(stdpnet.respond(SPEC, state, IMAGES[:9], threads=2).counts, counts)


@pytest.mark.parametrize(("side", "positions"), [(12, 1), (16, 4), (28, 25)])
def test_the_side_of_the_images_decides_the_geometry(side, positions):
    images = np.zeros((6, side, side), np.uint8)
    images[:, side // 3 : -side // 3] = 200
    state = fit(SPEC.updated({"training.images": 6}), images)
    assert state.arrays["weights"].shape == (positions, 144, 8)
    assert stdpnet.respond(SPEC, state, images).counts.shape == (6, positions * 8)


def test_more_images_than_there_are_come_in_epochs():
    images = IMAGES[:10]
    assert fit(images=images).images == 40
    assert same(fit(images=images), fit(images=np.asfortranarray(images)))


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (IMAGES[0], r"^images: have the shape \(20, 20\); give \(N, n, n\)"),
        (IMAGES[:3].reshape(3, -1), r"^images: have the shape \(3, 400\)"),
        (IMAGES[:3, 2:], r"^images: have the shape \(3, 18, 20\)"),
        (IMAGES[:0], r"^images: there are none"),
        (IMAGES[:3] / 255, r"^images: are float64; give uint8 from 0 \(black\) to 255 \(white\), for example"),
        (IMAGES[:3].astype(int), r"^images: are int64; give uint8"),
        (IMAGES[:3] > 0, r"^images: are bool; give uint8"),
    ],
)
def test_arrays_that_are_no_images_are_refused(images, sentence):
    with pytest.raises(DataError, match=sentence):
        fit(images=images)


def test_labels_must_be_one_for_each_image():
    with pytest.raises(DataError, match=r"^labels: have the shape \(3,\); give one for each of the 5 images"):
        fit(images=IMAGES[:5], labels=[1, 2, 3])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"topology.kernel": 18, "topology.stride": 1}, r"^topology\.kernel: 18 is larger than the image \(.*16\)"),
        ({"topology.stride": 3}, r"^topology\.stride: .*not whole"),
        (
            {"curve.every": 10, "curve.validation": 50, "dataset.validation": 50},
            r"^curve\.every: 10 asks for a learning curve",
        ),
    ],
)
def test_a_spec_that_does_not_fit_the_images_is_refused(changes, sentence):
    spec = stdpnet.load_config("digits", {"topology.channels": 8, **changes, "dataset.crop": 24})
    with pytest.raises(ConfigError, match=sentence):
        fit(spec, IMAGES[:5, 2:18, 2:18])


def test_what_is_no_experiment_is_refused():
    with pytest.raises(ConfigError, match=r"^spec: is a str, no experiment; stdpnet\.load_config\(name\) returns one"):
        fit("digits")
    with pytest.raises(ConfigError, match=r"^spec: is a ndarray, no experiment; .*stdpnet\.fit\(spec, images\)"):
        stdpnet.train(IMAGES)


def test_an_array_as_run_is_answered_by_naming_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for make in (partial(stdpnet.train, SPEC), Run.open):
        with pytest.raises(RunError, match=r"^run: is a ndarray, no name or path; stdpnet\.fit\(spec, images\)"):
            make(IMAGES)
    assert list(tmp_path.iterdir()) == []


UNHEALTHY = {"neuron.v_thresh": 1000.0, "progress.every": 20, "training.images": 60}
"""Nothing ever spikes."""


def test_what_is_unhealthy_is_warned_of_once():
    with pytest.warns(UserWarning, match="at image 20: ") as seen:
        state = fit(SPEC.updated({**UNHEALTHY, "health.action": "warn"}))
    assert state.images == 60
    messages = [str(warning.message) for warning in seen]
    assert len(messages) == len({message.split(" at image ")[0] for message in messages})


def test_health_can_stop_a_training():
    with pytest.raises(HealthError, match=r"^training: .* at image 20: "):
        fit(SPEC.updated({**UNHEALTHY, "health.action": "stop"}))


class Watch:
    def __init__(self, every, reason=None):
        self.every, self.reason, self.seen = every, reason, []

    def begin(self, training):
        self.seen.append(training.images)

    def handle(self, training):
        self.seen.append(training.images)
        if self.reason:
            training.finish(self.reason)


def test_observers_see_the_boundaries_they_ask_for_and_may_end_the_training():
    watch = Watch(every=15)
    assert same(fit(observers=[watch]), fit())
    assert watch.seen == [0, 15, 30]
    assert fit(observers=[Watch(every=15, reason="enough")]).images == 15


def test_a_table_given_as_a_dict_keeps_its_other_keys():
    spec = SPEC.updated({"plasticity": {"A_plus": 0.5}, "seed": 4})
    assert spec == SPEC.updated({"plasticity.A_plus": 0.5}).updated({"seed": 4})
    assert spec.plasticity.mean_weight == SPEC.plasticity.mean_weight != type(SPEC.plasticity)().mean_weight
    assert SPEC.seed == 0
    assert stdpnet.load_config("digits", {"plasticity": {"A_plus": 0.5}}).plasticity.mean_weight == 0.2
    assert stdpnet.load_config("digits", {"seed": 5}).seed == 5


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"plasticity.A_pluss": 1}, r"^plasticity\.A_pluss: unknown key; did you mean 'A_plus'\?$"),
        ({"plasticity": {"A_pluss": 1}}, r"^plasticity\.A_pluss: unknown key; did you mean 'A_plus'\?$"),
        ({"plasticty.A_plus": 1}, r"^plasticty: unknown key; did you mean 'plasticity'\?$"),
        ({"plasticity.A_plus": "much"}, r"^plasticity\.A_plus: .*got 'much'$"),
        ({"seed.x": 1}, r"^seed\.x: seed is a value, not a table of keys$"),
    ],
)
def test_a_wrong_key_is_named_with_its_table(changes, sentence):
    for change in (SPEC.updated, lambda changes: stdpnet.load_config("digits", changes)):
        with pytest.raises(ConfigError, match=sentence):
            change(changes)


def test_every_public_name_is_there_and_explained():
    for name in dir(stdpnet):
        assert getattr(stdpnet, name).__name__ == name
        assert f"`{name}`" in stdpnet.__doc__


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (None, "state: is a NoneType; give what stdpnet.fit or Run.load_state"),
        (stdpnet.State({}), r"state: its array competition has the shape None, this spec .* needs \(\)"),
        ("of larger images", r"state: its array theta has the shape \(25, 8\), .* needs \(9, 8\); give a state"),
    ],
)
def test_a_state_that_does_not_fit_is_one_sentence(state, sentence):
    if isinstance(state, str):
        state = fit(images=np.zeros((3, 28, 28), np.uint8), spec=SPEC.updated({"training.images": 1}))
    with pytest.raises(ConfigError, match=sentence):
        stdpnet.respond(SPEC, state, IMAGES[:2])
    if state is not None:
        with pytest.raises(ConfigError, match=sentence):
            fit(state=state)
