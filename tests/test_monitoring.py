import json

import numpy as np
import pytest

import stdpnet
from stdpnet.cli.runs import sparkline
from stdpnet.errors import ConfigError, HealthError
from stdpnet.runs import Run
from stdpnet.stdp.health import examine
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.statistics import Interval, summarise
from stdpnet.training import resume, train
from stdpnet_analysis.curve import LearningCurve
from tests.jobs import StopAt, in_chunks, spec
from tests.stdp.engines.networks import lively

HEALTHY = ["health.action=warn", "progress.every=20", "training.images=40", "encoder.max_rate=255.0"]


def test_a_row_of_progress_says_what_happened_in_its_interval():
    network = initial_network(lively(competition={"rule": "anti_stdp", "w_min": -9.0, "w_max": 0.0}))
    interval = Interval.begin(network)
    interval.counts[:] = 2
    interval.counts[0] = [0, 3, 1]
    interval.images, interval.presentations, interval.silent = 4, 5, 1
    network.weights += 0.01
    network.weights[0, 0, :2] = [0.0, 0.7]
    row = summarise(lively(competition={"rule": "anti_stdp"}), network, interval, images=4, presentations=5)
    assert (row["images"], row["interval_images"], row["retries"]) == (4, 4, 1)
    assert row["spikes_per_image"] == interval.counts.sum() / 5
    assert row["spikes_per_neuron"]["min"] == 0
    assert row["spikes_per_neuron"]["max"] == 3 / 5
    assert row["silent_images"] == 1 / 5
    assert row["dead_neurons"] == 1 / 12
    assert row["largest_share"] == 3 / 4
    weights = network.weights
    assert row["at_w_min"] == np.mean(weights <= 0)
    assert row["at_w_max"] == np.mean(weights >= 0.7)
    assert row["weight_change"] == pytest.approx(0.01, rel=0.5)
    off_diagonal = network.competition[:, ~np.eye(3, dtype=bool)]
    assert row["competition"] == pytest.approx(
        {"mean": off_diagonal.mean(), "sd": off_diagonal.std(), "min": off_diagonal.min(), "max": off_diagonal.max()}
    )
    json.dumps(row)


UNHEALTHY = {
    "silent network": ["neuron.v_thresh=1000.0"],
    "dead neurons": ["neuron.theta_plus=0.0", "plasticity.A_plus=0.1", "neuron.v_thresh=0.0"],
    "one winner": ["neuron.theta_plus=0.0", "plasticity.A_plus=0.1", "neuron.v_thresh=-20.0"],
    "runaway rate": ["competition.c_w=0.0", "neuron.theta_plus=0.0", "plasticity.mean_weight=0.8"],
    "saturated weights": ["plasticity.w_max=0.1"],
    "nothing learned": ["plasticity.A_plus=0.0", "plasticity.A_minus=0.0"],
    "not normalised": ["plasticity.A_minus=1.0", "plasticity.A_plus=0.0"],
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    return train(spec(*HEALTHY), tmp_path_factory.mktemp("healthy") / "run")


@pytest.mark.parametrize("name", UNHEALTHY)
def test_what_is_unhealthy_is_said_with_a_hint_and_a_healthy_network_is_not(tmp_path, healthy, name):
    with pytest.warns(UserWarning, match=name) as caught:
        run = train(spec(*HEALTHY, *UNHEALTHY[name]), tmp_path / "run")
    assert any(name in row["health"] for row in run.rows("progress"))
    message = next(str(warning.message) for warning in caught if name in str(warning.message))
    assert any(word in message for word in ("lower", "raise")), "a hint"
    with pytest.raises(HealthError, match="at image 20"):
        train(spec(*HEALTHY, *UNHEALTHY[name], "health.action=stop"), tmp_path / "stopped")
    assert name in Run.open(tmp_path / "stopped").rows("progress")[-1]["health"]
    assert all(name not in row["health"] for row in healthy.rows("progress"))


def test_numbers_that_are_not_finite_always_stop_the_job(tmp_path):
    keys = ["competition.rule=anti_stdp", "competition.A_plus=-1e38", "competition.A_minus=0.0"]
    with pytest.raises(HealthError, match="not finite"):
        train(spec(*HEALTHY, *keys, "health.action=ignore"), tmp_path / "run")
    assert not Run.open(tmp_path / "run").has_state, "such a state is not kept"


def test_an_interval_cut_short_by_the_goal_is_not_judged(tmp_path):
    keys = ["health.action=stop", "progress.every=20", "training.images=41", "health.dead_neurons=0.5"]
    assert train(spec(*HEALTHY, *keys), tmp_path / "run").status == "finished"


def test_health_can_be_ignored():
    row = {"finite": True, "silent_images": 1.0, "spikes_per_image": 0.0, "images": 1, "dead_neurons": 1.0}
    row |= {
        "largest_share": 0,
        "at_w_min": 0,
        "at_w_max": 0,
        "weight_change": 0,
        "unnormalised": 0,
        "interval_images": 1,
    }
    ignoring = lively(health={"action": "ignore"})
    assert examine(ignoring, row) == []
    assert {finding.name for finding in examine(lively(), row)} == {"silent network", "dead neurons", "nothing learned"}


CURVE = ["dataset.validation=100", "curve.every=20", "curve.validation=100", "curve.calibration=300"]
CURVE += ["training.images=60", "progress.every=20"]


@pytest.fixture(scope="module")
def run_with_curve(tmp_path_factory):
    """Return a finished run, which tests only read."""
    return train(spec(*CURVE), tmp_path_factory.mktemp("curve") / "run")


def test_a_learning_curve_needs_validation_images_and_takes_all_where_there_are_fewer():
    with pytest.raises(ConfigError, match=r"curve\.every: .* dataset\.validation is 0; hold"):
        spec("curve.every=20")
    keys = ["dataset.validation=30", "curve.every=20", "curve.validation=1000"]
    few = spec(*keys)
    assert len(LearningCurve(few, stdpnet.load_dataset(few.dataset))._validation) == 30


def test_a_learning_curve_scores_validation_images_and_keeps_the_best_state(run_with_curve):
    rows = run_with_curve.rows("curve")
    assert [row["images"] for row in rows] == [0, 20, 40, 60]
    assert set(rows[0]["accuracy"]) == {"all", "patch", "spikes_first", "log_evidence", "linear"}
    assert rows[-1]["accuracy"]["linear"] > rows[0]["accuracy"]["linear"]
    best = max(rows, key=lambda row: row["accuracy"]["linear"])
    assert run_with_curve.load_snapshot("best").images == best["images"]
    assert run_with_curve.load_snapshot("last").images == 60


def test_a_learning_curve_does_not_change_what_is_learned(run_with_curve, tmp_path):
    without = train(spec(*CURVE, "curve.every=0"), tmp_path / "without")
    assert run_with_curve.load_state().changed_arrays(without.load_state()) == []


def test_an_interrupted_evaluation_is_made_up_for(run_with_curve, tmp_path):
    stopper = StopAt(0)
    with pytest.raises(stdpnet.StdpnetError):
        train(spec(*CURVE), tmp_path / "run", observers=[stopper], learner=in_chunks(7), stop=stopper)
    run = Run.open(tmp_path / "run")
    assert run.images == 7
    resume(run)
    assert run.rows("curve") == run_with_curve.rows("curve")
    (run.path / "curve.jsonl").write_text("\n".join((run.path / "curve.jsonl").read_text().splitlines()[:-1]) + "\n")
    resume(run, 70)
    assert run.rows("curve") == run_with_curve.rows("curve")


def test_a_plateau_ends_the_training(tmp_path):
    keys = [*CURVE, "curve.patience=2", "training.images=1000", "plasticity.A_plus=0.0", "neuron.theta_plus=0.0"]
    run = train(spec(*keys), tmp_path / "run")
    assert run.events()[-1]["reason"] == "plateau"
    assert run.images == 40
    assert resume(run).images == 40, "still a plateau"
    assert resume(run, 70).images == 70, "but a new goal is a wish for more"


def test_watch_shows_rates_health_curve_and_remaining_time(stdpnet_command, run_with_curve):
    text = stdpnet_command("watch", str(run_with_curve.path)).stdout
    for part in ("finished (goal reached)", "60/60 (100%)", "images/s", "spikes/image", "health   good", "curve    "):
        assert part in text, text
    look = json.loads(stdpnet_command("watch", str(run_with_curve.path), "--json").stdout)
    assert look["images"] == 60
    assert look["curve"]["images"] == [0, 20, 40, 60]
    assert list(look["progress"]["theta"]) == ["min", "p5", "p25", "p50", "p75", "p95", "max"]


def test_runs_lists_filters_and_sorts(stdpnet_command, tmp_path):
    for name, images in [("b", 40), ("a", 20)]:
        train(spec(f"training.images={images}"), tmp_path / "runs" / name)
    stopped = tmp_path / "runs" / "c"
    stopper = StopAt(1)
    with pytest.raises(stdpnet.StdpnetError):
        train(spec("training.images=60"), stopped, observers=[stopper], learner=in_chunks(5), stop=stopper)
    rows = json.loads(stdpnet_command("runs", "--json").stdout)["runs"]
    assert [(row["name"], row["state"], row["images"]) for row in rows] == [
        ("a", "finished", 20),
        ("b", "finished", 40),
        ("c", "stopped", 5),
    ]
    rows = json.loads(stdpnet_command("runs", "--json", "--sort", "images", "--state", "finished").stdout)["runs"]
    assert [row["name"] for row in rows] == ["b", "a"]
    table = stdpnet_command("runs").stdout
    assert "LCSNN 8/12" in table
    assert "5/60" in table
    assert stdpnet_command("runs", "runs/").stdout.count("\n") == table.count("\n")


def test_a_finished_run_has_nothing_to_resume_and_is_left_as_it_is(stdpnet_command, tmp_path):
    run = train(spec("training.images=20"), tmp_path / "run")
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    assert "nothing to do, trained on 20 images (goal reached)" in stdpnet_command("resume", str(run.path)).stdout
    assert json.loads(stdpnet_command("resume", str(run.path), "--json").stdout)["images"] == 20
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before
    assert "trained on 25 images" in stdpnet_command("resume", str(run.path), "--images", "25").stdout


def test_a_sparkline_shows_the_newest_values_between_the_lowest_and_highest_bar():
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert sparkline([1.0, 1.0]) == "▁▁"
    assert len(sparkline(list(range(100)))) == 60
