"""Labels needed: which labels are drawn, what is scored, and what is written."""

import json

import numpy as np
import pytest

import stdpnet
from stdpnet.errors import ConfigError
from stdpnet.model import open_model
from stdpnet.random import Purpose, generator
from stdpnet.runs import Run
from stdpnet_analysis import figures
from stdpnet_analysis.evaluation import evaluate
from stdpnet_analysis.figures.labels import by_column
from stdpnet_analysis.labels import LABELS, label_curve, numbers_of_labels, stratified_order
from stdpnet_analysis.readouts import READOUTS
from stdpnet_analysis.readouts.linear import LinearReadout
from stdpnet_analysis.readouts.reader import Reader, pixels_of
from stdpnet_analysis.readouts.votes import VoteClassifier
from stdpnet_analysis.view import RunView

SMALL = ["training.images=200", "topology.channels=6", "dataset.validation=100"]


@pytest.fixture(scope="module", params=["digits", "features-digits"])
def run(request, tmp_path_factory):
    return stdpnet.train(stdpnet.load_config(request.param, SMALL), tmp_path_factory.mktemp("runs") / request.param)


@pytest.fixture(scope="module")
def curve(run):
    return label_curve(run, sizes=[10, 50, 359], draws=3, threads=1)


@pytest.mark.parametrize("seed", range(20))
def test_the_beginnings_of_an_order_have_every_class_in_proportion(seed):
    numbers = np.array([400, 100, 10, 3])
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(4), numbers))
    order = stratified_order(labels, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(labels)))
    assert set(labels[order[:4]]) == {0, 1, 2, 3}, "each class first comes once"
    for size in (20, 100, 250, 513):
        drawn = np.bincount(labels[order[:size]], minlength=4)
        assert np.abs(drawn - size * numbers / numbers.sum()).max() <= 4


def test_draws_differ_and_are_seeded():
    labels = np.repeat(np.arange(10), 30)
    first, second, again = (stratified_order(labels, generator(1, Purpose.LABELS, draw)) for draw in (0, 1, 0))
    np.testing.assert_array_equal(first, again)
    assert set(first[:50]) != set(second[:50])


def test_the_numbers_of_labels_end_with_all_and_begin_with_one_of_each_class():
    labels = np.repeat(np.arange(12), 30)
    assert numbers_of_labels(None, labels) == [20, 50, 100, 200, 360]
    assert numbers_of_labels([100, 12, 100], labels) == [12, 100]
    for size in (11, 361):
        with pytest.raises(ConfigError, match=f"--sizes {size}: choose from 12, one label of each class, to the 360"):
            numbers_of_labels([size], labels)
    with pytest.raises(ConfigError, match="--sizes: names no number"):
        numbers_of_labels([], labels)


def test_each_accuracy_is_that_of_a_read_out_fitted_to_the_drawn_images(run, curve):
    dataset = stdpnet.load_dataset(run.spec.dataset)
    model = open_model(run.spec)
    labels, truth = dataset.calibration.labels, dataset.validation.labels
    streams = (
        (dataset.calibration, stdpnet.random.Stream.CALIBRATE),
        (dataset.validation, stdpnet.random.Stream.VALIDATE),
    )
    positions = model.facts(run.spec).positions
    for name, state in (("trained", run.load_state()), ("untrained", model.initial(run.spec))):
        calibration, scored = (model.respond(run.spec, state, split, stream).counts for split, stream in streams)
        rows = stratified_order(labels, generator(run.spec.seed, Purpose.LABELS, 1))[:50]
        for readout, made in (("log_evidence", VoteClassifier("log_evidence", positions)), ("linear", LinearReadout())):
            expected = np.mean(made.fit(calibration[rows], labels[rows]).predict(scored) == truth)
            point = curve[name][readout][1]
            assert (point["labels"], point["accuracy"][1]) == (50, expected)
    pixels = [pixels_of(split) for split, _ in streams]
    fitted = LinearReadout().fit(pixels[0].counts[rows], labels[rows])
    assert curve["pixels"]["linear"][1]["accuracy"][1] == np.mean(fitted.predict(pixels[1].counts) == truth)


def test_all_labels_are_drawn_once_and_give_the_scores_of_an_evaluation(run, curve):
    scores = evaluate(run, "validation", readouts=["vote", "log_evidence", "linear"], threads=1)
    for part, table in (("trained", scores), ("untrained", scores["untrained"]), ("pixels", scores["pixels"])):
        for name, score in table["readouts"].items():
            last = curve[part][name][-1]
            assert (last["labels"], last["accuracy"], last["sd"]) == (359, [score["accuracy"]], None)


def test_the_curve_is_written_and_has_means_and_intervals_over_draws(run, curve):
    assert LABELS.read(run, "validation") == json.loads(json.dumps(curve))
    assert LABELS.read(run, "test") is None
    assert set(curve["trained"]) == set(curve["untrained"]) == {*READOUTS} - {"own", "linear_cv", "n_gram"}
    point = curve["trained"]["log_evidence"][0]
    assert point["mean"] == pytest.approx(np.mean(point["accuracy"]))
    assert point["sd"] == pytest.approx(np.std(point["accuracy"], ddof=1))
    half = 4.302653 * point["sd"] / np.sqrt(3)  # Student's t of 2 degrees of freedom
    assert point["interval"] == pytest.approx((point["mean"] - half, point["mean"] + half))
    means = [point["mean"] for point in curve["trained"]["log_evidence"]]
    assert means[0] < means[1] < means[2]


def test_the_figure_shows_the_best_vote_and_the_other_read_outs(run, curve):
    view = RunView(run)
    columns = by_column(curve["trained"])
    assert list(columns) == ["vote", "log_evidence", "naive_bayes", "proportion", "assigned", "colanet", "linear"]
    rules = [curve["trained"][rule][0]["mean"] for rule in ("all", "patch", "spikes_first")]
    assert columns["vote"][0]["mean"] == max(rules)
    drawn = figures.draw(view, "labels-needed")
    trained, untrained = drawn.axes
    assert [line.get_label() for line in trained.lines] == [*columns, "pixels"]
    np.testing.assert_allclose(
        untrained.lines[1].get_ydata(), [100 * point["mean"] for point in curve["untrained"]["log_evidence"]]
    )


def test_a_run_without_results_names_the_command(tmp_path):
    run = stdpnet.train(stdpnet.load_config("digits", [*SMALL, "training.images=1"]), tmp_path / "run")
    assert f"`stdpnet labels {run.path}`" in figures.missing(RunView(run))["labels-needed"]


def test_the_command_prints_the_table_and_answers_mistakes(run, stdpnet_command, tmp_path):
    options = ("--sizes", "10, 100", "--draws", "2", "--readouts", "vote,log_evidence", "--split", "test")
    shown = stdpnet_command("labels", run.path, *options, "--no-baselines").stdout
    assert "log_evidence" in shown
    assert "untrained" not in shown
    result = json.loads(stdpnet_command("labels", run.path, *options, "--json").stdout)
    assert [point["labels"] for point in result["trained"]["patch"]] == [10, 100]
    assert result["protocol"]["split"] == "test"
    assert set(result["pixels"]) == {"linear"}
    assert (Run.open(run.path).path / "labels.json").exists()
    for words, message in (
        (("--sizes", "ten"), "--sizes ten: must look like 10,100,1000"),
        (("--sizes", "9" * 5000), "must look like 10,100,1000"),
        (("--sizes", "5"), "--sizes 5: choose from 10, one label of each class, to the 359 calibration images"),
        (("--readouts", "loudest"), "--readouts: 'loudest' is unknown"),
        (("--readouts", "linear_cv", "--sizes", "10"), "linear_cv: cross-validation needs two calibration images"),
    ):
        assert message in stdpnet_command("labels", run.path, *words, code=2).stderr


def test_another_operating_point_has_a_file_of_its_own(run, curve):
    if "features" in str(run.path):
        return
    there = label_curve(run, sizes=[50], draws=3, readouts=["log_evidence"], at={"competition.strength": 0.0})
    assert there["protocol"]["at"] == {"competition.strength": 0.0}
    assert there["trained"]["log_evidence"][0]["accuracy"] != curve["trained"]["log_evidence"][1]["accuracy"]
    assert LABELS.read(run, "validation") == json.loads(json.dumps(curve))


def test_too_few_and_too_many_draws_are_no_curve(run):
    for draws in (0, 10**20):
        with pytest.raises(ConfigError, match=f"--draws {draws}: must be from 1 to 10000"):
            label_curve(run, draws=draws)
    assert Reader(["linear_cv"]).pixel_readouts(run.spec).keys() == {"linear_cv"}
