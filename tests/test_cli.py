import json
import re
import subprocess
import sys

import pytest

from stdpnet_analysis.verdict import verdict

SMALL = ["--set", "training.images=60", "--set", "topology.channels=8"]


def test_train_evaluate_info_from_the_command_line(stdpnet_command, tmp_path):
    trained = stdpnet_command("train", "digits", *SMALL, "--seed", "4", "--threads", "1")
    assert "next: stdpnet evaluate runs/digits-4" in trained.stdout
    assert "training: 60/60" in trained.stderr
    assert "images/s" in trained.stderr
    assert "spikes/image" in trained.stderr
    table = stdpnet_command("evaluate", "digits-4").stdout
    for word in ("all", "patch", "spikes_first", "linear", "untrained", "pixels", "spikes per image", "silent images"):
        assert word in table
    scores = json.loads((tmp_path / "runs/digits-4/scores.json").read_text())
    assert json.loads(stdpnet_command("evaluate", "digits-4", "--json").stdout) == {
        "run": "runs/digits-4",
        **scores,
        "verdict": verdict(scores),
    }
    info = json.loads(stdpnet_command("info", "digits-4", "--json").stdout)
    assert (info["images"], info["goal"], info["provenance"]["seed"]) == (60, 60, 4)
    assert info["scores"][0]["best"]["linear"] == scores["readouts"]["linear"]["accuracy"]
    assert "LCSNN" in stdpnet_command("info", "digits-4").stdout


def test_the_engine_of_a_run_can_be_chosen_and_is_recorded(stdpnet_command, tmp_path):
    keys = ["--set", "training.images=2", "--set", "simulation.brian2_target=numpy"]
    made = json.loads(
        stdpnet_command("train", "digits", *SMALL, *keys, "--engine", "brian2", "--run", "b", "--json").stdout
    )
    assert made["run"] == "runs/b"
    provenance = json.loads((tmp_path / "runs/b/provenance.json").read_text())
    assert (provenance["engine"], provenance["dtype"]) == ("brian2", "float64")


def test_verify_reports_identical_engines(stdpnet_command):
    keys = ["--set", "topology.channels=4", "--set", "simulation.brian2_target=numpy"]
    result = stdpnet_command("verify", "digits", "--images", "3", *keys)
    assert result.stdout.startswith("identical: ")
    assert result.stdout.strip().endswith("spikes, weights, theta, competition")
    assert int(result.stdout.split()[1]) > 0


def test_config_shows_presets_and_explains_every_key(stdpnet_command, tmp_path):
    assert "lcsnn-25-k12-thesis" in stdpnet_command("config", "list").stdout
    presets = json.loads(stdpnet_command("config", "list", "--json").stdout)["presets"]
    assert "digits" in [preset["name"] for preset in presets]
    shown = stdpnet_command("config", "show", "lcsnn-25-k12", "--set", "plasticity.A_plus=0.5").stdout
    assert "# Time constant of the membrane, ms.\ntau_v = 1070.0" in shown
    assert "A_plus = 0.5" in shown
    (tmp_path / "copy.toml").write_text(shown)
    assert stdpnet_command("config", "show", "copy.toml").stdout == shown
    assert json.loads(stdpnet_command("config", "show", "digits", "--json").stdout)["topology"]["channels"] == 50


def test_data_info_describes_a_set_and_draws_a_contact_sheet(stdpnet_command, tmp_path):
    before = set(tmp_path.iterdir())
    shown = stdpnet_command("data", "info", "digits").stdout
    assert "20 x 20" in shown
    assert set(tmp_path.iterdir()) == before, "nothing is written unasked"
    assert "fashion-mnist" in stdpnet_command("data", "list").stdout
    datasets = json.loads(stdpnet_command("data", "list", "--json").stdout)["datasets"]
    assert "digits" in [dataset["name"] for dataset in datasets]
    info = json.loads(stdpnet_command("data", "info", "digits", "--json", "--sheet", "other.png").stdout)
    assert info["shape"] == [20, 20]
    assert (tmp_path / "other.png").read_bytes().startswith(b"\x89PNG")
    assert "never overwritten" in stdpnet_command("data", "info", "digits", "--sheet", "other.png", code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nothing"], "nothing: neither a .toml file nor a preset"),
        (["train", "digits", "--set", "plasticity.A_pls=1"], "did you mean 'A_plus'?"),
        (["train", "digits", "--engine", "nest"], "simulation.engine: input should be 'numba' or 'brian2', got 'nest'"),
        (["train", "digits", "--set", "dataset.crop=40"], "dataset.crop"),
        (["train", "digits", "--set", "dataset.calibration=5000"], "calibration"),
        (["train", "digits", "--set", "dataset.name=folder", "--set", "dataset.path=absent"], "absent"),
        (["evaluate", "absent"], "runs/absent: no run here"),
        (["train", "x" * 300], "neither a .toml file nor a preset"),
        (["train", "digits", "--run", "x" * 300], "cannot be created (File name too long)"),
        (["info", "x" * 300], "no run here"),
        (["info", "absent"], "runs/absent: no run here"),
        (["data", "info", "mnits"], "name: input should be 'digits'"),
        (["data", "info", "digits", "--crop", "64"], "crop: 64 is larger than the images of digits"),
        (["data", "fetch", "digits"], "digits"),
        (["evaluate", "absent", "--split", "train"], "--split: 'train' is not one of 'test', 'validation'; `stdpnet "),
        (["evaluate", "absent", "--C", "0"], "--C: input should be greater than or equal to 0.000000001, got 0; `std"),
        (["resume", "absent", "--images", "x"], "--images: input should be a valid integer, "),
        (["train", "digits", "--sets", "seed=1"], "no such option: --sets"),
        (["train", "digits", "--set"], "option '--set' requires an argument; `stdpnet"),
        (["train"], "missing argument 'CONFIG'; `stdpnet train -h` lists what is valid"),
        (["evaluat", "absent"], "no such command 'evaluat'; did you mean 'evaluate'?"),
        (["train", "digits", "--set", "A_plus=1"], "A_plus: unknown key; did you mean plasticity.A_plus or comp"),
        (["train", "digits", "--set", "training.images=true"], "training.images: input should be a valid integer, got"),
        *(
            (["reproduce", name, "--set", "seed=3"], "--set seed=3: seed is chosen by --seeds")
            for name in ("table2", "diehl-cook", "saunders", "fashion", "labels", "systems")
        ),
        (["train", "digits", "--seeds", "0-1", "--set", "seed=3"], "--set seed=3: seed is chosen by --seeds 0-1; "),
        (
            ["train", "digits", "--seed", "1", "--set", "seed=3"],
            "--set seed=3: seed is chosen by --seed 1; leave this --set out",
        ),
        (
            ["train", "digits", "--engine", "numba", "--set", "simulation.engine=brian2"],
            "--set simulation.engine=brian2: simulation.engine is chosen by --engine numba; leave this --set out",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2_and_writes_nothing(stdpnet_command, tmp_path, arguments, message):
    result = stdpnet_command(*arguments, code=2)
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_help_and_import_load_nothing_heavy():
    code = (
        "import sys, stdpnet, stdpnet.cli\n"
        "heavy = {'numba', 'brian2', 'h5py', 'sklearn', 'matplotlib', 'scipy', 'numpy', 'rich', 'optuna', 'dask'}\n"
        "for command in ([], ['train'], ['config'], ['data']):\n"
        "    stdpnet.cli.app([*command, '--help'], standalone_mode=False)\n"
        "    assert not heavy & set(sys.modules), (command, heavy & set(sys.modules))\n"
        "assert 'train' in dir(stdpnet)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.count("Usage: ") == 4


def test_the_help_says_in_whole_sentences_what_each_command_does(stdpnet_command):
    for group in ([], ["config"], ["data"], ["reproduce"], ["study"]):
        commands = stdpnet_command(*group, "-h").stdout.partition("Commands:")[2]
        assert commands
        assert "..." not in commands
        assert all(entry.rstrip().endswith(".") for entry in re.split(r"\n  (?=\w)", commands.strip()))


def test_a_training_starts_without_what_only_an_analysis_needs():
    code = "import sys, stdpnet.cli.training, stdpnet.training, stdpnet.stdp.engines.compiled.engine\n"
    code += "import stdpnet_analysis.curve\n"
    code += "assert not {'scipy.stats', 'scipy.special', 'sklearn', 'matplotlib', 'brian2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_six_lines_of_python_train_and_evaluate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    import stdpnet
    from stdpnet_analysis import evaluate

    spec = stdpnet.load_config("digits", ["training.images=200", "seed=1"])
    run = stdpnet.train(spec, name="notebook")
    scores = evaluate(run)
    assert scores["readouts"]["linear"]["accuracy"] > 0.7
