import json
import os
import platform
import re
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import TrialState

import stdpnet
from stdpnet.errors import ConfigError, RunError
from stdpnet.runs import Run, find_runs
from stdpnet_analysis import evaluate
from stdpnet_analysis.cluster import pool, waiting
from stdpnet_analysis.readouts import READOUTS, ROLES
from stdpnet_analysis.sweeps import StudyDirectory, load_study, sweep
from stdpnet_analysis.sweeps.driver import DRIVER
from stdpnet_analysis.sweeps.figure import default_figure, parallel_coordinates, unit
from stdpnet_analysis.sweeps.spec import ObjectiveSpec
from stdpnet_analysis.sweeps.summary import summarise
from stdpnet_analysis.sweeps.trial import objective
from tests.analysis.loopback import Loopback
from tests.processes import Program, completed

BASE = """
[base]
config = "digits"
set = ["training.images={images}", "topology.channels=4", "dataset.validation=100", "dataset.calibration=100",
"simulation.duration=100"]
"""
SPACE = """
[space]
"plasticity.A_plus" = { low = 0.001, high = 0.03, log = true }
"encoder.kind" = { choices = ["poisson", "regular"] }
"plasticity.tau_plus" = { low = 10, high = 80, when = { "encoder.kind" = "poisson" } }
"""


def written(folder, text, images=100, head="", more=()):
    """Write a study file."""
    base = BASE.format(images=images).replace('"topology', "".join(f'"{key}", ' for key in more) + '"topology')
    path = folder / "study.toml"
    path.write_text(head + base + text)
    return path


@pytest.fixture
def made(tmp_path):
    def make(text, **more):
        return StudyDirectory.join(*load_study(written(tmp_path, text, **more)), tmp_path / "study")

    return make


def states(directory):
    return [trial.state.name for trial in directory.study().trials]


def test_a_trial_s_value_is_the_mean_validation_accuracy_of_its_repeats(client, made, stdpnet_command, tmp_path):
    text = SPACE + "[budget]\ntrials = 4\n[objective]\nreadout = 'vote'"
    directory = made(text, images=40, head="repeats = 2\n")
    sweep(directory, client)
    trials = directory.study().trials
    assert states(directory) == ["COMPLETE"] * 4
    assert {trial.params["encoder.kind"] for trial in trials} == {"poisson", "regular"}
    for trial in trials:
        assert ("plasticity.tau_plus" in trial.params) == (trial.params["encoder.kind"] == "poisson")
        values = []
        for seed in (0, 1):
            run = Run.open(directory.run_folder(trial.number, seed))
            assert run.spec == directory.base.updated(trial.params).updated({"seed": seed})
            assert run.status == "finished"
            assert run.load_scores("test") is None  # the test split is left alone
            readouts = evaluate(run, "validation", baselines=False)["readouts"]
            values.append(max(readouts[rule]["accuracy"] for rule in ("all", "patch", "spikes_first")))
        assert trial.value == pytest.approx(np.mean(values), abs=1e-12)
    assert len(list(find_runs(directory.path / "trials"))) == 8
    best = summarise(directory)["best"][0]
    stdpnet_command("study", "best", directory.path, "--config", "best.toml")
    written = stdpnet.load_config(tmp_path / "best.toml")
    assert written == directory.base.updated(best["parameters"])
    assert f"Trial {best['trial']} of study" in (tmp_path / "best.toml").read_text()
    assert (
        "trial 9 is not complete"
        in stdpnet_command("study", "best", directory.path, "--trial", 9, "--config", "none.toml", code=2).stderr
    )
    assert stdpnet_command("study", directory.path).stdout == stdpnet_command("study", "show", directory.path).stdout


def test_a_finished_study_goes_on_with_a_larger_budget_only(client, made, monkeypatch, stdpnet_command):
    directory = made(SPACE + "[budget]\ntrials = 1")
    assert not directory.is_spent()
    sweep(directory, client)
    before = directory.study().trials
    sweep(directory, client)
    assert directory.study().trials == before
    monkeypatch.setattr(pool, "pool", None)  # no cluster is started
    shown = stdpnet_command("sweep", "study.toml", "--dir", directory.path).stdout
    assert "1 complete" in shown
    assert "nothing to do: every trial has ended" in shown
    more = made(SPACE + "[budget]\ntrials = 2")
    assert not more.is_spent()
    sweep(more, client)
    assert more.is_spent()
    assert states(directory) == ["COMPLETE"] * 2


def test_values_that_do_not_fit_together_fail_their_trial_and_say_why(client, made):
    space = "[space.neuron]\nv_thresh = { choices = [-64.0, -70.0] }\n[sampler]\nkind = 'grid'"
    directory = made(space)
    sweep(directory, client)
    failed = [trial for trial in directory.study().trials if trial.state == TrialState.FAIL]
    assert [trial.params for trial in failed] == [{"neuron.v_thresh": -70.0}]
    assert "neuron.v_thresh: -70.0 mV must lie above" in failed[0].user_attrs["reason"]
    assert sorted(states(directory)) == ["COMPLETE", "FAIL"]
    assert summarise(directory)["failures"][0]["trial"] == failed[0].number


def test_an_unhealthy_network_is_a_pruned_trial_with_its_reason(client, made):
    space = "[space.plasticity]\nmean_weight = { choices = [0.0001] }\n[sampler]\nkind = 'grid'"
    directory = made(space, more=["health.action='stop'", "progress.every=50"])
    sweep(directory, client)
    assert states(directory) == ["PRUNED"]
    assert "silent network" in directory.study().trials[0].user_attrs["reason"]


def test_a_silent_trial_has_accuracy_zero_and_neither_ends_the_sweep_nor_the_next_command(client, made):
    space = "[space.plasticity]\nmean_weight = { choices = [0.0001] }\n[sampler]\nkind = 'random'\n"
    text = (
        space
        + "[pruner]\nkind = 'median'\nevery = 50\ncalibration = 50\nvalidation = 50\n[objective]\nreadout = 'vote'"
    )
    directory = made(f"{text}\n[budget]\ntrials = 1", images=50)
    sweep(directory, client)
    left = directory.study().ask()  # by a driver that died before it could tell the value
    left.set_user_attr(DRIVER, "host-1-dead")
    sweep(made(f"{text}\n[budget]\ntrials = 3", images=50), client)
    assert states(directory) == ["COMPLETE"] * 3
    for trial in directory.study().trials:
        assert trial.value == 0.0
        assert trial.intermediate_values == {50: 0.0}
        assert trial.user_attrs["accuracy"]["0"]["linear"] < 0.2


@pytest.mark.parametrize("readout", ["mean", *ROLES, *READOUTS])
def test_an_objective_of_a_silent_network_is_a_number(readout):
    assert objective(dict.fromkeys(READOUTS, 0.0), ObjectiveSpec(readout=readout)) == 0.0


def test_an_objective_is_a_column_or_the_mean_of_vote_and_linear():
    accuracy = {"all": 0.5, "patch": 0.7, "log_evidence": 0.8, "linear": 0.9}
    values = {
        name: objective(accuracy, ObjectiveSpec(readout=name)) for name in ("vote", "all", "log_evidence", "mean")
    }
    assert values == pytest.approx({"vote": 0.7, "all": 0.5, "log_evidence": 0.8, "mean": 0.8})
    with pytest.raises(RunError, match="'assigned' was not scored"):
        objective(accuracy, ObjectiveSpec(readout="assigned"))


def test_a_grid_is_searched_once_by_two_drivers_together(client, made):
    space = "[space]\n'neuron.tau_v' = { choices = [50.0, 100.0] }\n"
    space += "'topology.channels' = { low = 4, high = 6, integer = true }"
    directory = made(space + "\n[sampler]\nkind = 'grid'", images=200)
    drivers = [threading.Thread(target=sweep, args=(directory, client)) for _ in range(2)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    trials = directory.study().trials
    assert states(directory) == ["COMPLETE"] * 6
    assert len({tuple(sorted(trial.params.items())) for trial in trials}) == 6
    assert len({trial.user_attrs[DRIVER] for trial in trials}) == 2
    assert list((directory.path / "drivers").iterdir()) == []
    assert directory.is_spent()


def test_a_bad_trial_is_pruned_by_the_learning_curve_of_its_first_repeat(client, made, monkeypatch):
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.02)
    space = "[space.plasticity]\nmean_weight = { choices = [0.2, 0.02] }"
    pruner = "[pruner]\nkind = 'median'\nevery = 50\nstartup = 1\nwarmup = 50\ncalibration = 100\nvalidation = 100"
    text = f"{space}\n{pruner}\n[budget]\ntrials = 2"
    directory = made(text, images=600, head="repeats = 2\n")
    study = directory.study()
    study.enqueue_trial({"plasticity.mean_weight": 0.2})
    sweep(made(text.replace("trials = 2", "trials = 1"), images=600, head="repeats = 2\n"), client)
    study.enqueue_trial({"plasticity.mean_weight": 0.02})
    sweep(directory, client)
    good, bad = directory.study().trials
    assert (good.state, bad.state) == (TrialState.COMPLETE, TrialState.PRUNED)
    assert sorted(good.intermediate_values) == list(range(50, 650, 50))
    run = Run.open(directory.run_folder(1, 0))
    assert (run.status, run.events()[-1]["reason"]) == ("finished", "pruned")
    assert run.images < 600
    assert not directory.run_folder(1, 1).exists()
    assert bad.user_attrs["reason"] == "pruned by its learning curve"


@pytest.mark.parametrize("kind", ["random", "tpe", "cmaes"])
@pytest.mark.parametrize("pruner", ["halving", "hyperband"])
def test_every_sampler_and_pruner_runs(client, made, kind, pruner):
    space = "[space.plasticity]\nA_plus = { low = 0.001, high = 0.01 }\nmean_weight = { low = 0.1, high = 0.2 }"
    text = f"[sampler]\nkind = '{kind}'\nstartup = 1\n[pruner]\nkind = '{pruner}'\nevery = 20\nwarmup = 20\n"
    directory = made(f"{space}\n{text}calibration = 50\nvalidation = 50\n[budget]\ntrials = 3", images=40)
    sweep(directory, client)
    assert set(states(directory)) <= {"COMPLETE", "PRUNED"}
    assert "COMPLETE" in states(directory)
    assert len(states(directory)) == 3


def test_no_trial_begins_after_the_hours_are_over(client, made):
    directory = made(SPACE + "[budget]\nhours = 1e-9")
    sweep(directory, client)
    assert states(directory) == []


def test_trials_of_a_dead_driver_are_adopted_under_their_number(client, made):
    directory = made(SPACE + "[budget]\ntrials = 2")
    study = directory.study()
    half_asked = study.ask()  # killed before it could put down its name and values
    named = study.ask()
    named.set_user_attr(DRIVER, "host-1-dead")
    named.suggest_float("plasticity.A_plus", 0.001, 0.03, log=True)
    sweep(directory, client)
    trials = directory.study().trials
    assert states(directory) == ["COMPLETE"] * 2
    assert trials[named.number].params["plasticity.A_plus"] == named.params["plasticity.A_plus"]
    assert trials[half_asked.number].params["encoder.kind"] in ("poisson", "regular")


def test_a_database_can_keep_the_trials(client, tmp_path):
    text = f'storage = "sqlite:///{tmp_path}/trials.db"\n{BASE.format(images=50)}{SPACE}[budget]\ntrials = 2'
    (tmp_path / "study.toml").write_text(text)
    directory = StudyDirectory.join(*load_study(tmp_path / "study.toml"), tmp_path / "study")
    sweep(directory, client)
    assert states(StudyDirectory.open(tmp_path / "study")) == ["COMPLETE"] * 2
    assert not (directory.path / "journal.log").exists()


def test_a_summary_ranks_trials_and_the_figure_is_drawn(client, made):
    directory = made(SPACE + "[budget]\ntrials = 6", images=60)
    sweep(directory, client)
    summary = summarise(directory, best=3)
    accuracies = [trial["accuracy"] for trial in summary["best"]]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len(accuracies) == 3
    assert summary["trials"]["complete"] == 6
    assert all(Run.open(run).status == "finished" for trial in summary["best"] for run in trial["runs"])
    assert sum(summary["importance"].values()) in (0, pytest.approx(1.0))
    json.dumps(summary)
    for ending, magic in ((".pdf", b"%PDF"), (".svg", b"<?xml"), (".png", b"\x89PNG")):
        path = parallel_coordinates(directory, default_figure(directory).with_suffix(ending))
        assert path.read_bytes().startswith(magic)
    drawn = re.sub(r"<[^>]*>", " ", default_figure(directory).with_suffix(".svg").read_text())
    assert "6 trials of 60 training images, 1 seed each, sampler: tpe; best (bold): " in " ".join(drawn.split())
    assert [unit(key) for key in ("plasticity.A_plus", "neuron.tau_v", "encoder.max_rate", "encoder.kind")] == [
        "mV", "ms", "Hz", ""]  # fmt: skip
    with pytest.raises(ConfigError, match=r"--figure x\.bmp: must end in"):
        parallel_coordinates(directory, Path("x.bmp"))


def test_a_driver_removes_what_killed_ones_of_its_machine_have_left(made):
    directory = made(SPACE)
    mine, dead, elsewhere = (
        directory.path / "drivers" / f"{host}-{process}-0a.lock"
        for host, process in ((platform.node(), os.getpid()), (platform.node(), 999999999), ("far-away", 999999999))
    )
    for path in (mine, dead, elsewhere):
        path.touch()
    with directory.driving() as name:
        left = {path.name for path in (directory.path / "drivers").iterdir()}
    assert left == {mine.name, elsewhere.name, f"{name}.lock"}


def test_killed_workers_and_drivers_lose_no_trial_and_change_no_byte(held, loopback, tmp_path):
    """SIGKILL of a worker, then of one of two drivers, then of the other: the next command ends the study."""
    text = SPACE + "[budget]\ntrials = 5"
    study, base = load_study(written(tmp_path, text, images=500, head="checkpoint = 100\n"))
    directory = StudyDirectory.join(study, base, tmp_path / "study")
    command = ["stdpnet", "sweep", "study.toml", "--dir", directory.path, "--scheduler-file", loopback.file]
    drivers = [Program(command, tmp_path) for _ in range(2)]

    def computing():
        """Return the processes that write runs and have a checkpoint to go on from."""
        runs = [run for run in find_runs(directory.path / "trials") if run.status == "running" and run.has_state]
        return [run.events()[-1]["pid"] for run in runs if run.events()]

    loopback.wait(computing)
    loopback.kill_worker(computing()[0])
    loopback.add_worker()
    drivers[0].send_signal(signal.SIGKILL)
    drivers[0].wait()
    loopback.wait(computing)
    drivers[1].send_signal(signal.SIGKILL)
    drivers[1].wait()
    assert any(state == "RUNNING" for state in states(directory))
    held.unlink()
    assert completed(command, tmp_path).returncode == 0
    assert states(directory) == ["COMPLETE"] * 5
    runs = list(find_runs(directory.path / "trials"))
    assert len(runs) == 5
    resumed = [run for run in runs if any(event["event"] == "resumed" for event in run.events())]
    assert resumed
    straight = stdpnet.train(resumed[0].spec, tmp_path / "straight")
    assert (straight.path / "checkpoint.h5").read_bytes() == (resumed[0].path / "checkpoint.h5").read_bytes()


def test_a_polite_stop_leaves_checkpoints_and_the_same_command_goes_on(held, tmp_path):
    written(tmp_path, SPACE + "[budget]\ntrials = 1", images=1000, head="checkpoint = 100\n")
    command = ["stdpnet", "sweep", "study.toml", "--workers", "1"]
    driver = Program(command, tmp_path, session=True)
    folder = tmp_path / "runs/sweep-study"

    def begun():
        runs = find_runs(folder / "trials") if (folder / "trials").exists() else []
        return any(run.has_state for run in runs)

    Loopback.wait(begun)
    os.killpg(driver.pid, signal.SIGINT)  # as a terminal does: the workers get it, too
    Loopback.wait(lambda: list(folder.glob("drivers/*.leave")))
    held.unlink()
    error = driver.communicate(timeout=120)[1]
    assert driver.returncode == 128 + signal.SIGINT, error
    assert "the same command goes on" in error
    assert "Traceback" not in error
    run = next(find_runs(folder / "trials"))
    assert run.status == "stopped"
    assert 0 < run.images < 1000
    again = completed(command, tmp_path)
    assert again.returncode == 0, again.stderr
    assert states(StudyDirectory.open(folder)) == ["COMPLETE"]
    assert [event["event"] for event in run.events()] == ["started", "stopped", "resumed", "finished"]
    shown = completed(["stdpnet", "study", "sweep-study"], tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "1 complete" in shown.stdout
    assert (folder / "figures/parallel-coordinates.pdf").exists()


def test_a_fault_outside_the_trials_pauses_the_study_which_goes_on_when_it_is_mended(client, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (300, 28, 28), np.uint8)
    np.savez(tmp_path / "set.npz", X=images, y=np.arange(300) % 3)
    text = (
        '[base]\nconfig = "digits"\nset = ["dataset.name=npz", "dataset.path=PATH", "training.images=20", '
        '"topology.channels=4", "dataset.validation=30"]\n[space]\n"plasticity.A_plus" = { low = 0.001, high = 0.03 }\n'
        "[budget]\ntrials = 2\n"
    ).replace("PATH", str(tmp_path / "set.npz"))
    (tmp_path / "study.toml").write_text(text)
    directory = StudyDirectory.join(*load_study(tmp_path / "study.toml"), tmp_path / "study")
    (tmp_path / "set.npz").rename(tmp_path / "away.npz")
    with pytest.raises(RunError, match=r"trial \d failed, but not by its values .*set\.npz.*; mend that"):
        sweep(directory, client)
    assert set(states(directory)) == {"RUNNING"}
    (tmp_path / "away.npz").rename(tmp_path / "set.npz")
    sweep(directory, client)
    assert states(directory) == ["COMPLETE"] * 2
