"""`stdpnet figures`: what it writes, what it lists, how it answers mistakes."""

import json
from functools import partial

import pytest

import stdpnet
from stdpnet_analysis.figures import FIGURES
from stdpnet_analysis.figures.learning import group_by_seed
from stdpnet_analysis.view import RunView

KEYS = ["training.images=40", "topology.channels=4", "dataset.validation=40", "simulation.duration=100.0"]


def train(path, *overrides):
    return stdpnet.train(stdpnet.load_config("digits", [*KEYS, *overrides]), path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def command(stdpnet_command):
    return partial(stdpnet_command, "figures")


def test_all_available_figures_are_written_in_every_format_asked_for(command, run):
    out = command(run.path, "--format", "png,svg", "--dpi", "60").stdout
    written = {path.name for path in (run.path / "figures").iterdir()}
    for name in ("receptive-fields", "raster", "membrane", "progress", "plasticity-window"):
        assert {f"{name}.png", f"{name}.svg"} <= written
        assert str(run.path / "figures" / f"{name}.svg") in out
    assert not any(name.startswith(".") for name in written), "no drafts are left"
    assert "left out: receptive-fields-by-class, " in out
    assert "--list` says why" in out


def test_dpi_sets_the_size_of_a_png(command, run):
    from PIL import Image

    sizes = []
    for dpi in (60, 120):
        command(run.path, "raster", "--dpi", dpi)
        with Image.open(run.path / "figures" / "raster.png") as image:
            sizes.append(image.width)
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=2)


def test_the_list_names_every_figure_and_what_is_missing(command, run):
    text = command(run.path, "--list").stdout
    for name, figure in FIGURES.items():
        assert f"{name} " in text
        assert figure.description in text
    assert f"not available: no responses yet; `stdpnet evaluate {run.path}` makes them" in text
    rows = {row["name"]: row for row in json.loads(command(run.path, "--list", "--json").stdout)["figures"]}
    assert list(rows) == list(FIGURES)
    assert (rows["raster"]["available"], rows["raster"]["reason"]) == (True, None)
    assert not rows["clamping"]["available"]


def test_json_names_the_files(command, run):
    content = json.loads(command(run.path, "raster", "input", "--format", "svg", "--json").stdout)
    assert content == {"run": str(run.path), "files": [str(run.path / f"figures/{n}.svg") for n in ("raster", "input")]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rastr"], "error: figures: 'rastr' is unknown; did you mean 'raster'?"),
        (["zzz"], "error: figures: 'zzz' is unknown; choose among receptive-fields"),
        (["raster", "--format", "gif"], "error: --format gif: 'gif' is unknown; choose among png, pdf, svg"),
        (["--image", "100000"], "error: --image 100000: there are"),
        (["--neuron", "36"], "error: --neuron 36: there are 36; choose one of 0..35"),
        (["--snapshot", "bset"], "bset.h5: no such snapshot"),
        (["raster", "votes"], "no figure 'votes': no responses yet; `stdpnet evaluate"),
        (["raster", "--beside", "nowhere"], "nowhere: no run here"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(command, tmp_path, arguments, message):
    run = train(tmp_path / "run", "training.images=1")
    output = command(run.path, *arguments, code=2)
    assert message in output.stderr
    assert "Traceback" not in output.stderr
    assert not list((run.path / "figures").glob("*.*")) if (run.path / "figures").exists() else True


def test_a_folder_that_cannot_be_made_is_named(command, tmp_path):
    run = train(tmp_path / "run", "training.images=1")
    (run.path / "figures").write_text("in the way")
    assert "figures: cannot be made" in command(run.path, "raster", code=2).stderr


def test_runs_that_differ_in_the_seed_only_are_one_group_and_others_are_told_apart(tmp_path):
    runs = [
        train(tmp_path / f"{number}", *keys)
        for number, keys in enumerate(([], ["seed=1"], ["neuron.tau_v=50"], ["topology.channels=3"]))
    ]
    groups = group_by_seed([RunView(run) for run in runs])
    assert {name: len(members) for name, members in groups.items()} == {
        "LCSNN 4/12, neuron.tau_v = 100.0": 2,
        "LCSNN 4/12, neuron.tau_v = 50.0": 1,
        "LCSNN 3/12": 1,
    }
