"""The galleries: their networks, a row on digits from training to table, and what is refused."""

import json

import pytest

from stdpnet.errors import ConfigError
from stdpnet.runs import Run
from stdpnet_analysis.paper import galleries, gallery_report
from stdpnet_analysis.paper.computing import compute
from stdpnet_analysis.readouts import names_of

SMALL = ["dataset.name=digits", "training.images=80", "topology.channels=8", "dataset.test=100"]
SETS = [word for key in SMALL for word in ("--set", key)]


@pytest.mark.parametrize("name", galleries.GALLERIES)
def test_every_row_is_an_experiment_with_a_read_out_that_is_scored(name, tmp_path):
    gallery = galleries.GALLERIES[name]
    tasks = galleries.plan(name, None, range(3, 5), tmp_path)
    assert [(task.row, task.seed) for task in tasks] == [
        (row, seed) for row in range(1, len(gallery.rows) + 1) for seed in (3, 4)
    ]
    assert len({task.run for task in tasks}) == len(tasks)
    assert [task.baselines for task in tasks[:2]] == [True, False]
    for row in gallery.rows:
        assert row.readout in galleries.READOUTS
        assert row.published is None or 0.5 < row.published < 1


def test_the_networks_have_the_published_sizes(tmp_path):
    def specs(name):
        return [task.spec for task in galleries.plan(name, None, range(1), tmp_path)]

    fully, locally = specs("diehl-cook"), specs("saunders")
    assert [spec.topology.channels for spec in fully] == [100, 400, 1600, 6400]
    assert {spec.geometry.positions for spec in fully} == {1}
    sizes = [(spec.topology.channels, spec.topology.kernel, spec.topology.stride) for spec in locally]
    assert sizes == [(25, 12, 4), (50, 12, 4), (100, 12, 4), (200, 16, 2), (500, 16, 2), (1000, 16, 2)]
    assert {spec.training.images for spec in (*fully, *locally)} == {60_000}
    assert {spec.geometry.positions for spec in locally} == {9}


def test_a_row_is_trained_scored_and_printed_and_then_cached(client, stdpnet_command, tmp_path):
    folder = tmp_path / "runs/diehl-cook"
    tasks = galleries.plan("diehl-cook", [2], range(1), folder, SMALL)
    compute(tasks, client)
    result = tasks[0].result()
    assert {name for column in galleries.READOUTS for name in names_of(column)} <= set(result["accuracy"])
    printed = stdpnet_command("reproduce", "diehl-cook", "--rows", "2", *SETS, "--json").stdout
    found = json.loads(printed)
    assert (found["computed"], found["cached"], found["complete"]) == (0, 1, True)
    (row,) = found["rows"]
    assert row["published"] == {"mean": 0.870, "sd": None}
    assert row["readouts"]["assigned"]["mean"] == result["accuracy"]["assigned"]
    assert row["untrained"]["linear"]["mean"] == result["untrained"]["linear"]
    assert row["seconds"][0] > 0
    text = gallery_report.usual_path("diehl-cook", tasks, folder).read_text()
    assert "| 2 | FCSNN 8 | 80 | 87.0 (assigned) |" in text
    assert f"| {100 * result['accuracy']['n_gram']:.1f} |" in text


def test_labels_are_counted_for_the_first_seed_alone(client, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery_report, "DRAWS", 2)
    tasks = galleries.plan("labels", [1], range(1), tmp_path, SMALL)
    compute(tasks, client)
    done = []
    text = gallery_report.label_table(tasks, done.append)
    assert done == tasks
    assert "### LCSNN 8/12\n\n| read-out | 10 | 20 | 50 | 100 | 200 | " in text
    curve = json.loads((Run.open(tasks[0].run).path / "labels.json").read_text())
    assert f"| linear read-out | {100 * curve['trained']['linear'][0]['mean']:.1f} ± " in text
    assert "| untrained, log evidence |" in text
    assert gallery_report.label_table(tasks, done.append) == text
    assert len(done) == 1, "kept curves are not computed again"


def test_rows_that_a_gallery_has_not_are_refused(stdpnet_command, tmp_path):
    assert (
        "--rows 7: saunders has the rows 1 to 6"
        in stdpnet_command("reproduce", "saunders", "--rows", "7", code=2).stderr
    )
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="rows 1 to 4"):
        galleries.plan("diehl-cook", [0], range(1), tmp_path)
