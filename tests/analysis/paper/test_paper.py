"""The scripts of analysis/paper: each has a figure, trains only what is missing, and overwrites no other run."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import stdpnet
from stdpnet.runs import Run
from stdpnet.stdp.spec.presets import TABLE_2
from stdpnet_analysis.figures.architecture import plot_architecture
from stdpnet_analysis.paper import harness
from stdpnet_analysis.view import RunView
from tests.processes import completed

PAPER = Path(__file__).parents[3] / "analysis/paper"
OWN = ("all", "homeostasis", "competition", "open_road")
SCRIPTS = sorted(path.name for path in PAPER.glob("*.py") if path.stem not in OWN)
TINY = ["dataset.name=digits", "dataset.validation=40", "topology.channels=4", "simulation.duration=50"]
TINY += ["dataset.calibration=60", "dataset.test=60"]
CURVE = ["--set", "curve.every=20", "--set", "curve.validation=40", "--set", "curve.calibration=40"]
SWEEP = """
[base]
config = "digits"
set = ["training.images=20", "topology.channels=4", "dataset.validation=100", "dataset.calibration=200"]
[space]
"plasticity.A_plus" = { low = 0.001, high = 0.03, log = true }
[budget]
trials = 2
"""
KEYS = [word for key in TINY for word in ("--set", key)]


def script(name, folder, *arguments, code=0):
    result = completed([PAPER / name, "--images", "20", *KEYS, *arguments], folder, 600)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("paper")


def test_the_readme_maps_every_script():
    text = (PAPER / "README.md").read_text()
    assert set(re.findall(r"`(\w+\.py)` \| `", text)) == set(SCRIPTS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["figure_07.py", "--set", "seed=3"], "--set seed=3: seed is chosen by --seeds"),
        (["competition.py", "--set", "seed=3"], "--set seed=3: seed is chosen by --seeds"),
        (
            ["all.py", "--images", "9", "--set", "training.images=8"],
            "--set training.images=8: training.images is chosen by --images 9",
        ),
    ],
)
def test_a_key_that_another_option_chooses_is_one_sentence(tmp_path, words, message):
    name, *arguments = words
    done = completed([PAPER / name, *arguments], tmp_path)
    assert (done.returncode, done.stderr) == (2, f"error: {message}; leave this --set out\n")
    assert not list(tmp_path.iterdir())


def test_the_comparison_of_competitions_tests_each_kind_and_computes_nothing_twice(tmp_path):
    keys = [*KEYS, "--set", "training.images=20", "--set", "dataset.calibration=100"]
    command = [PAPER / "competition.py", "--trials", "1", "--seeds", "2", *keys, "--networks"]
    seen = {}
    for _ in range(2):
        done = completed([*command, "csnn-81-k12"], tmp_path, 600)
        assert done.returncode == 0, done.stderr
        folder = tmp_path / "runs/competition"
        states = {path: path.stat().st_mtime_ns for path in folder.rglob("checkpoint.h5")}
        assert len(states) == 6 * (1 + 2)
        text = (folder / "competition.md").read_text()
        for kind in ("none", "anti-STDP", "anti-STDP, two-step", "rate target", "anti-Hebbian"):
            assert re.search(rf"^\| {kind} \| [\d.]+ \| [\d.]+ ± [\d.]+ \| [+-][\d.]+ \[", text, re.MULTILINE), kind
        assert (folder / "competition.png").stat().st_size > 5000
        assert seen in ({}, states)
        seen = states
    wrong = completed([*command, "mlp"], tmp_path)
    assert wrong.returncode == 2
    assert "--networks mlp: unknown; choose from lcsnn-25-k12" in wrong.stderr


def test_the_open_road_reads_several_networks_out_together(tmp_path):
    keys = [*KEYS, "--set", "training.images=20", "--set", "training.pool=10", "--set", "dataset.calibration=100"]
    command = [PAPER / "open_road.py", "k8", "k12", "k16", *keys]
    for _ in range(2):
        done = completed(command, tmp_path, 600)
        assert done.returncode == 0, done.stderr
    text = (tmp_path / "runs/open-road/open-road.md").read_text()
    for name in ("k8", "k12", "k16"):
        assert re.search(rf"^\| {name} \| digits, LCSNN 4/{name[1:]}, .* \| 10 x 2 \| 100 \| ", text, re.MULTILINE), (
            name
        )
    assert re.search(r"^\| k8\+k12\+k16 \| side by side \| .* \| – \| \d", text, re.MULTILINE)


def test_the_whole_set_is_written_and_nothing_is_trained_twice(folder):
    first = script("all.py", folder, *CURVE, "--trials", "2")
    written = [Path(line) for line in first.stdout.split()]
    assert len(written) == 1 + len(SCRIPTS), "Table 2 and all figures"
    assert all((folder / path).stat().st_size > 500 for path in written)
    expected = set(re.findall(r"`((?:table|figure|accuracy)-[\w-]+)(?:\.md)?` \|", (PAPER / "README.md").read_text()))
    assert {path.stem for path in written} == expected
    states = {path: path.stat().st_mtime_ns for path in (folder / "runs/paper").rglob("checkpoint.h5")}
    others = {"steady": 2, "Figure 4": 1, "Figure 9": 2, "regimes": 4, "clamps, three seeds": 9, "trials": 2}
    assert len(states) == 12 + sum(others.values())
    table = (folder / "runs/paper/table-2.md").read_text()
    assert table.count("LCSNN") >= 10, "accuracies, sizes"
    assert "| row | network | vote: thesis |" in table
    assert "synapses YY" in table
    again = script("figure_07.py", folder, *CURVE, "--seeds", "2")
    assert "csnn-100-k8-seed1-" in again.stderr
    assert states.items() <= {path: path.stat().st_mtime_ns for path in states}.items()


def test_a_script_takes_runs_of_ones_own(folder):
    spec = stdpnet.load_config("digits", [*TINY[2:4], "training.images=5", "competition.rule=anti_stdp"])
    run = stdpnet.train(spec, folder / "own")
    made = script("figure_10.py", folder, run.path, "--format", "svg", "--folder", "elsewhere")
    assert made.stdout.strip() == "elsewhere/figure-10-competition-weights.svg"
    assert "<svg" in (folder / made.stdout.strip()).read_text()
    assert not (folder / "elsewhere/runs").exists(), "nothing was trained"


def test_a_run_of_something_else_in_the_way_is_named_and_kept(folder):
    spec = stdpnet.load_config("lcsnn-25-k12-steady", [*TINY, "training.images=1", "neuron.tau_v=7"])
    run = stdpnet.train(spec, folder / "other/runs/lcsnn-25-k12-steady-0")
    result = script("figure_06.py", folder, "--folder", "other", code=2)
    assert "with neuron.tau_v = 7.0 instead of 100.0; remove it, or choose another folder" in result.stderr
    assert Run.open(run.path).images == 1


def test_figure_3_has_a_threshold_that_adapts_and_a_network_that_stays(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(PAPER)
    figure_03 = import_module("figure_03")
    spec = stdpnet.load_config("digits", [*TINY[2:4], "training.images=5", "neuron.v_thresh=-64.0"])
    view = RunView(stdpnet.train(spec, tmp_path / "run"))
    before = view.state.digest()
    above, below = figure_03.draw([view]).axes
    threshold, spikes = above.lines[0].get_ydata(), below.lines[2].get_xdata()
    assert len(spikes) > 1
    rise = len(spikes) * spec.neuron.theta_plus
    assert 0 <= rise - (threshold.max() - threshold.min()) <= 1.01 * spec.neuron.theta_plus
    np.testing.assert_array_equal(threshold, below.lines[1].get_ydata())
    assert view.state.digest() == before


def test_figure_12_draws_a_sweep(folder):
    (folder / "sweep.toml").write_text(SWEEP)
    swept = completed(["stdpnet", "sweep", "sweep.toml", "--dir", "runs/swept", "--workers", "1"], folder)
    assert swept.returncode == 0, swept.stderr
    made = completed([PAPER / "figure_12.py", "swept", "--format", "svg"], folder)
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == "runs/paper/figure-12-parallel-coordinates.svg"
    assert "<svg" in (folder / made.stdout.strip()).read_text()
    lost = completed([PAPER / "figure_12.py", "nowhere", "--format", "svg"], folder)
    assert lost.returncode == 2
    assert lost.stderr.startswith("error: ")
    assert len(lost.stderr.splitlines()) == 1


@pytest.mark.parametrize(("name", "positions"), [("lcsnn-25-k12", 5), ("csnn-25-k8", 5), ("fcsnn-100", 1)])
def test_the_scheme_shows_the_receptive_fields_where_they_are(name, positions):
    geometry = stdpnet.load_config(name).geometry
    scheme = plot_architecture(Figure().subplots(), geometry)
    assert len(scheme.windows) == len(scheme.neurons) == positions
    assert all(len(neurons) == 4 for neurons in scheme.neurons)
    corners = [(window.get_y(), window.get_x(), window.get_height()) for window in scheme.windows]
    np.testing.assert_allclose(corners[0], (0, 0, geometry.kernel), atol=0.01)
    if positions > 1:
        last = geometry.side - geometry.kernel
        np.testing.assert_allclose(corners[-1], (last, last, geometry.kernel), atol=1.01)
        colours = {window.get_edgecolor() for window in scheme.windows}
        assert len(colours) == (1 if geometry.shared else positions)


def test_only_the_networks_whose_curves_are_shown_have_one(monkeypatch):
    monkeypatch.syspath_prepend(PAPER)
    figure_7 = import_module("figure_07").FIGURE
    tasks = harness.table_tasks(list(TABLE_2), harness.options_of("", [], runs=False), 1)
    with_curve = {TABLE_2[task.row].name for task in tasks if task.spec.curve.every}
    assert with_curve == {network.preset for network in figure_7.networks} == set(harness.WITH_CURVE)
