"""The state of a run as plain data: what it says, and how little is read for it."""

import json
import os
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from stdpnet.cli import runs as commands
from stdpnet.errors import RunError
from stdpnet.model import State
from stdpnet.runs import Run
from stdpnet.runs.rows import append_row
from stdpnet.runs.summary import FolderReader, RunReader, summarise, training_speed
from stdpnet.stdp.network import initial_network
from tests.stdp.engines.networks import lively

ROW = {
    "goal": 60_000,
    "spikes_per_image": 20.5,
    "spikes_per_neuron": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    "theta": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    "silent_images": 0.01,
    "dead_neurons": 0.02,
    "health": ["one winner"],
}


def scores(images, accuracy=0.9, split="test"):
    readouts = {"all": {"accuracy": accuracy - 0.1}, "patch": {"accuracy": accuracy}, "linear": {"accuracy": 0.95}}
    protocol = {"dataset": "mnist", "split": split, "training_images": images, "snapshot": "last"}
    return {"protocol": protocol, "readouts": readouts}


def state(run, images):
    return State(arrays=initial_network(run.spec).arrays(), images=images, presentations=images)


def make_run(path, images=200, goal=300):
    run = Run.create(lively(training={"images": goal}), path, "unused", dataset_sha256="0")
    run.log("started", images=0)
    for number, speed in ((100, 10.0), (images, 500.0)):
        run.append_row("progress", {"images": number, "images_per_s": speed, **ROW})
        run.append_row("curve", {"images": number, "accuracy": {"linear": number / 1000}})
    run.save_state(state(run, images))
    return run


def test_a_summary_says_how_a_run_does(tmp_path):
    run = make_run(tmp_path / "run")
    run.save_scores(scores(200, split="validation"), "validation")
    run.save_scores(scores(200))
    run.log("stopped", images=200, reason="SIGTERM")
    summary = summarise(run)
    assert (summary.name, summary.path, summary.model, summary.dataset) == ("run", str(run.path), "stdp", "mnist")
    assert (summary.state, summary.reason, summary.images, summary.goal) == ("stopped", "SIGTERM", 200, 300)
    assert summary.facts["synapses"]["feedforward"] == run.spec.geometry.feedforward_synapses
    assert summary.images_per_s == training_speed(run) == 500.0, "the first row's time includes compilation"
    assert summary.seconds_left == pytest.approx(100 / 500)
    assert summary.health == ["one winner"]
    assert summary.progress["theta"]["p50"] == 3.0
    assert (summary.curve.images, summary.curve.accuracy) == ([100, 200], [0.1, 0.2])
    best = {"vote": 0.9, "linear": 0.95}
    assert [(each.split, each.best, each.stale) for each in summary.scores] == [
        ("test", best, False),
        ("validation", best, False),
    ]
    assert 0 <= summary.age_seconds < 60
    json.dumps(summary.as_dict())


def test_runs_are_sorted_by_any_column_of_accuracies(tmp_path, stdpnet_command):
    for name, accuracy in (("first", 0.7), ("second", 0.8)):
        run = make_run(tmp_path / "runs" / name)
        made = scores(200)
        made["readouts"]["log_evidence"] = {"accuracy": accuracy, "role": "log_evidence"}
        run.save_scores(made)
    text = stdpnet_command("runs", "--sort", "log_evidence").stdout
    assert text.index("second") < text.index("first")
    assert "log evidence, %" in text
    assert "80.00" in text
    refused = stdpnet_command("runs", "--sort", "loudest", code=2).stderr
    assert "--sort: 'loudest' is unknown; choose among name, age, images, vote, log_evidence, linear" in refused


def test_a_new_run_has_a_summary_and_a_dead_one_says_so(tmp_path):
    run = Run.create(lively(), tmp_path / "run", "unused")
    summary = summarise(run)
    assert (summary.state, summary.images, summary.images_per_s, summary.health) == ("new", 0, None, None)
    assert (summary.progress, summary.scores, summary.curve.images) == (None, [], [])
    run.log("started", images=0)
    assert (summarise(run).state, summarise(run).reason) == ("failed", "its process died")
    with run.locked():
        assert (summarise(run).state, summarise(run).reason) == ("running", None)


def test_scores_are_stale_once_the_run_is_trained_further(tmp_path):
    run = make_run(tmp_path / "run")
    run.save_scores(scores(200))
    run.save_snapshot("best", state(run, 100))
    run.save_scores(scores(100), snapshot="best")
    reader = RunReader(run)
    assert [each.stale for each in reader.read().scores] == [False, False]
    run.append_row("progress", {"images": 250, "images_per_s": 400.0, **ROW})
    assert [(each.snapshot, each.stale) for each in reader.read().scores] == [("last", True), ("best", False)]
    run.save_snapshot("best", state(run, 250))
    assert [each.stale for each in reader.read().scores] == [True, True]


def test_a_reader_follows_everything_that_changes(tmp_path):
    run = make_run(tmp_path / "run")
    reader = RunReader(run)
    assert reader.read().images == 200
    run.append_row("progress", {"images": 300, "images_per_s": 510.0, **ROW, "health": []})
    run.append_row("curve", {"images": 300, "accuracy": {"linear": 0.3}})
    run.save_state(state(run, 310))
    Run.open(run.path).extend(400)
    run.save_scores(scores(310))
    run.log("finished", images=310, reason="plateau")
    again = reader.read()
    assert (again.images, again.goal, again.state, again.reason) == (310, 400, "finished", "plateau")
    assert (again.seconds_left, again.health, again.images_per_s) == (None, [], 500.0)
    assert again.curve.images == [100, 200, 300]
    fresh = summarise(Run.open(run.path))
    assert {**again.as_dict(), "age_seconds": 0} == {**fresh.as_dict(), "age_seconds": 0}


def test_damaged_scores_are_refused_with_the_remedy(tmp_path):
    run = make_run(tmp_path / "run")
    run.scores_path().write_text('{"readouts": {}}')
    with pytest.raises(RunError, match=r"scores\.json: damaged .*; `stdpnet evaluate` makes it anew"):
        summarise(run)


def test_a_folder_is_followed_and_a_run_that_cannot_be_read_is_named(tmp_path):
    make_run(tmp_path / "b")
    reader = FolderReader(tmp_path)
    assert [each.name for each in reader.read()] == ["b"]
    make_run(tmp_path / "a")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "config.toml").write_text("nonsense")
    with pytest.warns(UserWarning, match=r"c/config\.toml"):
        assert [each.name for each in reader.read()] == ["a", "b"]
    with pytest.raises(RunError, match="no such folder"):
        FolderReader(tmp_path / "absent").read()


def test_stale_scores_are_marked_and_explained(stdpnet_command, tmp_path):
    make_run(tmp_path / "runs" / "moved").save_scores(scores(100, accuracy=0.8))
    make_run(tmp_path / "runs" / "fresh").save_scores(scores(200, accuracy=0.7))
    table = stdpnet_command("runs").stdout
    assert "80.00*" in table
    assert "70.00 " in table
    assert "* scored before the run was trained further; `stdpnet evaluate RUN` scores it again" in table
    shown = stdpnet_command("info", "moved").stdout
    assert "(stale: scored after 100 images)" in shown
    assert "`stdpnet evaluate runs/moved` scores it again" in shown
    assert "stale" not in stdpnet_command("info", "fresh").stdout
    assert "*" not in stdpnet_command("runs", "--state", "new").stdout


def test_validation_scores_stand_in_and_are_labelled(stdpnet_command, tmp_path):
    run = make_run(tmp_path / "study" / "trials" / "0")
    run.save_scores(scores(200, split="validation"), "validation")
    make_run(tmp_path / "study" / "trials" / "1")
    table = stdpnet_command("runs", "study/trials").stdout
    assert "90.00" in table
    assert "validation" in table
    (row,) = json.loads(stdpnet_command("runs", "study/trials", "--json", "--sort", "vote").stdout)["runs"][:1]
    assert (row["name"], row["scores"][0]["split"], row["scores"][0]["best"]["vote"]) == ("0", "validation", 0.9)


def test_each_run_has_one_line_where_the_list_is_no_terminal(stdpnet_command, tmp_path):
    name = "a-name-that-is-longer-than-a-terminal-of-eighty-columns-" * 3
    make_run(tmp_path / "runs" / name)
    assert sum(name in line for line in stdpnet_command("runs").stdout.splitlines()) == 1


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """A run with 100 000 rows of progress (30 MB), 300 of the curve, and a checkpoint of 40 MB."""
    run = make_run(tmp_path_factory.mktemp("runs") / "big", goal=10**8)
    with (run.path / "progress.jsonl").open("a") as file:
        row = json.dumps({"images": "%d", "images_per_s": 450.0, **ROW}).replace('"%d"', "%d") + "\n"
        file.writelines(row % (1000 + number) for number in range(100_000))
    for number in range(300):
        run.append_row("curve", {"images": 1000 + number, "accuracy": {"linear": 0.9}})
    run.save_scores(scores(200))
    draft = run.path / "checkpoint.h5"
    with h5py.File(draft, "r+") as file:
        file["more"] = np.ones(40 * 2**17)
    assert draft.stat().st_size > 40e6
    assert (run.path / "progress.jsonl").stat().st_size > 25e6
    return run


def bytes_read():
    """Return how many bytes this process has asked of all files, HDF5's included."""
    return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split("\n")[0])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs Linux's count of bytes read")
def test_a_big_run_is_summarised_from_a_few_kilobytes(big, capsys, monkeypatch):
    own = bytes_read()
    own = bytes_read() - own
    curve = (big.path / "curve.jsonl").stat().st_size
    once = 60_000 + curve
    reader = RunReader(big)

    def cost(action):
        before = bytes_read()
        action()
        return bytes_read() - before - own

    commands.info([str(big.path)])  # whatever is imported is imported now
    assert "450" in capsys.readouterr().out
    commands.list_runs(big.path.parent)
    assert cost(lambda: commands.info([str(big.path)])) < once
    assert cost(lambda: commands.list_runs(big.path.parent)) < once
    assert cost(lambda: commands.watch(str(big.path))) < once
    assert cost(lambda: commands.list_runs(big.path.parent, as_json=True)) < once
    assert cost(reader.read) < once
    assert cost(reader.read) == 0, "nothing has changed"
    append_row(big.path / "curve.jsonl", {"images": 2000, "accuracy": {"linear": 0.9}})
    assert 0 < cost(reader.read) < 100, "the new row of the curve"
    append_row(big.path / "progress.jsonl", {"images": 200_000, "images_per_s": 450.0, **ROW})
    assert cost(reader.read) <= 8192, "the end of the rows of progress"
    assert reader.read().images == 200_000
    os.utime(big.path / "checkpoint.h5")
    assert cost(reader.read) < 20_000, "the attributes of the checkpoint"


def test_a_summary_takes_the_same_time_however_long_the_run(tmp_path):
    run = make_run(tmp_path / "run")
    for name, row in (
        ("progress", '{"images": %d, "images_per_s": 500.0, "spikes_per_image": 20.5}\n'),
        ("curve", '{"images": %d, "accuracy": {"linear": 0.5}}\n'),
        ("events", '{"event": "resumed", "time": "2026-01-01T00:00:00+00:00", "images": %d}\n'),
    ):
        with (run.path / f"{name}.jsonl").open("a") as file:  # 999 times the same 1000 rows: they are written sooner
            file.writelines(["".join(row % number for number in range(1000))] * 999)
            file.writelines(row % number for number in range(10**6 - 1000, 10**6))
    begin = time.process_time()
    summary = summarise(run)
    assert time.process_time() - begin < 2
    assert summary.images == 10**6 - 1
    assert 1000 < len(summary.curve.images) < 10**6
    assert summary.curve.images[-1] == 10**6 - 1
