"""`stdpnet compare`: what it takes, what it writes, how it answers mistakes."""

import json
from functools import partial

import pytest

from tests.analysis.scored_runs import scored_run


@pytest.fixture
def command(stdpnet_command, tmp_path):
    """Return `stdpnet compare` in a folder with four scored runs."""
    for seed in (0, 1):
        scored_run(tmp_path / f"runs/large-{seed}", f"seed={seed}", vote=0.8 + 0.1 * seed)
        scored_run(tmp_path / f"runs/small-{seed}", f"seed={seed}", "topology.channels=9", vote=0.7)
    return partial(stdpnet_command, "compare")


def names(output):
    return [group["name"] for group in json.loads(output.stdout)["groups"]]


def test_runs_are_named_one_by_one_by_pattern_or_by_folder(command, tmp_path):
    assert names(command("large-0", "runs/small-1", "--json")) == ["LCSNN 50/12", "LCSNN 9/12"]
    assert names(command("runs/large-*", "--json")) == ["LCSNN 50/12"]
    assert names(command("large-*", "--json")) == ["LCSNN 50/12"], "a bare pattern is one below runs/"
    assert names(command("runs/", "--json")) == ["LCSNN 50/12", "LCSNN 9/12"]
    twice = json.loads(command("large-0", tmp_path / "runs/large-0", "runs/large-?", "--json").stdout)
    assert twice["groups"][0]["seeds"] == [0, 1]


def test_the_table_shows_accuracy_sizes_and_tests(command):
    text = command("runs/").stdout
    for word in (
        "LCSNN 50/12",
        "85.0 ± 7.1",
        "patch",
        "untrained",
        "pixels",
        "synapses XY",
        "64\u202f800",
        "+15.00",
        "Holm",
    ):
        assert word in text


def test_readouts_chooses_the_columns(command):
    text = command("runs/", "--readouts", "vote, all").stdout
    assert "untrained all" in text
    assert "linear" not in text.split("pixels")[0]
    assert (
        "--readouts: 'loudest' is unknown; choose among vote"
        in command("runs/", "--readouts", "loudest", code=2).stderr
    )


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("md", "**Accuracy"), ("csv", "name,architecture"), ("tex", "% Accuracy"), ("json", "{"), ("txt", "Accuracy")],
)
def test_a_file_has_the_format_of_its_ending(command, tmp_path, ending, begins):
    path = tmp_path / f"table.{ending}"
    assert command("runs/", "--output", path).stdout.strip() == str(path)
    assert path.read_text().startswith(begins)


def test_format_chooses_what_is_printed(command):
    assert command("runs/", "--format", "latex").stdout.startswith("% Accuracy")
    assert command("runs/", "--format", "csv").stdout.startswith("name,")


def test_nothing_is_overwritten(command, tmp_path):
    path = tmp_path / "table.md"
    path.write_text("precious")
    for option in ("--output", "--figure"):
        assert "exists already and is never overwritten" in command("runs/", option, path, code=2).stderr
    assert path.read_text() == "precious"


def test_a_folder_here_may_be_named_without_a_slash(command):
    assert command("runs").stdout == command("runs/").stdout


def test_no_number_of_a_table_is_cut(command):
    text = command("runs/", "--readouts", "vote,log_evidence,naive_bayes,proportion,assigned,n_gram,linear").stdout
    assert text.splitlines()[1].count("┳") >= 14
    assert "untrained linear" in text
    assert "…" not in text


def test_the_figure_is_written(command, tmp_path):
    command("runs/", "--figure", tmp_path / "claim.svg")
    assert "<svg" in (tmp_path / "claim.svg").read_text()


def test_a_run_that_cannot_be_read_is_one_sentence_and_the_others_are_compared(command, tmp_path):
    bad = tmp_path / "runs/bad"
    bad.mkdir()
    (bad / "config.toml").write_text("topology = nonsense")
    unscored = scored_run(tmp_path / "runs/unscored", "seed=3")
    (unscored.path / "scores.json").unlink()
    output = command("runs/")
    assert f"left out: {bad.relative_to(tmp_path)}: " in output.stdout
    assert "left out: runs/unscored: no scores on test images; " in output.stdout
    assert "`stdpnet evaluate runs/unscored`" in output.stdout
    assert "left out: runs/bad" in command("runs/", "--format", "csv").stderr, "csv has no place for it"
    content = json.loads(command("runs/", "--json").stdout)
    assert {each["run"] for each in content["left_out"]} == {"runs/bad", "runs/unscored"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no run here"),
        (["runs/x*"], "runs/x*: no run matches"),
        (["runs/", "--split", "validation"], "no scores on validation images"),
        (["runs/", "--snapshot", "best"], "--snapshot best`"),
        (["runs/", "--output", "no/such/folder.md"], "the folder no/such does not exist"),
        (["runs/", "--figure", "claim.bmp"], "claim.bmp: '.bmp' is unknown; choose among .png, .pdf, .svg"),
    ],
)
def test_a_mistake_is_one_sentence(command, arguments, message):
    assert message in command(*arguments, code=2).stderr


def test_runs_with_scores_on_validation_images_alone_are_a_sentence_each_that_says_so(command, tmp_path):
    for seed in (0, 1):
        scored_run(tmp_path / f"runs/tuned-{seed}", f"seed={seed}", split="validation")
    found = command("tuned-*", code=2).stderr.splitlines()
    assert len(found) == 2
    assert all(line.endswith("--split validation compares those that it has on validation images") for line in found)
    assert names(command("tuned-*", "--split", "validation", "--json")) == ["LCSNN 50/12"]
