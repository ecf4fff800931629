"""The report: complete in itself, readable, and honest about what a run lacks."""

import base64
import html
import io
import re
import shlex
from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import stdpnet
from stdpnet.runs import Run
from stdpnet_analysis import evaluate, figures
from stdpnet_analysis.figures import FIGURES
from stdpnet_analysis.labels import label_curve
from stdpnet_analysis.report import content, write_report
from stdpnet_analysis.report.images import encode
from stdpnet_analysis.robustness import robustness
from stdpnet_analysis.view import RunView, Settings
from tests.analysis.chromium import CHROMIUM, Browser
from tests.processes import completed

SMALL = ["training.images=60", "topology.channels=4", "simulation.duration=100", "progress.every=20"]
SMALL += ["dataset.validation=60", "curve.every=30", "curve.calibration=60", "curve.validation=60"]
FEW = Settings(images=20, threads=1)
SECTIONS = ("Summary", "Configuration", "Health", "Curves", "Receptive fields", "Activity", "Competition", "Votes")
SECTIONS += ("Confusion", "Reliability", "Labels needed", "Robustness", "Provenance", "How to reproduce")
QUICK = ("receptive-fields", "progress", "confusion")
ANYTHING = ("error", "warning", "info", "log", "debug", "verbose")


def train(path, *keys):
    return stdpnet.train(stdpnet.load_config("digits", [*SMALL, *keys]), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def run(folder):
    """A run with everything, learned competition included; its name is a trap."""
    made = train(folder / "a <b>&run-0", "competition.rule=anti_stdp", "competition.c_w=-20")
    evaluate(made)
    label_curve(made, sizes=[10, 100], draws=2, readouts=["vote", "log_evidence"])
    robustness(made, series={"noise": [0.1]}, readouts=["vote"], baselines=False, threads=1)
    return made


@pytest.fixture(scope="module")
def fixed(folder):
    made = train(folder / "fixed-0")
    evaluate(made)
    return made


@pytest.fixture(scope="module")
def page(run, folder):
    return write_report([run], folder / "one.html", FEW)


def quickly_drawn(view):
    """Return the names of the figures of a report that need not show them all, which takes ten seconds."""
    return [name for name in figures.available(view) if name in QUICK]


@pytest.fixture
def few_figures(monkeypatch):
    monkeypatch.setattr(content, "planned_figures", quickly_drawn)


@pytest.fixture
def no_figures(monkeypatch):
    monkeypatch.setattr(content, "planned_figures", lambda view: [])


@pytest.fixture(scope="module")
def pages(run, fixed, folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "planned_figures", quickly_drawn)
        return write_report([run, fixed], folder / "two.html", FEW)


def test_every_section_and_every_figure_of_a_complete_run_is_there(page, run):
    text = page.read_text()
    headings = re.findall(r"<h2 [^>]*>([^<]*)</h2>", text)
    assert tuple(headings) == SECTIONS
    shown = re.findall(r"<figcaption><b>([^<]*)</b>", text)
    assert set(shown) == {name for name in FIGURES if FIGURES[name].is_for("stdp")} - {"competition-side-by-side"}
    assert "Not shown" not in text
    scores = run.load_scores()
    assert f"{100 * scores['readouts']['linear']['accuracy']:.2f} (" in text
    assert f"{100 * scores['pixels']['readouts']['linear']['accuracy']:.2f} (" in text
    assert f"SHA-256 {run.provenance['dataset_sha256']}" in text


def test_it_needs_neither_network_nor_script(page):
    text = page.read_text()
    assert "<script" not in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert "http" not in re.sub(r'"data:[^"]*"', "", text)
    anchors = {source[1:] for source in sources if source.startswith("#")}
    assert anchors <= set(re.findall(r'id="([^"]*)"', text))


def test_every_image_is_whole(page):
    sources = re.findall(r'src="data:image/([^;]*);base64,([^"]*)"', page.read_text())
    assert len(sources) > 15
    for form, text in sources:
        data = base64.b64decode(text, validate=True)
        if form == "png":
            Image.open(io.BytesIO(data)).load()
        else:
            assert data.rstrip().endswith(b"</svg>")


def test_a_large_image_gets_a_palette_and_a_small_drawing_stays_a_vector():
    noise = Figure(figsize=(5, 5))
    noise.subplots().imshow(np.random.default_rng(0).random((700, 700)))
    line = Figure(figsize=(3, 2))
    line.subplots().plot([0, 1])
    large, small = encode(noise, "noise", ""), encode(line, "line", "")
    assert small.source.startswith("data:image/svg+xml;base64,")
    assert (small.width, small.height) == (288, 192)
    form, _, text = large.source.partition(";base64,")
    assert form == "data:image/png"
    assert Image.open(io.BytesIO(base64.b64decode(text))).mode == "P"


def test_names_from_the_file_system_are_text_not_markup(page):
    text = page.read_text()
    assert "a &lt;b&gt;&amp;run-0" in text
    assert "<b>&run" not in text


def test_several_runs_begin_with_their_comparison(pages, run, fixed):
    text = html.unescape(pages.read_text())
    headings = [text.index(f"<h1>{name}</h1>") for name in ("2 runs", run.path.name, fixed.path.name)]
    assert headings == sorted(headings)
    assert {"accuracy-vs-synapses", "learning-curves"} <= set(re.findall(r"<figcaption><b>([^<]*)</b>", text))
    assert "LCSNN 4/12 anti_stdp" in text
    assert re.search(
        "Not shown: .*competition-graph.*: its competition is fixed: every neuron inhibits the 3 others", text
    )
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.usefixtures("few_figures")
def test_a_run_in_progress_without_scores_says_what_is_missing(folder):
    run = train(folder / "bare")
    for name in ("curve.jsonl", "progress.jsonl"):
        (run.path / name).unlink()
    (run.path / "events.jsonl").write_text('{"event": "started", "time": "2026-01-01T00:00:00+00:00"}\n')
    text = html.unescape(write_report([run], folder / "bare.html", FEW).read_text())
    assert "not scored yet" in text
    assert f"stdpnet evaluate {run.path}" in text
    assert "Not shown: confusion, class-accuracy: no responses yet" in text
    assert "Not shown: learning-curve: no learning curve; train with --set curve.every=500" in text
    assert "No row of progress yet." in text
    for name in ("checkpoint.h5", "checkpoint.previous.h5"):
        (run.path / name).unlink(missing_ok=True)
    assert "no checkpoint yet" in write_report([run], folder / "bare.html", FEW).read_text()


@pytest.mark.usefixtures("no_figures")
def test_health_names_what_was_wrong_and_when(folder):
    run = train(folder / "ill", "encoder.max_rate=1", "health.action=ignore")
    text = write_report([run], folder / "ill.html", FEW).read_text()
    assert "Now: silent network" in text
    assert "silent network (image 20 to now): 100% of the images get no spike; raise encoder.max_rate" in text


def test_the_commands_it_gives_make_the_same_network_and_scores(run, tmp_path):
    lines = [shlex.split(line) for line in content.commands(RunView(Run.open(run.path)))]
    for line in lines:
        if line[:2] in (["stdpnet", "train"], ["stdpnet", "evaluate"]):
            done = completed(line, tmp_path)
            assert done.returncode == 0, done.stderr
    again = Run.open(tmp_path / "runs" / f"{run.path.name}-again")
    assert again.load_state().changed_arrays(run.load_state()) == []
    assert again.load_scores() == run.load_scores()


@pytest.fixture
def command(stdpnet_command):
    return partial(stdpnet_command, "report")


@pytest.mark.usefixtures("no_figures")
def test_a_report_may_be_replaced_but_nothing_else(command, folder, tmp_path):
    run = train(folder / "often", "training.images=1", "progress.every=1")
    path = run.path / "report.html"
    options = ["--images", "10", "--threads", "1"]
    assert command(run.path, *options).stdout.strip() == str(path)
    assert "replaces an earlier report" in command(run.path, *options).stdout
    path.write_text("mine")
    assert "is no report of stdpnet and is not overwritten" in command(run.path, *options, code=2).stderr
    assert "exists already and is never overwritten" in command(run.path, "--output", path, code=2).stderr
    assert path.read_text() == "mine"
    assert "no run here" in command("nowhere", code=2).stderr
    assert "no such snapshot" in command(run.path, "--snapshot", "bset", code=2).stderr
    command(run.path, *options, "--output", tmp_path / "other.html", "--json")
    assert (tmp_path / "other.html").exists()


FOUND = """(() => {
  const images = [...document.images], root = document.documentElement;
  const broken = images.filter(image => !image.naturalWidth).length;
  const paper = getComputedStyle(document.body).backgroundColor;
  const card = images.length ? getComputedStyle(images[0].closest("figure")).backgroundColor : "";
  return [images.length, broken, root.scrollWidth - root.clientWidth, paper, card];
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("browser") / "profile", levels=ANYTHING)
    yield opened
    opened.close()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
@pytest.mark.parametrize(("width", "dark"), [(360, False), (360, True), (1200, False)])
def test_chromium_shows_every_image_without_an_error_or_overflow(page, pages, browser, width, dark):
    browser.resize(width)
    browser.prefer(dark)
    browser.complaints.clear()
    for each, least in ((page, 20), (pages, 8)):
        browser.do("Page.navigate", url=each.resolve().as_uri())
        browser.until("document.readyState === 'complete'")
        images, broken, overflow, paper, card = browser.eval(FOUND)
        assert browser.eval("innerWidth") == width
        assert images >= least
        assert broken == 0
        assert overflow <= 0, "the page scrolls sideways"
        assert paper == ("rgb(20, 24, 31)" if dark else "rgb(255, 255, 255)")
        assert card == "rgb(255, 255, 255)", "figures stand on white in the dark, too"
        assert browser.complaints == []


def test_a_summary_prints_what_the_report_says_and_writes_nothing(run, stdpnet_command):
    before = sorted(run.path.rglob("*"))
    shown = stdpnet_command("report", run.path, "--summary").stdout
    said = content.summary_of(RunView(run))
    for part in (said["sentence"], said["health"]["verdict"], *said["facts"].values(), *said["commands"]):
        assert part in shown
    assert all(name in shown for name, *_ in said["scores"]["rows"])
    assert sorted(run.path.rglob("*")) == before
    assert "leave one of them out" in stdpnet_command("report", run.path, "--summary", "--output", "x", code=2).stderr
