"""Runs side by side: which are repetitions of which, what the rows say, and in what form."""

import csv
import io
import json
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

import stdpnet
from stdpnet.errors import ConfigError
from stdpnet.runs import Run
from stdpnet.stdp.spec.presets import TABLE_2
from stdpnet_analysis import tables
from stdpnet_analysis.compare import LeftOut, compare
from stdpnet_analysis.figures.comparison import Family, SizedAccuracy, accuracy_vs_synapses, plot_accuracy_vs_synapses
from stdpnet_analysis.statistics import Summary
from tests.analysis.scored_runs import scored_run

FAMILY = Family("LCSNN", 12)
ACCURACIES = (0.80, 0.82, 0.84, 0.86, 0.88)
SYNAPSES = {
    "lcsnn-1000-k12": (1_296_000, 8_991_000),
    "lcsnn-100-k12": (129_600, 89_100),
    "lcsnn-100-k8": (102_400, 158_400),
    "lcsnn-25-k12-learned": (32_400, 5_400),
    "lcsnn-25-k12": (32_400, 5_400),
    "lcsnn-25-k8": (25_600, 9_600),
    "csnn-169-k12": (24_336, 255_528),
    "csnn-81-k12": (11_664, 58_320),
    "csnn-100-k8": (6_400, 158_400),
    "csnn-25-k12": (3_600, 5_400),
    "csnn-25-k8": (1_600, 9_600),
    "fcsnn-100": (40_000, 9_900),
}
TOTALS = {
    "lcsnn-1000-k12": 10_287_000,
    "lcsnn-100-k12": 218_700,
    "lcsnn-100-k8": 260_800,
    "lcsnn-25-k12-learned": 37_800,
    "lcsnn-25-k12": 37_800,
    "lcsnn-25-k8": 35_200,
    "csnn-169-k12": 279_864,
    "csnn-81-k12": 69_984,
    "csnn-100-k8": 164_800,
    "csnn-25-k12": 9_000,
    "csnn-25-k8": 11_200,
    "fcsnn-100": 49_900,
}
"""docs/model.md, Topology."""


@pytest.fixture(scope="module")
def two_groups(tmp_path_factory):
    """LCSNN 50/12 and 20/12, five seeds each; the second is 1 to 5 points worse."""
    folder = tmp_path_factory.mktemp("runs")
    runs = []
    for seed, accuracy in enumerate(ACCURACIES):
        runs.append(scored_run(folder / f"large-{seed}", f"seed={seed}", vote=accuracy, linear=accuracy + 0.05))
        worse = accuracy - 0.01 * (seed + 1)
        keys = (f"seed={seed}", "topology.channels=20")
        runs.append(scored_run(folder / f"small-{seed}", *keys, vote=worse, linear=accuracy + 0.05))
    return runs


@pytest.fixture(scope="module")
def comparison(two_groups):
    return compare(two_groups)


def test_mean_deviation_and_number_of_seeds_are_those_of_the_runs(comparison):
    large, small = comparison.groups
    assert [group.name for group in comparison.groups] == ["LCSNN 50/12", "LCSNN 20/12"]
    assert large.seeds == small.seeds == (0, 1, 2, 3, 4)
    assert large.best("vote") == "patch", "the rule with the best mean"
    assert large.accuracy("vote") == (pytest.approx(0.84), pytest.approx(0.001**0.5), 5)
    assert large.accuracy("linear").mean == pytest.approx(0.89)
    assert large.untrained("vote").mean == pytest.approx(0.3)
    assert large.untrained("linear").mean == pytest.approx(0.5)


def test_groups_with_the_same_seeds_are_tested_in_pairs(comparison):
    vote, linear = comparison.tests
    assert (vote.readout, vote.first, vote.second) == ("vote", "LCSNN 50/12", "LCSNN 20/12")
    assert vote.result.difference == pytest.approx(0.03)
    assert vote.result.interval == pytest.approx((0.03 - 0.0196324, 0.03 + 0.0196324), abs=1e-6)
    assert vote.result.t_test == vote.holm == pytest.approx(0.013236, abs=2e-6)
    assert (linear.result.difference, linear.result.t_test) == (pytest.approx(0, abs=1e-12), None)


def test_log_evidence_has_a_column_of_its_own_beside_the_best_vote(tmp_path):
    runs = [scored_run(tmp_path / f"{seed}", f"seed={seed}", log_evidence=0.85) for seed in (0, 1)]
    found = compare(runs)
    assert found.columns == ("vote", "log_evidence", "linear")
    (group,) = found.groups
    assert (group.best("vote"), group.accuracy("vote").mean) == ("patch", 0.8)
    assert (group.accuracy("log_evidence").mean, group.untrained("log_evidence").mean) == (0.85, 0.4)
    table = tables.accuracy_table(found)
    row = dict(zip(table.headings, table.rows[0], strict=True))
    assert (row["best vote"], row["log evidence"], row["linear"]) == ("80.0 ± 0.0", "85.0 ± 0.0", "90.0 ± 0.0")
    assert tables.record(group)["untrained_log_evidence"] == {"mean": 0.4, "sd": 0.0}


def test_older_scores_are_compared_beside_newer_ones(tmp_path):
    old, new = scored_run(tmp_path / "old"), scored_run(tmp_path / "new", "topology.channels=9", log_evidence=0.85)
    found = compare([old, new])
    assert [group.accuracy("log_evidence") is None for group in found.groups] == [True, False]
    assert isinstance(accuracy_vs_synapses(found), Figure)


def test_the_read_outs_that_are_compared_can_be_chosen(two_groups):
    found = compare(two_groups, readouts=["spikes_first", "vote"])
    assert found.columns == ("spikes_first", "vote")
    assert [test.readout for test in found.tests] == ["spikes_first", "vote"]
    assert found.groups[0].accuracy("spikes_first").mean == pytest.approx(0.82)
    assert "spikes first" in tables.accuracy_table(found).headings
    with pytest.raises(ConfigError, match="--readouts: 'loudest' is unknown"):
        compare(two_groups, readouts=["loudest"])


def test_one_seed_each_makes_rows_but_no_tests(two_groups):
    found = compare(two_groups[:2])
    assert len(found.groups) == 2
    assert found.tests == ()
    assert any("no two rows have two seeds in common" in note for note in tables.notes(found))
    assert found.groups[0].accuracy("vote").sd is None


@pytest.mark.parametrize("name", SYNAPSES)
def test_synapses_of_table_2_are_those_of_the_model(tmp_path, name):
    assert set(SYNAPSES) == {row.name for row in TABLE_2.values()}
    run = scored_run(tmp_path / name, "dataset.name=digits", preset=name)
    row = tables.record(compare([run]).groups[0])
    assert row["synapses"] == TOTALS[name]
    assert row["synapses_xy"] + row["synapses_yy"] == TOTALS[name]
    channels, positions = row["channels"], row["neurons"] // row["channels"]
    assert row["synapses_yy"] == positions * channels * (channels - 1)


def test_what_only_decides_when_files_are_written_makes_no_new_row(tmp_path):
    runs = [
        scored_run(tmp_path / f"{seed}", f"seed={seed}", key)
        for seed, key in enumerate(("checkpoint.every=7", "progress.every=500", "curve.patience=3", "health.rate=9"))
    ]
    (group,) = compare(runs).groups
    assert (group.name, group.seeds) == ("LCSNN 50/12", (0, 1, 2, 3))


def test_rows_of_one_network_are_named_by_the_keys_in_which_they_differ(tmp_path):
    runs = [
        scored_run(tmp_path / "a", "neuron.tau_v=50"),
        scored_run(tmp_path / "b", "neuron.tau_v=60"),
        scored_run(tmp_path / "c", "neuron.tau_v=60", "competition.rule=anti_stdp"),
        scored_run(tmp_path / "d", "neuron.tau_v=60", "topology.channels=9"),
    ]
    assert {group.name for group in compare(runs).groups} == {
        "LCSNN 50/12, neuron.tau_v = 50.0",
        "LCSNN 50/12, neuron.tau_v = 60.0",
        "LCSNN 50/12 anti_stdp",
        "LCSNN 9/12",
    }


def test_rows_that_differ_in_many_keys_are_named_by_their_runs(tmp_path):
    many = ("neuron.tau_v=50", "neuron.theta_plus=1", "encoder.max_rate=10", "plasticity.A_plus=0.5")
    runs = [scored_run(tmp_path / "ours-0"), scored_run(tmp_path / "theirs-0", *many)]
    assert {group.name for group in compare(runs).groups} == {"LCSNN 50/12, ours", "LCSNN 50/12, theirs"}


def test_another_protocol_or_an_unfinished_run_is_another_row(tmp_path):
    runs = [
        scored_run(tmp_path / "a"),
        scored_run(tmp_path / "b", "seed=1", protocol={"linear": "sgd"}),
        scored_run(tmp_path / "c", "seed=2", images=500),
    ]
    names = {group.name for group in compare(runs).groups}
    assert len(names) == 3
    assert any("evaluation.linear = sgd" in name for name in names)
    assert any("training.images = 500" in name for name in names)


def test_scores_of_an_earlier_state_are_marked_with_the_remedy(tmp_path):
    run = scored_run(tmp_path / "a")
    images = run.spec.training.images
    assert "stale" not in tables.as_markdown(compare([run]))
    run.append_row("progress", {"images": images + 100, "interval_images": 100, "images_per_s": 50.0})
    found = compare([run])
    assert f"{tables.count(images)} (stale)" in tables.as_markdown(found)
    assert f"`stdpnet evaluate` {run.path} again" in tables.as_markdown(found)
    assert tables.record(found.groups[0])["stale"]


def test_a_seed_that_comes_twice_counts_once(tmp_path):
    runs = [scored_run(tmp_path / "a", vote=0.8), scored_run(tmp_path / "b", vote=0.2)]
    with pytest.warns(UserWarning, match=r"b: has the seed of .*a, and is not counted again"):
        (group,) = compare(runs).groups
    assert group.accuracy("vote") == (pytest.approx(0.8), None, 1)


def test_runs_without_scores_are_named_with_the_command_that_makes_them(two_groups, tmp_path):
    spec = stdpnet.load_config("digits", ["training.images=1", "topology.channels=2", "simulation.duration=10"])
    bare = stdpnet.train(spec, tmp_path / "bare")
    damaged = scored_run(tmp_path / "damaged", "seed=7")
    damaged.scores_path().write_text('{"readouts": {}}')
    (tmp_path / "torn").mkdir()
    torn = scored_run(tmp_path / "torn" / "run", "seed=8")
    (torn.path / "scores.json").write_text('{"proto')
    found = compare([*two_groups[:1], bare, damaged, torn, LeftOut("elsewhere", "no run here")])
    assert len(found.groups) == 1
    reasons = {each.run: each.reason for each in found.left_out}
    assert f"`stdpnet evaluate {bare.path}` makes them" in reasons[str(bare.path)]
    assert "damaged" in reasons[str(damaged.path)]
    assert "scores.json: damaged (Invalid JSON" in reasons[str(torn.path)]
    assert reasons["elsewhere"] == "no run here"
    text = tables.as_markdown(found)
    assert all(f"left out: {run}: " in text for run in reasons)


def test_validation_scores_are_compared_when_asked_for(tmp_path):
    run = scored_run(tmp_path / "a", "dataset.validation=50", split="validation", vote=0.6)
    assert compare([run]).left_out[0].reason.startswith("no scores on test images")
    assert compare([run], "validation").groups[0].accuracy("vote").mean == pytest.approx(0.6)
    assert "--split validation --snapshot best" in compare([run], "validation", "best").left_out[0].reason


def test_in_scores_of_older_versions_only_the_events_are_missing(tmp_path):
    run = scored_run(tmp_path / "a", preset="lcsnn-25-k12")
    scores = json.loads((run.path / "scores.json").read_text())
    scores.pop("cost", None)
    (run.path / "scores.json").write_text(json.dumps(scores))
    (group,) = compare([run]).groups
    row = tables.record(group)
    assert row["synaptic_events_per_image"] is None
    assert row["spikes_per_image"] == 20.0


def test_csv_holds_one_line_of_numbers_per_group(comparison):
    rows = list(csv.DictReader(io.StringIO(tables.as_csv(comparison))))
    assert len(rows) == 2
    row = rows[0]
    assert (row["architecture"], row["channels"], row["kernel"], row["n"]) == ("LCSNN", "50", "12", "5")
    assert float(row["vote_mean"]) == pytest.approx(0.84)
    assert float(row["vote_sd"]) == pytest.approx(0.001**0.5)
    assert float(row["untrained_linear_mean"]) == pytest.approx(0.5)
    assert float(row["pixels_linear_mean"]) == pytest.approx(0.7)
    assert float(row["images_per_s"]) == 50.0


def test_json_holds_every_seed_and_every_test(comparison):
    content = json.loads(tables.as_json(comparison))
    first = content["groups"][0]
    assert [first["by_seed"][str(seed)]["trained"]["patch"] for seed in range(5)] == list(ACCURACIES)
    assert first["synapses"] == first["synapses_xy"] + first["synapses_yy"] == 9 * 144 * 50 + 9 * 50 * 49
    assert content["tests"][0]["interval"] == pytest.approx([0.0103676, 0.0496324], abs=1e-6)
    assert content["left_out"] == []


def test_markdown_and_latex_have_a_cell_for_every_heading(comparison):
    markdown = tables.as_markdown(comparison)
    assert (
        "| LCSNN 50/12 | 5 | 2\u202f000 | 84.0 ± 3.2 | patch | 89.0 ± 3.2 | 30.0 ± 0.0 | 50.0 ± 0.0 | 70.0 ± 0.0 |"
        in markdown
    )
    assert "+3.00 [+1.04, +4.96]" in markdown
    for table in tables.tables(comparison):
        assert all(len(row) == len(table.headings) for row in table.rows)
    latex = tables.as_latex(comparison)
    assert r"84.0 $\pm$ 3.2 & patch & 89.0" in latex
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") == latex.count(r"\toprule") == 3
    for line in latex.splitlines():
        if line.endswith(r"\\"):
            assert line.count("&") in {len(table.headings) - 1 for table in tables.tables(comparison)}


def test_latex_leaves_nothing_that_tex_would_take_for_a_command(tmp_path):
    run = scored_run(tmp_path / "a", vote=0.5)
    scores = run.load_scores()
    scores["readouts"]["spikes_first"]["accuracy"] = 0.9
    run.save_scores(scores)
    assert r"& spikes\_first &" in tables.as_latex(compare([run]))


def test_the_figure_has_a_point_for_every_network_at_its_synapses():
    axes = Figure().subplots()
    networks = [
        SizedAccuracy("100", 218_700, Summary(0.9, 0.01, 5), 0.5),
        SizedAccuracy("25", 37_800, Summary(0.8, None, 1)),
    ]
    drawn = plot_accuracy_vs_synapses(axes, {FAMILY: networks}, pixels=0.7)
    line, _, (bars,) = drawn[FAMILY]
    np.testing.assert_allclose(line.get_xydata(), [[37_800, 80], [218_700, 90]])
    np.testing.assert_allclose([segment[:, 1] for segment in bars.get_segments()], [[80, 80], [89, 91]])
    texts = {text.get_text() for text in axes.texts}
    assert {"100", "25", "pixels"} <= texts
    crosses = [each for each in axes.lines if each.get_marker() == "x"]
    np.testing.assert_allclose(crosses[0].get_xydata(), [[218_700, 50]])


def test_the_figure_of_a_comparison_has_votes_and_linear_read_out(comparison):
    figure = accuracy_vs_synapses(comparison)
    votes, linear, below, _ = figure.axes
    assert len(below.lines) == 1, "crosses of the untrained networks"
    np.testing.assert_allclose(below.lines[0].get_ydata(), [30, 30])
    assert (votes.get_title(), linear.get_title()) == ("best vote", "linear read-out")
    assert "pixels" in {text.get_text() for text in linear.texts}
    assert votes.get_xscale() == "log"


def test_without_untrained_networks_the_figure_has_no_panel_for_them(tmp_path):
    figure = accuracy_vs_synapses(compare([scored_run(tmp_path / "run", baselines=False)]))
    assert [axes.get_xlabel() for axes in figure.axes] == ["synapses"] * 2
    assert "untrained" not in {text.get_text() for legend in figure.legends for text in legend.get_texts()}


def test_comparing_writes_nothing_into_the_runs(two_groups):
    before = {path: path.stat().st_mtime_ns for run in two_groups for path in run.path.rglob("*")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare([Run.open(run.path) for run in two_groups])
    assert before == {path: path.stat().st_mtime_ns for run in two_groups for path in run.path.rglob("*")}


def test_scores_of_another_network_than_the_configuration_says_are_refused(tmp_path):
    run = scored_run(tmp_path / "run")
    scores = run.load_scores()
    facts = {"units": 1, "positions": 1, "synapses": {"feedforward": 1, "competition": 0}}
    run.scores_path().write_text(json.dumps({**scores, "facts": facts}))
    (left_out,) = compare([run]).left_out
    assert "was scored with positions = 1, its config.toml now makes" in left_out.reason


def test_a_family_without_kernel_is_named_without_one():
    assert Family("rate conversion", 0).name == "rate conversion"
    assert Family("LCSNN", 12).name == "LCSNN, kernel 12"


def test_networks_of_about_one_size_have_few_ticks():
    axes = Figure().subplots()
    sizes = (50_816, 86_850)
    networks = [SizedAccuracy(str(size), size, Summary(0.9, None, 1)) for size in sizes]
    plot_accuracy_vs_synapses(axes, {FAMILY: networks})
    assert 2 <= len([tick for tick in axes.get_xticks() if sizes[0] < tick < sizes[1]]) <= 3
