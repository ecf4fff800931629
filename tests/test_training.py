import signal
from dataclasses import replace

import numpy as np
import pytest

from stdpnet.api import as_split
from stdpnet.data import Dataset
from stdpnet.errors import ConfigError, DataError, EngineError, RunError
from stdpnet.random import SHIFTS, image_order, image_shifts
from stdpnet.runs import Run
from stdpnet.spec.load import dump_config, load_config
from stdpnet.stdp.learner import STDPLearner
from stdpnet.stdp.model import initial
from stdpnet.training import check_training_images, train
from tests.stdp.engines.networks import ARCHITECTURES, ENGINES, lively


def images(n=7, side=6, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side)).astype(np.uint8)


def trained(spec, *, chunk=64, threads=1, pictures=None):
    split = as_split(images() if pictures is None else pictures)
    learner = STDPLearner(spec, split, initial(spec), threads=threads, chunk=chunk)
    while learner.advance(chunk):
        pass
    return learner.state


def assert_same_bytes(one, other):
    for name, array in one.arrays.items():
        assert array.tobytes() == other.arrays[name].tobytes(), name
    for name, value in one.interval.items():
        np.testing.assert_array_equal(value, other.interval[name], err_msg=name)
    assert (one.images, one.presentations) == (other.images, other.presentations)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", ["fixed", "anti_stdp"])
def test_threads_and_chunks_do_not_change_a_byte(architecture, dtype, rule):
    spec = lively(
        architecture,
        competition={"rule": rule},
        simulation={"dtype": dtype},
        encoder={"max_rate": 255.0},
        training={"images": 70},
    )
    reference = trained(spec, chunk=1, threads=1)
    assert reference.interval["counts"].sum() > 200
    for chunk, threads in [(64, 1), (64, 2), (1, 2), (17, 3), (1000, 2)]:
        assert_same_bytes(reference, trained(spec, chunk=chunk, threads=threads))


@pytest.mark.parametrize("engine", ["numba", "brian2-numpy"])
def test_retries_show_weakly_answered_images_again_at_a_higher_rate(engine):
    training = {"images": 4, "min_spikes": 30, "max_retries": 3, "retry_rate": 200.0}
    spec = lively(training=training, encoder={"max_rate": 20.0}, simulation=ENGINES[engine])
    state = trained(spec)
    retries = state.interval["presentations"] - state.interval["images"]
    assert 0 < retries <= 12
    assert state.presentations == 4 + retries
    if engine != "numba":
        assert_same_bytes(state, trained(lively(training=training, encoder={"max_rate": 20.0})))
    never = trained(lively(training={**training, "min_spikes": 0}, encoder={"max_rate": 20.0}))
    assert never.presentations == 4


def test_a_well_answered_image_is_shown_once():
    spec = lively(training={"images": 5, "min_spikes": 1}, encoder={"max_rate": 255.0})
    state = trained(spec)
    assert state.presentations == 5
    assert_same_bytes(state, trained(lively(training={"images": 5}, encoder={"max_rate": 255.0})))


@pytest.mark.parametrize("engine", ["numba", "brian2-numpy"])
def test_two_step_training_learns_weights_first_and_competition_afterwards(engine):
    def spec(images):
        return lively(
            competition={"rule": "anti_stdp"},
            encoder={"max_rate": 255.0},
            training={"images": images, "two_step": 3},
            simulation=ENGINES[engine],
        )

    start = initial(spec(3))
    first, second = trained(spec(3)), trained(spec(6))
    assert sorted(first.changed_arrays(start)) == ["theta", "weights"]
    assert sorted(second.changed_arrays(first)) == ["competition", "theta"]


def test_the_second_step_may_begin_with_no_competition():
    def state(images, w_max):
        still = {"rule": "anti_stdp", "initial": "constant", "A_plus": 0.0, "A_minus": 0.0, "w_max": w_max}
        steps = {"two_step": 3, "second_step_from": "zero", "pool": 3}
        return trained(lively(competition=still, training={"images": images, **steps}), chunk=2)

    diagonal = np.eye(3, dtype=bool)
    assert (state(3, 0.0).arrays["competition"][:, ~diagonal] < -1).all(), "the first step has its fixed weight"
    for w_max in (0.0, -0.5):
        begun = state(4, w_max).arrays["competition"]
        assert (begun[:, ~diagonal] == w_max).all()
        assert (begun[:, diagonal] == 0).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_second_step_from_zero_learns_the_same_after_a_stop_and_on_both_engines(architecture):
    spec = lively(
        architecture,
        competition={"rule": "anti_stdp", "initial": "constant", "w_min": -50.0},
        encoder={"max_rate": 255.0},
        training={"images": 6, "two_step": 3, "second_step_from": "zero", "pool": 3},
    )
    straight = trained(spec)
    assert straight.arrays["competition"].min() < -0.1, "it has learned"
    for stop in (3, 4):
        state = trained(spec.updated({"training.images": stop}))
        learner = STDPLearner(spec, as_split(images()), state.copy(), threads=1)
        while learner.advance(64):
            pass
        assert_same_bytes(straight, learner.state)
    if architecture == "locally_connected":
        brian = trained(spec.updated({"simulation": ENGINES["brian2-numpy"]}))
        for name, array in straight.arrays.items():
            assert array.tobytes() == brian.arrays[name].tobytes(), name


def test_every_epoch_shows_every_image_once_in_an_order_of_its_own():
    order = image_order(5, 10, 0, 30).reshape(3, 10)
    for epoch in order:
        assert sorted(epoch) == list(range(10))
    assert not np.array_equal(order[0], order[1])
    for first in (0, 3, 9, 10, 25):
        np.testing.assert_array_equal(image_order(5, 10, first, 5), order.ravel()[first : first + 5])
    assert len(image_order(5, 10, 4, 0)) == 0


def test_a_pool_is_the_first_images_of_the_seeded_order_shown_again_and_again():
    pool = set(image_order(5, 10, 0, 4))
    order = image_order(5, 10, 0, 12, pool=4).reshape(3, 4)
    assert [set(epoch) for epoch in order] == [pool] * 3
    assert len({tuple(epoch) for epoch in order}) > 1, "each epoch has its own order"
    np.testing.assert_array_equal(image_order(5, 10, 3, 7, pool=4), order.ravel()[3:10])
    np.testing.assert_array_equal(image_order(5, 10, 0, 20, pool=10), image_order(5, 10, 0, 20))


def test_shifts_are_uniform_and_depend_on_the_number_of_the_image_alone():
    shifts = image_shifts(5, 0, SHIFTS + 50, 2)
    for first, count in ((0, 7), (SHIFTS - 3, 9), (SHIFTS, 1)):
        np.testing.assert_array_equal(image_shifts(5, first, count, 2), shifts[first : first + count])
    assert image_shifts(5, 9, 0, 2).shape == (0, 2)
    for axis in shifts.T:
        values, counts = np.unique(axis, return_counts=True)
        assert values.tolist() == [-2, -1, 0, 1, 2]
        assert abs(counts / len(shifts) - 0.2).max() < 0.03
    assert not np.array_equal(image_shifts(6, 0, 50, 2), shifts[:50])


def test_a_shift_larger_than_half_of_the_images_is_refused():
    with pytest.raises(ConfigError, match=r"^training\.shift: 4 .*dataset\.crop.* at most 3$"):
        lively().updated({"training.shift": 4})


def test_the_interval_counts_what_was_shown():
    state = trained(lively(training={"images": 10}, encoder={"max_rate": 1.0}), chunk=4)
    assert (state.images, state.interval["images"], state.interval["presentations"]) == (10, 10, 10)
    assert 0 < state.interval["silent"] <= 10


@pytest.mark.parametrize("engine", ["numba", "brian2-numpy"])
def test_the_learning_rate_halves_after_its_half_life(engine):
    def change(half_life, start):
        spec = lively(
            plasticity={"half_life": half_life, "A_minus": 0.0, "A_plus": 1e-3, "w_max": 50.0},
            encoder={"max_rate": 255.0},
            training={"images": start + 1},
            simulation=ENGINES[engine],
        )
        state = replace(initial(spec), images=start)
        before = state.arrays["weights"].copy()
        learner = STDPLearner(spec, as_split(images(1)), state, threads=1)
        learner.advance(1)
        return np.abs(learner.state.arrays["weights"] - before).sum()

    for start, factor in [(0, 1.0), (10, 0.5), (20, 0.25)]:
        assert change(10.0, start) == pytest.approx(factor * change(0.0, start), rel=0.05)


def test_an_empty_training_split_is_an_error():
    with pytest.raises(DataError, match="training split is empty"):
        check_training_images(Dataset("none", (), *[as_split(images(0))] * 4, ""))


def test_brian2_refuses_single_precision_state():
    spec = lively(simulation={"engine": "brian2", "brian2_target": "numpy"})
    single = initial(lively(simulation={"dtype": "float32"}))
    with pytest.raises(EngineError, match="float64"):
        STDPLearner(spec, as_split(images()), single)


def digits(**changes):
    """Return a spec of a few seconds on the embedded digits."""
    from stdpnet.spec.load import load_config

    settings = {"training.images": 40, "topology.channels": 8} | changes
    return load_config("digits", [f"{key}={value}" for key, value in settings.items()])


def test_train_writes_a_complete_run_and_a_second_one_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = []

    class Watcher:
        every = 20

        def begin(self, job):
            seen.append(job.state.images)

        def handle(self, job):
            if job.state.images == 40:
                seen.append(job.state.images)

    run = train(digits(), name="digits", observers=[Watcher()])
    assert str(run.path) == "runs/digits-0"
    assert {path.name for path in run.path.iterdir()} == {
        "config.toml", "provenance.json", "events.jsonl", "progress.jsonl", "checkpoint.h5", "lock"
    }  # fmt: skip
    assert seen == [0, 40]
    assert run.status == "finished"
    assert Run.open("digits-0").spec == digits()
    assert run.load_state().images == 40
    assert str(train(digits(), name="digits").path) == "runs/digits-0-2"
    assert_same_bytes(run.load_state(), Run.open("digits-0-2").load_state())
    assert (run.path / "checkpoint.h5").read_bytes() == (tmp_path / "runs/digits-0-2/checkpoint.h5").read_bytes()


def test_an_existing_run_is_never_overwritten(tmp_path):
    run = train(digits(), tmp_path / "mine")
    before = (run.path / "checkpoint.h5").read_bytes()
    with pytest.raises(RunError, match="exists already and is never overwritten"):
        train(digits(seed=1), tmp_path / "mine")
    assert (run.path / "checkpoint.h5").read_bytes() == before


def test_a_failed_start_leaves_nothing_behind(tmp_path):
    with pytest.raises(DataError):
        train(digits(**{"dataset.calibration": 100_000}), tmp_path / "mine")
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(RunError, match="cannot be created"):
        train(digits(), blocked / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_learning_curve_that_nothing_makes_is_an_error_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("stdpnet.training.job._plugins", tuple)
    keys = {"curve.every": 20, "dataset.validation": 50, "curve.validation": 50}
    with pytest.raises(
        RunError, match=r"curve\.every: 20 asks for a learning curve, and no installed package makes one"
    ):
        train(digits(**keys), tmp_path / "run")
    assert not list(tmp_path.iterdir())
    train(digits(), tmp_path / "run")  # without a curve nothing is missing


def test_an_unknown_readout_of_the_curve_is_an_error_and_leaves_nothing_behind(tmp_path):
    keys = {"curve.every": 20, "dataset.validation": 50, "curve.validation": 50, "curve.readout": "loudest"}
    with pytest.raises(ConfigError, match=r"curve\.readout: 'loudest' is unknown; choose among all, patch"):
        train(digits(**keys), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_an_unknown_readout_of_the_evaluation_is_an_error_before_anything_is_trained(tmp_path):
    with pytest.raises(
        ConfigError, match=r"^evaluation\.readouts: 'loudest' is unknown; choose among vote, log_evidence"
    ):
        train(digits(**{"evaluation.readouts": ["all", "loudest"]}), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_the_curve_scores_the_read_outs_of_the_evaluation_and_the_one_that_it_decides_by(tmp_path):
    keys = {"curve.every": 20, "dataset.validation": 50, "curve.validation": 50, "curve.readout": "assigned"}
    run = train(digits(**keys, **{"evaluation.readouts": "vote"}), tmp_path / "run")
    assert set(run.rows("curve")[0]["accuracy"]) == {"all", "patch", "spikes_first", "assigned"}


def test_the_library_replaces_no_signal_handler(tmp_path):
    def handlers():
        return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)]

    class Look:
        every = 0

        def begin(self, job):
            seen.append(handlers())

        def handle(self, job):
            seen.append(handlers())

    seen, before = [], handlers()
    train(digits(), tmp_path / "run", observers=[Look()])
    assert len(seen) > 1
    assert all(each == before for each in seen)


def test_a_relative_and_an_absolute_path_of_a_dataset_are_one_experiment(tmp_path, monkeypatch):
    np.savez(tmp_path / "set.npz", X=np.zeros((30, 20, 20), np.uint8), y=np.repeat([0, 1, 2], 10))
    monkeypatch.chdir(tmp_path)
    keys = ["dataset.name=npz", "dataset.resize=20", "topology.channels=4"]
    relative, absolute = (
        load_config("digits", [*keys, f"dataset.path={p}"]) for p in ("set.npz", tmp_path / "set.npz")
    )
    assert relative == absolute
    assert dump_config(relative) == dump_config(absolute)
