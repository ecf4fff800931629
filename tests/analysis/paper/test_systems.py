import json

import pytest

from stdpnet import operating
from stdpnet.errors import ConfigError
from stdpnet.model import facts_of
from stdpnet.runs import Run
from stdpnet_analysis.paper import published_systems, systems
from stdpnet_analysis.statistics import summarise

SMALL = {
    "bptt": ["dataset.name=digits", "network.hidden=4", "training.images=64", "simulation.steps=10"],
    "kmeans": ["dataset.name=digits", "topology.channels=4", "training.images=20"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of finished runs of two small systems."""
    folder = tmp_path_factory.mktemp("systems")
    for name, overrides in SMALL.items():
        tasks = systems.plan([name], 1, folder, overrides)
        for task in tasks if name == "bptt" else tasks[:1]:
            assert task.result() is None
            assert task.perform()
    return folder


def rows(folder, name, seeds=1):
    return systems.summary(systems.plan([name], seeds, folder, SMALL[name]))


def test_every_system_has_presets_of_both_sets(tmp_path):
    tasks = systems.plan(systems.SYSTEMS, 2, tmp_path)
    assert len(tasks) == 4 * len(systems.SYSTEMS)
    assert len({task.run for task in tasks}) == len(tasks)
    for task in tasks:
        assert (task.spec.dataset.name, task.spec.seed) == (task.dataset, task.seed)
        assert len(task.points) == (3 if task.dataset == "mnist" else 1)
    with pytest.raises(ConfigError, match="--systems perceptron: is unknown; choose among lcsnn"):
        systems.plan(["perceptron"], 1, tmp_path)


def test_rows_say_what_the_scores_of_the_runs_say(folder):
    (row,) = rows(folder, "bptt")
    task = systems.plan(["bptt"], 1, folder, SMALL["bptt"])[0]
    run = Run.open(task.run)
    assert row["accuracy"]["MNIST"].mean == run.load_scores()["readouts"]["own"]["accuracy"]
    assert row["spikes_per_image"] == run.load_scores()["spikes_per_image"]
    for name, key in (("rotated", "rotation"), ("random background", "background")):
        point = operating.resolved(task.spec, systems.CONDITIONS[name][1])
        scores = run.load_scores(point=operating.label(point))
        assert scores["protocol"]["at"][f"dataset.distortion.{key}"] > 0
        assert row["accuracy"][name].mean == scores["readouts"]["own"]["accuracy"]
    assert (row["supervised"], row["labels"], row["synapses"], row["seeds"]) == (True, 64, 784 * 4 + 40, [0])
    assert row["training_seconds"] > 0


def test_what_learns_without_labels_is_calibrated_with_some(folder):
    found = rows(folder, "kmeans")
    assert [row["readout"] for row in found] == list(systems.UNSUPERVISED)
    assert all((row["supervised"], row["labels"], row["spikes_per_image"]) == (False, 359, None) for row in found)


def test_what_is_not_there_yet_is_left_open(folder):
    (row,) = rows(folder, "bptt", seeds=2)
    assert row["seeds"] == [0]
    text = systems.table(systems.summary(systems.plan(["lcsnn"], 1, folder))).rows
    assert set(text[0][2:6]) == {"–"}
    summed = [{**row, "accuracy": dict.fromkeys(systems.CONDITIONS, summarise([0.5, 0.6]))}]
    assert systems.table(summed).rows[0][2] == "55.0 ± 7.1"


def test_published_figures_stand_beside_the_nearest_system():
    nearest = [each.nearest for each in published_systems.PUBLISHED if each.nearest]
    assert all(readout in systems.SYSTEMS[name].readouts for name, readout in nearest)
    accuracy = {"MNIST": summarise([0.95, 0.97]), "Fashion-MNIST": None}
    row = {"system": "colanet-kernels", "readout": "own", "name": "CoLaNET 15 on 28/9", "accuracy": accuracy}
    cells = {row[0]: row[1:] for row in published_systems.table([row]).rows}
    found = cells["CSNN: learned kernels and CoLaNET"]
    assert found == ["91.58 ± 1.1", "–", "arXiv 2505.08514", "CoLaNET 15 on 28/9, own answer", "96.0 ± 1.4", "–"]
    assert cells["CNN2: convolution 28 of 9 x 9, dense"][0] == "92.34 ± 0.42"
    assert cells["CNN2: convolution 28 of 9 x 9, dense"][3:] == ["–", "–", "–"]


def test_systems_of_one_label_differ_in_the_table(tmp_path):
    labels = {
        facts_of(task.spec).label + systems.SYSTEMS[task.system].remark
        for task in systems.plan(systems.SYSTEMS, 1, tmp_path)
    }
    assert len(labels) >= len(systems.SYSTEMS)


def test_the_command_prints_what_is_cached(folder, stdpnet_command):
    keys = [part for key in SMALL["bptt"] for part in ("--set", key)]
    command = ["reproduce", "systems", "--systems", "bptt", "--seeds", "1", "--dir", folder, *keys]
    said = stdpnet_command(*command).stdout
    assert "BPTT 784-4-10, own answer" in said
    assert "| ULSNN: Diehl & Cook 2015 | 78.30 ± 0.28 |" in said
    assert "0 networks computed, 2 cached" in said
    assert "BPTT 784-4-10" in (folder / "systems.md").read_text()
    told = json.loads(stdpnet_command(*command, "--json").stdout)
    assert told["published"][0]["neovision2"] == "94.35 ± 0.32"
    assert told["rows"][0]["accuracy"]["rotated"]["sd"] is None
    wrong = stdpnet_command("reproduce", "systems", "--systems", "x", code=2).stderr
    assert "--systems x: is unknown" in wrong
