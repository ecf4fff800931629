"""Every figure of every architecture is drawn; what is missing is said with its remedy."""

import json
import shutil
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

import stdpnet
from stdpnet.errors import ConfigError, RunError
from stdpnet.runs import Run
from stdpnet.stdp.network import network_of
from stdpnet_analysis import evaluate, figures
from stdpnet_analysis.figures import FIGURES
from stdpnet_analysis.labels import label_curve
from stdpnet_analysis.robustness import robustness
from stdpnet_analysis.view import RunView, Settings

SMALL = ["training.images=60", "topology.channels=6", "curve.every=20", "curve.calibration=100", "curve.validation=60"]
SMALL += ["dataset.validation=60", "progress.every=20", "competition.rule=anti_stdp", "competition.c_w=-20"]
OF_OTHER_MODELS = {name for name, figure in FIGURES.items() if not figure.is_for("stdp")}
WITHOUT_CURVE = "curve.every=0"
FEW = Settings(images=30, threads=1)


def train(path, *overrides, name="digits"):
    return stdpnet.train(stdpnet.load_config(name, [*SMALL, *overrides]), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def run(folder):
    """A locally connected run with everything."""
    run = train(folder / "everything")
    evaluate(run, "validation")
    label_curve(run, sizes=[10, 100], draws=2, readouts=["vote", "log_evidence"])
    robustness(run, "validation", series={"noise": [0.1]}, readouts=["vote"], baselines=False, threads=1)
    return run


@pytest.fixture(scope="module")
def other(folder):
    run = train(folder / "other", "seed=1", "competition.w_min=-8.0")
    evaluate(run, "validation", baselines=False)
    return run


@pytest.fixture(scope="module")
def view(run, other):
    return RunView(run, FEW, others=[other])


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in OF_OTHER_MODELS])
def test_every_figure_of_a_complete_run_is_drawn_and_written(view, name, tmp_path):
    assert FIGURES[name].missing(view) is None
    figure = figures.draw(view, name)
    assert isinstance(figure, Figure)
    figures.save(figure, tmp_path / "figure.png", dpi=60)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]
    texts = " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))
    assert "nan" not in texts


@pytest.mark.parametrize("architecture", ["convolutional", "fully_connected"])
def test_other_architectures_have_every_figure_too(architecture, folder):
    kernel = "none" if architecture == "fully_connected" else "12"
    run = train(folder / architecture, f"topology.architecture={architecture}", f"topology.kernel={kernel}")
    evaluate(run, "validation", baselines=False)
    view = RunView(run, FEW)
    assert set(figures.missing(view)) == {"competition-side-by-side", "labels-needed", "robustness", *OF_OTHER_MODELS}
    for name in figures.available(view):
        figures.draw(view, name)


def test_a_run_with_nothing_but_a_checkpoint_has_the_figures_that_need_no_more(run, folder):
    bare = folder / "bare"
    bare.mkdir()
    for name in ("config.toml", "provenance.json", "checkpoint.h5"):
        shutil.copy(run.path / name, bare / name)
    view = RunView(Run.open(bare), FEW)
    missing = figures.missing(view)
    wanted = {"receptive-fields", "receptive-fields-untrained", "raster", "membrane", "input", "competition-weights"}
    assert wanted <= set(figures.available(view))
    for name in figures.available(view):
        figures.draw(view, name)
    assert missing["votes"] == f"no responses yet; `stdpnet evaluate {bare}` makes them"
    assert "curve.every" in missing["learning-curve"]
    assert "stdpnet resume" in missing["progress"]
    with pytest.raises(RunError, match=r"no figure 'votes': no responses yet; `stdpnet evaluate"):
        figures.draw(view, "votes")


def test_a_run_without_a_checkpoint_says_so(run, folder):
    new = folder / "new"
    new.mkdir()
    for name in ("config.toml", "provenance.json"):
        shutil.copy(run.path / name, new / name)
    view = RunView(Run.open(new), FEW)
    assert figures.available(view) == ["plasticity-window"]
    assert figures.missing(view)["receptive-fields"].startswith("no checkpoint yet; `stdpnet resume")
    assert figures.missing(view)["votes"].startswith("no checkpoint yet")


def test_a_run_that_has_just_begun_says_to_wait(run, folder):
    begun = folder / "begun"
    begun.mkdir()
    for name in ("config.toml", "provenance.json"):
        shutil.copy(run.path / name, begun / name)
    opened = Run.open(begun)
    with opened.locked():
        assert figures.missing(RunView(opened, FEW))["receptive-fields"] == (
            "no checkpoint yet; the first one comes after 10000 images, after 5 minutes, at the end of the training"
        )


def test_a_damaged_checkpoint_is_named(run, folder):
    damaged = folder / "damaged"
    shutil.copytree(run.path, damaged)
    for checkpoint in damaged.glob("checkpoint*.h5"):
        checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    missing = figures.missing(RunView(Run.open(damaged), FEW))
    assert "damaged" in missing["receptive-fields"]
    assert "damaged" in missing["votes"]


def test_responses_of_an_older_state_are_not_shown(run, folder):
    moved = folder / "moved-on"
    shutil.copytree(run.path, moved)
    again = Run.open(moved)
    state = again.load_state()
    state.arrays["theta"] += 0.5
    again.save_state(state)
    missing = figures.missing(RunView(again, FEW))
    assert missing["votes"].startswith("its responses are those of another state; `stdpnet evaluate")
    assert "confusion" in missing


def test_fixed_competition_has_no_figures_of_learned_one(folder):
    run = train(folder / "fixed", WITHOUT_CURVE, "competition.rule=fixed", "competition.c_w=-20.5")
    missing, remedy = figures.missing(RunView(run, FEW)), "train with --set competition.rule=anti_stdp"
    fixed = "its competition is fixed: every neuron inhibits the 5 others of its position by 20.5 mV"
    assert missing["competition-graph"] == f"{fixed}; {remedy}"
    without = train(folder / "without", WITHOUT_CURVE, "competition.rule=none")
    assert figures.missing(RunView(without, FEW))["competition-graph"] == f"it has no competition; {remedy}"
    assert "plasticity-window" in figures.available(RunView(run, FEW))
    for channels, words in ((1, "it has one channel: "), (2, "every neuron inhibits the other neuron of its position")):
        keys = WITHOUT_CURVE, "competition.rule=fixed", f"topology.channels={channels}"
        few = train(folder / f"fixed-{channels}", *keys)
        assert words in figures.missing(RunView(few, FEW))["competition-graph"]


def test_graphs_side_by_side_say_which_run_has_no_learned_competition(run, other, folder):
    fixed = train(folder / "fixed-beside", WITHOUT_CURVE, "competition.rule=fixed")
    without = train(folder / "without-beside", WITHOUT_CURVE, "competition.rule=none")
    view = RunView(run, FEW, others=[other, fixed, without])
    assert figures.missing(view)["competition-side-by-side"] == (
        f"{fixed.path} has a fixed competition, {without.path} has no competition; "
        "name a run that learned its competition"
    )


def test_two_channels_have_no_pairs_worth_a_figure_and_one_has_all_others(folder):
    for channels in (1, 2):
        run = train(folder / f"channels-{channels}", f"topology.channels={channels}")
        evaluate(run, "validation", baselines=False)
        view = RunView(run, FEW)
        assert "fewer than three channels" in figures.missing(view)["competition-graph"]
        for name in figures.available(view):
            figures.draw(view, name)


def test_images_that_are_not_at_hand_cost_only_the_figures_that_show_them(run, folder):
    lost = folder / "lost"
    shutil.copytree(run.path, lost)
    provenance = json.loads((lost / "provenance.json").read_text())
    (lost / "provenance.json").write_text(json.dumps({**provenance, "dataset_sha256": "0" * 64}))
    view = RunView(Run.open(lost), FEW)
    assert "was trained on images with SHA-256 000000000000" in figures.missing(view)["raster"]
    assert "receptive-fields" in figures.available(view)


@pytest.mark.parametrize("classes", [2, 47])
def test_any_number_of_classes_has_every_figure(classes, folder, tmp_path):
    images = np.random.default_rng(classes).integers(0, 255, (classes * 8, 28, 28)).astype(np.uint8)
    names = np.array([f"kind {number}" for number in range(classes)])
    np.savez(tmp_path / "set.npz", X=images, y=np.tile(names, 8))
    keys = ["dataset.name=npz", f"dataset.path={tmp_path / 'set.npz'}", "dataset.validation=0", "curve.every=0"]
    run = train(folder / f"classes-{classes}", *keys, "training.images=10", "topology.channels=3")
    without_labels = figures.available(RunView(run, FEW))
    evaluate(run, baselines=False)
    view = RunView(run, FEW)
    missing = {"competition-side-by-side", "learning-curve", "labels-needed", "robustness", *OF_OTHER_MODELS}
    assert set(figures.missing(view)) == missing
    for name in set(figures.available(view)) - set(without_labels):
        figures.save(figures.draw(view, name), tmp_path / f"{name}.png", dpi=50)


def test_networks_clamped_in_training_are_scored_on_the_images_of_the_others(view, other):
    from stdpnet_analysis.ablation import calibrated_accuracy, clamp_splits
    from stdpnet_analysis.figures.damage import clamped_in_training

    ((side, bound, accuracy),) = clamped_in_training([view, *view.others], "validation", 30, "all")
    assert (side, bound) == ("below", -8.0)
    splits = clamp_splits(view.dataset, "validation", 30)
    assert [len(split) for split in splits.values()] == [30, 30]
    assert accuracy == calibrated_accuracy(other.spec, network_of(other.spec, other.load_state()), splits, 10)["all"]


def test_a_silent_network_still_has_its_figures(folder, tmp_path):
    run = train(folder / "silent", "neuron.v_thresh=5000", "curve.every=0", "health.action=ignore")
    evaluate(run, "validation", baselines=False)
    view = RunView(run, FEW)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in figures.available(view):
            figures.save(figures.draw(view, name), tmp_path / f"{name}.png", dpi=50)


def test_the_kept_best_state_can_be_drawn_too(run):
    view = RunView(run, FEW, snapshot="best")
    assert view.state.images in {row["images"] for row in view.curve}
    figures.draw(view, "receptive-fields")
    assert figures.missing(view)["votes"].endswith("--snapshot best` makes them")


def test_the_image_and_the_neuron_can_be_chosen(run):
    view = RunView(run, Settings(image=7, neuron=11))
    assert (view.shown_image, view.shown_neuron) == (7, 11)
    np.testing.assert_array_equal(view.recording.image, view.dataset.validation.images[7])
    for settings, message in (
        (Settings(image=60), "there are 60 validation images"),
        (Settings(neuron=54), "there are 54"),
    ):
        with pytest.raises(ConfigError, match=message):
            figures.draw(RunView(run, settings), "neuron")


def test_the_image_shown_by_default_is_one_that_the_votes_answer(view):
    from stdpnet_analysis.readouts.base import answers
    from stdpnet_analysis.readouts.votes import vote_scores

    counts = view.scored.counts[[view.shown_image]]
    assert answers(vote_scores(counts, view.votes, 9))[0] == view.scored.labels[view.shown_image]


@pytest.mark.parametrize("form", ["png", "pdf", "svg"])
def test_the_same_figure_is_the_same_file(view, form, tmp_path):
    contents = []
    for number in range(2):
        path = tmp_path / f"{number}.{form}"
        figures.save(figures.draw(view, "competition-weights"), path)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert len(contents[0]) > 1000


def test_drawing_writes_nothing_into_the_run(view):
    before = sorted(path.relative_to(view.run.path) for path in view.run.path.rglob("*"))
    for name in ("synapses-deleted", "clamping", "raster"):
        figures.draw(view, name)
    assert sorted(path.relative_to(view.run.path) for path in view.run.path.rglob("*")) == before


def test_drawing_leaves_the_reader_s_matplotlib_settings_alone(view):
    import matplotlib as mpl

    before = mpl.rcParams["font.size"]
    figures.draw(view, "votes-ranked")
    assert mpl.rcParams["font.size"] == before


def test_an_unknown_figure_is_answered_with_those_there_are(view):
    with pytest.raises(ConfigError, match=r"figures: 'vote' is unknown; did you mean 'votes'"):
        figures.draw(view, "vote")
