"""What is installed with an extra only: one sentence where it is missing, and all the rest works without it."""

import json
import sys
import tomllib
from pathlib import Path

import pytest

from stdpnet.errors import ExtraError
from stdpnet.extras import EXTRAS, require
from tests.processes import completed

HIDDEN = sorted({*(name for names in EXTRAS.values() for name in names), "dask", "sqlalchemy"})
KEYS = [
    "training.images=100",
    "topology.channels=10",
    "dataset.validation=100",
    "curve.every=50",
    "curve.validation=100",
]
EACH = Path(__file__).with_name("each.py")
STUDY = (
    '[base]\nconfig = "digits"\nset = ["dataset.validation=100"]\n[space]\n"neuron.tau_v" = { low = 10, high = 20 }\n'
)


MISSING = [
    ("sweeps", ["sweep", "study.toml"]),
    ("sweeps", ["study", "x"]),
    ("sweeps", ["reproduce", "table2"]),
    ("sweeps", ["train", "digits", "--run", "b", "--scheduler", "tcp://127.0.0.1:1"]),
    ("sweeps", ["resume", "a", "--images", "500", "--scheduler", "tcp://127.0.0.1:1"]),
    ("sweeps", ["evaluate", "a", "--scheduler-file", "absent.json"]),
    ("report", ["report", "a"]),
    ("inspect", ["inspect", "."]),
    ("nir", ["export", "a", "a.nir"]),
    ("tensorboard", ["train", "digits", "--run", "b", "--set", "progress.tensorboard=true"]),
]
COMMANDS = [
    ["train", "digits", "--run", "a", *[part for key in KEYS for part in ("--set", key)]],
    *[words for _, words in MISSING],
    ["evaluate", "a", "--json"],
    ["info", "a", "--json"],
    ["watch", "a", "--json"],
    ["runs", "--json"],
    ["compare", "a", "--json"],
    ["figures", "a", "learning-curve"],
    ["resume", "a", "--images", "150"],
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Exit code, output, errors and files of each command, where no package of an extra can be imported."""
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "study.toml").write_text(STUDY)
    done = completed([EACH, json.dumps(COMMANDS)], folder, hidden=HIDDEN)
    assert done.returncode == 0, done.stderr
    return dict(zip(map(tuple, COMMANDS), json.loads(done.stdout), strict=True))


def test_training_scores_and_figures_need_no_extra(results):
    working = [words for words in COMMANDS if words not in [words for _, words in MISSING]]
    printed = {}
    for words in working:
        code, printed[words[0]], errors, _ = results[tuple(words)]
        assert code == 0, errors
    assert json.loads(printed["evaluate"])["readouts"]["linear"]["accuracy"] > 0.5
    assert json.loads(printed["info"])["images"] == 100
    assert json.loads(printed["watch"])["state"] == "finished"
    assert [row["name"] for row in json.loads(printed["runs"])["runs"]] == ["a"]
    assert json.loads(printed["compare"])
    assert printed["figures"].strip().endswith("learning-curve.png")


@pytest.mark.parametrize(("extra", "words"), MISSING)
def test_a_missing_extra_is_one_sentence_that_names_it_and_writes_nothing(results, extra, words):
    code, _, error, files = results[tuple(words)]
    assert code == 2, error
    assert f"{', '.join(EXTRAS[extra])}: not installed; `pip install 'stdpnet[{extra}]'`" in error
    assert error.count("\n") == 1
    assert files == results[tuple(COMMANDS[0])][3], "those of the training"


@pytest.mark.parametrize(("extra", "name"), [(extra, name) for extra, names in EXTRAS.items() for name in names])
def test_each_package_of_an_extra_is_asked_for(monkeypatch, extra, name):
    require(extra)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ExtraError, match=f"^{name}: not installed"):
        require(extra)


def test_the_extras_are_those_that_the_package_declares():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    declared = project["optional-dependencies"]
    for extra, names in EXTRAS.items():
        assert sorted(text.split(">=")[0] for text in declared[extra]) == sorted(names)
    assert declared["all"] == [f"stdpnet[{','.join(EXTRAS)}]"]
    assert not {text.split(">=")[0] for text in project["dependencies"]} & {*HIDDEN}


@pytest.mark.parametrize("package", ["stdpnet", "analysis/stdpnet_analysis"])
def test_a_package_says_that_it_is_typed(package):
    assert (Path(__file__).parents[1] / package / "py.typed").exists()
