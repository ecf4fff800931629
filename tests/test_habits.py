"""What makes the command line pleasant every day: seeds, patterns, versions, completion."""

import json
import os

import pytest

from stdpnet.cli.common import complete_config, complete_run
from stdpnet.cli.training import seed_numbers
from stdpnet.errors import ConfigError
from stdpnet.runs import Run
from stdpnet.spec.load import load_config
from stdpnet.spec.presets import nearest
from stdpnet_analysis.report import scores
from tests.analysis.scored_runs import scored_run

TINY = ["--set", "training.images=8", "--threads", 1]
NETWORK = "rate-conversion-digits"
"""A network that nothing has to be compiled for."""


def test_seeds_are_numbers_and_ranges():
    assert seed_numbers("0-2, 7,1") == [0, 1, 2, 7]
    for wrong in ("", "a", "3-1", "1-", "-1", "0-5000", "1,,2"):
        with pytest.raises(ConfigError, match="--seeds"):
            seed_numbers(wrong)


def test_train_makes_a_run_for_each_seed_and_goes_on_where_it_stopped(stdpnet_command, tmp_path):
    made = json.loads(stdpnet_command("train", NETWORK, *TINY, "--seeds", "0-1", "--run", "s", "--json").stdout)
    assert [each["run"] for each in made["runs"]] == ["runs/s-0", "runs/s-1"]
    assert [Run.open(tmp_path / each["run"]).spec.seed for each in made["runs"]] == [0, 1]
    states = [(tmp_path / f"runs/s-{seed}/checkpoint.h5").stat().st_mtime_ns for seed in (0, 1)]
    again = stdpnet_command("train", NETWORK, *TINY, "--seeds", "0-2", "--run", "s")
    assert again.stdout.count("nothing to do") == 2
    assert "next: stdpnet evaluate runs/s-0 runs/s-1 runs/s-2" in again.stdout
    assert states == [(tmp_path / f"runs/s-{seed}/checkpoint.h5").stat().st_mtime_ns for seed in (0, 1)]
    other = [*TINY, "--set", "training.images=9", "--seeds", "2-3", "--run", "s"]
    refused = stdpnet_command("train", NETWORK, *other, code=2).stderr
    assert "runs/s-2: was begun with training.images = 8, not 9" in refused
    assert not os.path.lexists(tmp_path / "runs/s-3"), "all is checked before anything is trained"
    assert "give one of them" in stdpnet_command("train", "digits", "--seed", 1, "--seeds", "1", code=2).stderr
    assert stdpnet_command("resume", "s-*").stdout.count("nothing to do") == 3
    extended = stdpnet_command("resume", "s-*", "--images", 12, "--threads", 1).stdout
    assert extended.count("trained on 12 images") == 3


def test_read_out_settings_stand_side_by_side_and_are_marked_stale_everywhere(stdpnet_command, tmp_path):
    run = scored_run(tmp_path / "runs/a")
    held = run.load_scores()
    settings = {"role": "linear", "settings": {"kind": "sgd"}}
    held["readouts"]["linear-sgd"] = held["readouts"]["linear"] | settings | {"accuracy": 0.61}
    held["protocol"]["training_images"] -= 1  # an earlier state
    run.save_scores(held)
    assert "stale: scored after" in (shown := stdpnet_command("info", "a").stdout)
    assert "linear 0.9000, linear-sgd 0.6100" in shown
    listed = stdpnet_command("runs", "--sort", "linear-sgd").stdout
    assert all(part in listed for part in ("linear, %", "linear-sgd, %", "90.00*", "61.00*"))
    compared = stdpnet_command("compare", "a", "--format", "markdown").stdout
    assert all(part in compared for part in ("| linear | linear-sgd |", "| 90.0 | 61.0 |", "(stale)"))
    assert (
        "| linear-sgd | untrained"
        in stdpnet_command("compare", "a", "--readouts", "linear-sgd", "--format", "markdown").stdout
    )
    reported = scores.table(held, "test", run.images)
    assert reported["headings"][0] == "trained, stale"
    assert reported["caption"].startswith("Stale: of the state after")
    assert scores.table(held, "test", held["protocol"]["training_images"])["headings"][0] == "trained"


def test_patterns_name_runs_wherever_runs_are_named(stdpnet_command, tmp_path):
    for seed in (0, 1):
        scored_run(tmp_path / f"runs/a-{seed}", f"seed={seed}")
    (tmp_path / "runs/a-study").mkdir()
    found = json.loads(stdpnet_command("info", "a-*", "--json").stdout)["runs"]
    assert [each["name"] for each in found] == ["a-0", "a-1"]
    assert stdpnet_command("info", "a-*").stdout.count("network") == 2
    lists = json.loads(stdpnet_command("figures", "a-*", "--list", "--beside", "a-*", "--json").stdout)["runs"]
    assert [each["run"] for each in lists] == ["runs/a-0", "runs/a-1"]
    for command in ("info", "evaluate", "resume", "figures", "report"):
        assert "b-*: no run matches" in stdpnet_command(command, "b-*", code=2).stderr
    assert "did you mean 'a-1'?" in stdpnet_command("info", "a-7", code=2).stderr


def test_info_tells_how_a_run_differs_from_the_nearest_preset(stdpnet_command, tmp_path):
    spec = load_config("digits", {"plasticity.A_plus": 0.5, "seed": 3})
    assert nearest(spec) == ("digits", {"plasticity.A_plus": 0.5, "seed": 3})
    assert nearest(load_config("lcsnn-25-k12")) == ("lcsnn-25-k12", {})
    scored_run(tmp_path / "runs/a", "seed=3")
    shown = stdpnet_command("info", "a").stdout
    assert "as preset digits, but for" in shown
    assert json.loads(stdpnet_command("info", "a", "--json").stdout)["differs"] == {"seed": 3}


def test_a_training_without_images_says_so(stdpnet_command):
    trained = stdpnet_command("train", NETWORK, "--set", "training.images=0", "--threads", 1)
    assert "trained on 0 images with rate_conversion (nothing to learn: training.images = 0)" in trained.stdout


def test_version_and_short_help(stdpnet_command):
    assert stdpnet_command("--version").stdout.startswith("stdpnet ")
    assert "--seeds" in stdpnet_command("train", "-h").stdout
    assert "--show-completion" in stdpnet_command("-h").stdout


def test_each_of_several_mistakes_has_a_line(stdpnet_command):
    keys = ["--set", "plasticity.A_pls=1", "--set", "neuron.tau_v=-1"]
    lines = stdpnet_command("train", "digits", *keys, code=2).stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: ") for line in lines)


def test_shells_complete_presets_files_and_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert complete_run("") == []
    (tmp_path / "runs/lc-1").mkdir(parents=True)
    (tmp_path / "runs/lc-1/config.toml").touch()
    (tmp_path / "lc.toml").touch()
    (tmp_path / "lc.txt").touch()
    assert complete_run("l") == ["lc-1"]
    assert complete_run("ru") == ["runs/"]
    assert complete_config("lc.") == ["lc.toml"]
    assert "lcsnn-25-k12" in complete_config("lcsnn-25")
