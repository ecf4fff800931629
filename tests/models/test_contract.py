"""What holds for every model: the words of stdpnet.model mean the same for all of them."""

import json
import math

import numpy as np
import pytest

import stdpnet
from stdpnet.api import as_split
from stdpnet.data import Split, load_dataset
from stdpnet.model import Facts, facts_of, open_model, presets, spec_class
from stdpnet.random import Stream, image_order, image_shifts
from stdpnet.runs import Run
from stdpnet.spec.load import dump_config, experiment, load_config
from stdpnet.training import resume, train
from stdpnet_analysis.evaluation import evaluate
from tests.jobs import StopAt
from tests.models.cases import CASES, SIDE, case, images, labels, learns_from_labels, width

pytestmark = pytest.mark.parametrize("name", CASES)


def learner_of(spec, state=None, pictures=None, classes=None):
    pictures, classes = images() if pictures is None else pictures, labels() if classes is None else classes
    model, split = open_model(spec), as_split(pictures, classes)
    return model.learner(spec, split, model.initial(spec) if state is None else state, threads=1)


def to_goal(learner, most=64):
    while learner.advance(most):
        pass
    return learner.state


def assert_same_bytes(one, other):
    assert list(one.arrays) == list(other.arrays)
    for name, array in one.arrays.items():
        assert array.tobytes() == other.arrays[name].tobytes(), name
    assert sorted(one.interval) == sorted(other.interval)
    for name, value in one.interval.items():
        np.testing.assert_array_equal(value, other.interval[name], err_msg=name)
    assert (one.images, one.presentations) == (other.images, other.presentations)


@pytest.fixture
def dataset(tmp_path):
    """Return the table of a dataset of small images."""
    np.savez(tmp_path / "noise.npz", X=images(120), y=labels(120))
    sizes = {"calibration": 20, "test": 20, "validation": 10}
    return {"name": "npz", "path": str(tmp_path / "noise.npz"), "resize": SIDE, "crop": SIDE, **sizes}


def test_a_resumed_run_is_byte_for_byte_the_straight_one(name, dataset, tmp_path):
    spec = case(name, dataset=dataset, checkpoint={"every": 4})
    straight = train(spec, tmp_path / "straight", threads=1)
    request = StopAt(5)
    with pytest.raises(stdpnet.StopRequestedError):
        train(spec.updated({"checkpoint.every": 1}), tmp_path / "stopped", threads=1, stop=request, observers=[request])
    stopped = Run.open(tmp_path / "stopped")
    assert 0 < stopped.images < 30
    resumed = resume(stopped, threads=2)
    assert_same_bytes(straight.load_state(), resumed.load_state())
    rows = [
        [{key: value for key, value in row.items() if key != "images_per_s"} for row in run.rows("progress")]
        for run in (straight, resumed)
    ]
    assert rows[0] == rows[1]


def test_both_doors_agree(name, dataset, tmp_path):
    spec = case(name, dataset=dataset)
    run = train(spec, tmp_path / "run", threads=1)
    loaded = load_dataset(spec.dataset)
    state = stdpnet.fit(spec, loaded.train.images, loaded.train.labels, threads=1)
    assert_same_bytes(run.load_state(), state)
    evaluate(run, threads=1)
    answered = run.path / "responses" / "trained-test.h5"
    assert answered.is_file()
    before = answered.stat().st_mtime_ns
    evaluate(run, threads=1)
    assert answered.stat().st_mtime_ns == before, "responses that are kept are not computed again"
    expected = open_model(spec).respond(spec, state, loaded.test, Stream.TEST, threads=1).counts
    found = stdpnet.respond(spec, state, loaded.test.images, loaded.test.labels, threads=1)
    if spec.model == "features":  # spikes of the others depend on the place of an image in its source
        np.testing.assert_array_equal(found.counts, expected)
    assert found.counts.shape == expected.shape


def test_responding_changes_nothing_and_does_not_depend_on_the_company_of_an_image(name):
    spec = case(name)
    state = to_goal(learner_of(spec))
    before, split = state.copy(), as_split(images(9, seed=1), labels(9))
    respond = open_model(spec).respond
    together, progress = respond(spec, state, split, Stream.TEST, threads=1, progress=(seen := []).append), sum(seen)
    assert progress == 9
    assert_same_bytes(state, before)
    assert together.counts.dtype == np.uint16
    assert together.counts.any()
    np.testing.assert_array_equal(together.labels, labels(9))
    parts = [Split(split.images[each], split.labels[each], split.indices[each]) for each in (slice(0, 1), slice(1, 9))]
    few = [respond(spec, state, part, Stream.TEST, threads=2) for part in parts]
    np.testing.assert_array_equal(np.concatenate([part.counts for part in few]), together.counts)
    assert all(value > 0 and math.isfinite(value) for value in together.cost.values())
    assert respond(spec, state, as_split(images(0)), Stream.TEST).counts.shape == (0, facts_of(spec).units)


def test_facts_count_units_and_weights(name):
    spec = case(name)
    facts = facts_of(spec)
    assert isinstance(facts, Facts)
    assert stdpnet.respond(spec, open_model(spec).initial(spec), images(2)).counts.shape == (2, facts.units)
    assert facts.units == facts.positions * width(spec)
    if "competition" in facts.synapses:  # a fixed one is one number
        spec = spec.updated({"competition.rule": "anti_stdp"})
    arrays = open_model(spec).initial(spec).arrays
    if "competition" in facts.synapses:
        assert facts.synapses["competition"] == np.count_nonzero(arrays["competition"])
        weights = arrays["weights"].size
    elif "scatter" in arrays:  # an on and an off unit share their weights
        sets, pixels = arrays["mean"].shape
        weights = sets * pixels * 3
    else:
        names = ("weights", "centroids", "hidden_weights", "resources")
        weights = next(arrays[each].size for each in names if each in arrays)
    assert facts.synapses["feedforward"] == weights
    assert facts.labels in (0, 30)
    json.dumps(facts._asdict())


def test_chunks_do_not_change_a_byte(name):
    spec = case(name)
    reference = to_goal(learner_of(spec), 1)
    assert reference.images == 30
    for most in (7, 64):
        assert_same_bytes(reference, to_goal(learner_of(spec), most))


def test_labels_matter_where_the_facts_say_so(name):
    spec = case(name)
    first, second = (to_goal(learner_of(spec, classes=classes)) for classes in (labels(), labels()[::-1]))
    if learns_from_labels(spec):
        assert first.digest() != second.digest()
        with pytest.raises(stdpnet.DataError, match="labels: this model learns from them"):
            stdpnet.fit(spec, images())
    else:
        assert_same_bytes(first, second)


def test_show_is_advance_with_images_of_ones_choice(name):
    spec = case(name)
    order = image_order(spec.seed, len(images()), 0, 30)
    chosen, classes = images()[order], labels()[order]
    learner = learner_of(spec)
    learner.show(chosen[:11], classes[:11])
    learner.show(chosen[11:], classes[11:])
    assert_same_bytes(to_goal(learner_of(spec)), learner.state)


def test_a_state_goes_on_where_it_was(name):
    spec = case(name)
    straight, first = to_goal(learner_of(spec)), learner_of(spec)
    while first.state.images < 12:
        first.advance(12 - first.state.images)
    assert_same_bytes(straight, to_goal(learner_of(spec, first.state.copy())))


def test_shifted_images_are_the_same_however_the_training_is_divided(name):
    spec = case(name, training={"images": 30, "shift": 2})
    straight, first, shown = to_goal(learner_of(spec)), learner_of(spec), learner_of(spec)
    while first.state.images < 12:
        first.advance(5)
    assert_same_bytes(straight, to_goal(learner_of(spec, first.state.copy()), 7))
    order = image_order(spec.seed, len(images()), 0, 30)
    moved = np.zeros_like(images()[:30])
    for number, (down, right) in enumerate(image_shifts(spec.seed, 0, 30, 2)):
        for row, column in np.ndindex(SIDE, SIDE):
            if 0 <= row + down < SIDE and 0 <= column + right < SIDE:
                moved[number, row + down, column + right] = images()[order[number], row, column]
    shown.show(moved, labels()[order])
    assert_same_bytes(straight, shown.state)


def test_rows_are_json_and_begin_anew(name):
    spec = case(name, health={"action": "warn"})
    learner = learner_of(spec)
    learner.show(images()[:7], labels()[:7])
    row = learner.row()
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert (row["images"], row["goal"], row["interval_images"], row["finite"]) == (7, 30, 7, True)
    assert isinstance(learner.note(), str)
    assert all(finding.name and finding.message for finding in learner.findings(row))
    assert open_model(spec).findings(spec, row) == learner.findings(row)
    learner.begin_interval()
    again = learner.row()
    assert (again["images"], again["interval_images"], again["weight_change"]) == (7, 0, 0)


def test_numbers_that_are_not_finite_are_fatal(name):
    spec = case(name)
    learner = learner_of(spec)
    floats = next(array for array in learner.state.arrays.values() if array.dtype.kind == "f")
    floats.flat[0] = np.nan
    assert not learner.state.is_finite
    row = learner.row()
    assert [finding.fatal for finding in learner.findings(row)] == [True]
    assert open_model(spec).findings(spec, row) == learner.findings(row)


def test_the_initial_state_follows_from_the_seed(name):
    spec = case(name)
    initial = open_model(spec).initial
    assert_same_bytes(initial(spec), initial(spec))
    assert initial(spec).digest() != initial(spec.updated({"seed": 4})).digest()
    assert initial(spec).images == 0


def test_presets_and_files_open_the_model(name, tmp_path):
    spec = case(name)
    assert isinstance(spec, spec_class(spec.model))
    assert experiment(spec.model_dump(mode="json", exclude_none=True)) == spec
    (tmp_path / "config.toml").write_text(dump_config(spec))
    assert load_config(tmp_path / "config.toml") == spec
    (tmp_path / "changed.toml").write_text(dump_config(spec, only_changed=True))
    assert load_config(tmp_path / "changed.toml") == spec
    kinds = {preset.model for preset in presets().values()}
    assert spec.model in kinds
    assert set(type(spec).answering) <= set(type(spec).model_fields)


def test_a_geometry_that_does_not_fit_is_refused(name):
    if hasattr(case(name), "topology"):
        with pytest.raises(stdpnet.ConfigError, match=r"topology\.(kernel|stride)"):
            case(name).updated({"topology.kernel": 5})
    elif case(name).model == "colanet":
        with pytest.raises(stdpnet.ConfigError, match=r"columns\.microcolumns"):
            case(name).updated({"columns.microcolumns": 0})
    else:
        with pytest.raises(stdpnet.ConfigError, match=r"network\.hidden"):
            case(name).updated({"network.hidden": 0})
