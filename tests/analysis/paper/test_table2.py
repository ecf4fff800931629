import itertools
import json
import os
import random
import signal

import numpy as np
import pytest

from stdpnet.errors import ConfigError, RunError
from stdpnet.runs import Run, find_runs
from stdpnet.stdp.spec.presets import TABLE_2
from stdpnet_analysis import evaluate
from stdpnet_analysis.paper import table2
from stdpnet_analysis.paper import table2_report as report
from stdpnet_analysis.paper.computing import compute
from tests.analysis.loopback import Loopback
from tests.damages import damages
from tests.processes import Program

SMALL = ["dataset.name=digits", "training.images=80", "topology.channels=8", "dataset.test=200"]
SMALL += ["dataset.calibration=200"]


def test_every_row_has_the_thesis_s_figures_and_a_preset():
    assert set(TABLE_2) == set(report.VOTE) == set(report.LINEAR)
    assert all(set(goals) == set(TABLE_2) for goals in report.GOALS.values())
    for column, published in report.THESIS.items():
        assert all(0.5 < each.mean < report.GOALS[column][row] < 1 for row, each in published.items())
    for preset in ("thesis", "best"):
        for task in table2.plan(TABLE_2, 1, preset, __import__("pathlib").Path("x")):
            row = TABLE_2[task.row]
            assert (task.spec.topology.channels, task.spec.competition.is_learned) == (row.channels, row.learned)
            training = task.spec.training
            assert (training.pool or training.images) <= 5000, "different images"
            assert task.run.name.startswith(row.name + ("-thesis" if preset == "thesis" else ""))


def test_a_task_s_key_depends_on_configuration_seed_and_code(tmp_path, monkeypatch):
    def key(**more):
        return table2.plan([5], 1, "best", tmp_path, **more)[0].key

    first = key()
    assert key() == first
    keys = {first, key(first=1), key(overrides=["plasticity.A_plus=0.5"])}
    monkeypatch.setattr(table2, "code_digest", lambda: "changed")
    assert len(keys | {key()}) == 4


def test_rows_are_computed_summarised_and_cached(client, tmp_path):
    tasks = table2.plan([5, 10], 2, "best", tmp_path, SMALL)
    compute(tasks, client)
    summary = report.summarise(tasks, "best", SMALL, 1.5)
    assert summary["complete"]
    assert [row["row"] for row in summary["rows"]] == [5, 10]
    for row in summary["rows"]:
        runs = [Run.open(task.run) for task in tasks if task.row == row["row"]]
        scores = [evaluate(run, baselines=False)["readouts"] for run in runs]
        linear = [score["linear"]["accuracy"] for score in scores]
        assert row["linear"]["mean"] == pytest.approx(np.mean(linear), abs=1e-12)
        assert row["linear"]["sd"] == pytest.approx(np.std(linear, ddof=1), abs=1e-12)
        rules = {
            rule: np.mean([score[rule]["accuracy"] for score in scores]) for rule in ("all", "patch", "spikes_first")
        }
        assert row["vote"]["mean"] == pytest.approx(max(rules.values()), abs=1e-12)
        assert rules[row["vote"]["rule"]] == max(rules.values())
        assert row["thesis"]["linear"]["mean"] == report.LINEAR[row["row"]].mean
        assert row["untrained"]["linear"]["mean"] < row["linear"]["mean"] + 0.1
        assert row["pixels"]["linear"]["mean"] > 0.85
        assert row["images_per_s"] > 1
        log_evidence = [score["log_evidence"]["accuracy"] for score in scores]
        assert row["log_evidence"]["mean"] == pytest.approx(np.mean(log_evidence), abs=1e-12)
        assert row["untrained"]["log_evidence"]["mean"] < 1
        assert row["reached"]["log_evidence"] == (np.mean(log_evidence) >= report.GOALS["log_evidence"][row["row"]])
    computed = []
    compute(tasks, None, computed.append)  # all are cached: no client is needed
    assert computed == []
    text = report.markdown(summary)
    assert text.count("\n| ") == 2
    assert "80.1 ± 1.0" in text
    assert "77.1 ± 0.6" in text


def test_other_read_outs_are_scored_without_another_training(client, tmp_path):
    first = table2.plan([5], 1, "best", tmp_path, SMALL)
    compute(first, client)
    more = table2.plan([5], 1, "best", tmp_path, SMALL, readouts=["vote", "assigned"])
    assert more[0].run == first[0].run
    assert more[0].result() is None
    compute(more, client)
    run = Run.open(first[0].run)
    assert [event["event"] for event in run.events()] == ["started", "finished"]
    assert set(run.load_scores()["readouts"]) == {"all", "patch", "spikes_first", "log_evidence", "assigned", "linear"}
    assert first[0].result() is not None, "the earlier read-outs of the same state are kept"
    assert report.usual_path(first, "best", tmp_path) != report.usual_path(more, "best", tmp_path)


def test_the_linear_read_out_is_scored_once_more_tuned(client, tmp_path, monkeypatch):
    monkeypatch.setattr(table2, "TUNED", {})
    first = table2.plan([5], 1, "best", tmp_path, SMALL)
    compute(first, client)
    monkeypatch.setattr(table2, "TUNED", {5: table2.Tuned(0.01, 0.5, 300)})
    tasks = table2.plan([5], 1, "best", tmp_path, SMALL)
    assert [task.result() for task in tasks] == [None], "the network is there, this score is not"
    compute(tasks, client)
    run = Run.open(tasks[0].run)
    assert [event["event"] for event in run.events()] == ["started", "finished"]
    at = {"competition.strength": 0.01, "simulation.duration": 300}
    linear = evaluate(run, readouts=["linear"], C=0.5, baselines=False, at=at)["readouts"]["linear-C0.5"]["accuracy"]
    (row,) = report.summarise(tasks, "best", SMALL, 1.5)["rows"]
    assert (row["tuned"]["mean"], row["tuned"]["strength"]) == (pytest.approx(linear, abs=1e-12), 0.01)
    assert linear != row["linear"]["mean"]
    assert f"{100 * linear:.1f} (0.01, 0.5, 300)" in report.markdown(
        report.summarise(tasks, "best", SMALL, 1.5)
    ).replace("**", "")
    assert first[0].result()["accuracy"] == tasks[0].result()["accuracy"]
    assert all(task.tuned is None for task in table2.plan([5], 1, "best", tmp_path, ['competition.rule="none"']))
    assert all(task.tuned is None for task in table2.plan([5], 1, "thesis", tmp_path))


def test_a_damaged_result_is_one_sentence_and_never_a_wrong_table(tmp_path):
    (task,) = table2.plan([5], 1, "best", tmp_path, SMALL)
    task.run.mkdir()
    path, votes = (
        task.run / table2.RESULT,
        dict.fromkeys(("all", "patch", "spikes_first", "linear", "log_evidence"), 0.5),
    )
    whole = {"row": 5, "seed": 0, "accuracy": votes, "untrained": votes, "pixels": votes, "training_images": 80}
    whole |= {"training_seconds": 1.0, "evaluation_seconds": 1.0, "images_per_s": 80.0}
    whole |= {"tuned": {**task.tuned._asdict(), "accuracy": 0.5}}
    path.write_text(json.dumps(whole))
    assert report.summarise([task], "best", SMALL, 0.0)["complete"]
    made = list(itertools.islice(damages(path.name, path.read_bytes(), random.Random(3)), 60))
    answers = []
    for damaged in (b"{}", b"[]", b"null", b'{"row": 99}', json.dumps(whole | {"row": 99}).encode(), *made):
        path.write_bytes(damaged)
        try:
            summary = report.summarise([task], "best", SMALL, 0.0)
            report.markdown(summary)
            answers.append([row["row"] for row in summary["rows"]])
        except RunError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
            assert str(error).endswith("remove it, and the same command makes it anew")  # noqa: PT017
            answers.append("a sentence")
    assert answers[:5] == ["a sentence"] * 5
    assert [5] in answers
    assert all(answer in ("a sentence", [], [5]) for answer in answers)


def test_a_table_in_the_making_says_so_and_a_smaller_one_does_not_replace_it(client, tmp_path):
    tasks = table2.plan([5], 1, "best", tmp_path, SMALL)
    compute(tasks, client)
    more = table2.plan([5, 6], 1, "best", tmp_path, SMALL)
    half = report.summarise(more, "best", SMALL, 0.0)
    assert not half["complete"]
    assert [row["row"] for row in half["rows"]] == [5]
    assert half["rows"][0]["linear"]["sd"] is None
    assert "the same command goes on" in report.markdown(half)
    paths = {report.usual_path(asked, "best", tmp_path) for asked in (more, tasks)}
    assert len(paths) == 2
    for path in paths:
        report.write(half, path)
    assert all(json.loads(path.with_suffix(".json").read_text()) == half for path in paths)


@pytest.mark.parametrize(("rows", "message"), [("13", "--rows 13"), ("a", "must look like"), ("5-3", "names no row")])
def test_rows_that_do_not_exist_are_refused(stdpnet_command, tmp_path, rows, message):
    assert message in stdpnet_command("reproduce", "table2", "--rows", rows, code=2).stderr
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="rows 1 to 12"):
        table2.plan([0], 1, "best", tmp_path)


def test_an_unknown_read_out_is_an_error_that_says_where_it_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"^--readouts: 'loudest' is unknown"):
        table2.plan([5], 1, "best", tmp_path, SMALL, readouts=["loudest"])
    with pytest.raises(ConfigError, match=r"^evaluation\.readouts: 'loudest' is unknown"):
        table2.plan([5], 1, "best", tmp_path, ["evaluation.readouts=loudest"])


def test_a_command_that_stops_does_not_stop_another_one_with_the_same_tasks(monkeypatch, tmp_path):
    (mine,) = table2.plan([5], 1, "best", tmp_path)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    (theirs,) = table2.plan([5], 1, "best", tmp_path)
    assert mine.run == theirs.run
    mine.leave.touch()
    assert not theirs.leave.exists()


def test_a_killed_command_goes_on_and_a_finished_one_computes_nothing(held, stdpnet_process, tmp_path):
    sets = ["--set", "dataset.name=digits", "--set", "training.images=400", "--set", "topology.channels=8"]
    sets += ["--set", "checkpoint.every=100", "--set", "simulation.duration=100"]
    sets += ["--set", "dataset.calibration=100", "--set", "dataset.test=100"]
    arguments = ["reproduce", "table2", "--rows", "5", "--seeds", "2", "--workers", "1", "--json", *sets]
    first = Program(["stdpnet", *arguments], tmp_path, session=True)

    def half():
        runs = find_runs(tmp_path / "runs/table2") if (tmp_path / "runs/table2").exists() else []
        return any(run.has_state for run in runs)

    Loopback.wait(half)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    held.unlink()
    result = json.loads(stdpnet_process(*arguments).stdout)
    assert (result["computed"], result["cached"], result["complete"]) == (2, 0, True)
    (row,) = result["rows"]
    assert row["seeds"] == [0, 1]
    runs = list(find_runs(tmp_path / "runs/table2"))
    assert len(runs) == 2
    assert any("resumed" in [event["event"] for event in run.events()] for run in runs)
    again = json.loads(stdpnet_process(*arguments).stdout)
    assert (again["computed"], again["cached"]) == (0, 2)
    assert again["rows"] == result["rows"]
