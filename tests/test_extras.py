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
KEYS = ["training.images=100", "topology.channels=10", "dataset.validation=100", "curve.every=50"]
STUDY = (
    '[base]\nconfig = "digits"\nset = ["dataset.validation=100"]\n[space]\n"neuron.tau_v" = { low = 10, high = 20 }\n'
)


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "study.toml").write_text(STUDY)

    def call(*arguments, code=0):
        done = completed(["stdpnet", *arguments], folder, hidden=HIDDEN)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    call.folder = folder
    call("train", "digits", "--run", "a", *[part for key in [*KEYS, "curve.validation=100"] for part in ("--set", key)])
    return call


def test_training_scores_and_figures_need_no_extra(hidden):
    assert json.loads(hidden("evaluate", "a", "--json").stdout)["readouts"]["linear"]["accuracy"] > 0.5
    assert json.loads(hidden("info", "a", "--json").stdout)["images"] == 100
    assert json.loads(hidden("watch", "a", "--json").stdout)["state"] == "finished"
    assert [row["name"] for row in json.loads(hidden("runs", "--json").stdout)["runs"]] == ["a"]
    assert json.loads(hidden("compare", "a", "--json").stdout)
    assert hidden("figures", "a", "learning-curve").stdout.strip().endswith("learning-curve.png")
    hidden("resume", "a", "--images", "150")


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ("sweeps", ["sweep", "study.toml"]),
        ("sweeps", ["study", "x"]),
        ("sweeps", ["reproduce", "table2"]),
        ("sweeps", ["train", "digits", "--run", "b", "--scheduler", "tcp://127.0.0.1:1"]),
        ("sweeps", ["resume", "a", "--images", "500", "--scheduler", "tcp://127.0.0.1:1"]),
        ("sweeps", ["evaluate", "a", "--scheduler-file", "absent.json"]),
        ("report", ["report", "a"]),
        ("nir", ["export", "a", "a.nir"]),
    ],
)
def test_a_missing_extra_is_one_sentence_that_names_it_and_writes_nothing(hidden, extra, arguments):
    before = sorted(hidden.folder.rglob("*"))
    error = hidden(*arguments, code=2).stderr
    assert f"{', '.join(EXTRAS[extra])}: not installed; `pip install 'stdpnet[{extra}]'`" in error
    assert error.count("\n") == 1
    assert sorted(hidden.folder.rglob("*")) == before


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
