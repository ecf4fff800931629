"""The inspector: read-only, closed to strangers, and usable in a browser from end to end."""

import asyncio
import json
import shutil
import threading
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

import stdpnet
from stdpnet.errors import ConfigError
from stdpnet_analysis import evaluate
from tests.analysis.chromium import CHROMIUM, Browser

pytest.importorskip("bokeh", reason="needs the extra: pip install 'stdpnet[inspect]'")

from stdpnet_analysis.inspector.server import is_local, pixels_of, serve

SMALL = ["training.images=60", "topology.channels=4", "simulation.duration=100", "progress.every=20"]
SMALL += ["dataset.validation=60", "curve.every=30", "curve.calibration=60", "curve.validation=60"]
SMALL += ["competition.rule=anti_stdp", "competition.c_w=-20"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspected")
    (folder / "secret").mkdir()
    (folder / "secret" / "config.toml").write_text("")
    runs = folder / "runs"
    runs.mkdir()
    made = stdpnet.train(stdpnet.load_config("digits", SMALL), runs / "a <b>&run")
    evaluate(made, threads=1)
    (runs / "link").symlink_to(folder / "secret")
    return runs


def files(folder):
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


class Served:
    """A server in a thread of its own."""

    def __init__(self, folder, host="127.0.0.1"):
        ready = threading.Event()

        def begin(address):
            self.address = address
            ready.set()

        def run():
            self.loop = asyncio.new_event_loop()
            self.task = self.loop.create_task(serve(folder, host, 0, begin))
            try:
                self.loop.run_until_complete(self.task)
            except asyncio.CancelledError:
                self.loop.close()

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert ready.wait(30)

    def ask(self, what, body=None, base=None, **headers):
        request = Request((base or self.address) + what, data=body, headers=headers)
        try:
            with urlopen(request) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()

    def close(self):
        self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join()


@pytest.fixture(scope="module")
def server(folder):
    served = Served(folder)
    yield served
    served.close()


RUN = "run=a%20%3Cb%3E%26run"


def test_a_question_about_each_part_is_answered_and_writes_nothing(server, folder):
    before = files(folder)
    parts = ("about", "progress", "histograms", "compare", "neuron")
    for what in ("runs", *(f"{part}?{RUN}&neuron=5" for part in parts)):
        code, body = server.ask(f"api/{what}")
        assert code == 200, body
        json.loads(body)
    code, body = server.ask(f"api/image?{RUN}&number=3")
    answers = json.loads(body)["answers"]
    assert [each["readout"] for each in answers][-1] == "linear"
    for each in answers:
        assert each["probabilities"] is None or sum(each["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert server.ask(f"api/fields.png?{RUN}")[1].startswith(b"\x89PNG")
    assert files(folder) == before


@pytest.mark.parametrize(
    "what",
    ["api/about?run=../secret", "api/about?run=link", "api/about?run=/etc", f"api/neuron?{RUN}&neuron=-1",
     f"api/fields.png?{RUN}&position=99", f"api/image?{RUN}&number=x", "api/about"],
)  # fmt: skip
def test_what_is_not_in_the_folder_is_refused_in_a_sentence(server, what):
    code, body = server.ask(what)
    assert code == 400
    assert ";" in json.loads(body)["error"]


def test_no_other_file_is_served(server):
    for what in ("static/../server.py", "static/server.py", "bokeh/..%2f..%2f__init__.py", "runs/x/config.toml"):
        assert server.ask(what)[0] in (403, 404)


def test_another_name_and_another_page_are_refused(server):
    assert server.ask("api/runs", Host="evil.example")[0] == 403
    assert server.ask("api/runs", Host="[::1")[0] == 403
    for origin in ("http://evil.example", "http://[", "null"):
        assert server.ask("api/runs", Origin=origin)[0] == 403


def test_bound_elsewhere_a_token_is_required(folder):
    served = Served(folder, "0.0.0.0")
    try:
        base, token = served.address.replace("0.0.0.0", "127.0.0.1").split("?token=")
        assert served.ask("api/runs", base=base)[0] == 403
        assert served.ask("static/page.js", base=base)[0] == 403
        assert served.ask("api/runs?token=wrong", base=base)[0] == 403
        assert served.ask(f"api/runs?token={token}", base=base)[0] == 200
        assert served.ask("api/runs", base=base, Cookie=f"stdpnet_token={token}")[0] == 200
    finally:
        served.close()


@pytest.mark.parametrize("body", [b"", b"{", b"[[1.5]]", b"[[256]]", b"[[-1]]", b"[1]", b"[[1],[2,3]]", b"[[]]"])
def test_what_is_no_drawing_is_refused(body):
    with pytest.raises(ConfigError, match="drawing"):
        pixels_of(body)
    np.testing.assert_array_equal(pixels_of(b"[[0, 255]]"), [[0, 255]])


def test_only_loopback_addresses_are_local():
    assert all(map(is_local, ("127.0.0.1", "::1", "localhost")))
    assert not any(map(is_local, ("0.0.0.0", "10.0.0.1", "localhost.example", "")))


def test_a_folder_that_is_not_there_is_one_sentence(stdpnet_command):
    assert "absent: no such folder" in stdpnet_command("inspect", "absent", code=2).stderr


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
def test_in_a_browser_one_watches_compares_looks_inside_and_draws(server, tmp_path):
    browser = Browser(tmp_path / "profile", dark=True)
    try:
        browser.do("Page.navigate", url=server.address)
        browser.until("document.body?.dataset.ready === 'yes'")
        browser.eval("document.querySelector('#runs button').focus()")
        browser.key("Enter", "\r")
        browser.until("document.querySelectorAll('#state-charts > div > *').length >= 3")
        assert "a <b>&run" in browser.eval("document.querySelector('#watched').textContent")
        browser.until("seen.rest < Infinity")
        browser.eval("charts = document.querySelector('#watch-charts > div'); null")
        browser.eval("before = kept['#watch-charts'].figures[0]; null")
        browser.eval("before.renderers[0].data_source.data = {x: [], y: []}; null")
        browser.eval("seen = {}; watch(watched)")
        assert browser.eval("before.renderers[0].data_source.data.y.length") == 3  # new numbers in the same chart
        assert browser.eval("charts.isConnected && before === kept['#watch-charts'].figures[0]")

        browser.eval("location.hash = '#compare'; document.querySelector('#boxes input').click()")
        browser.eval("document.querySelector('#choice').requestSubmit()")
        browser.until("document.querySelectorAll('#compare-tables table').length >= 1")

        browser.eval("location.hash = '#inside'")
        browser.until("document.querySelector('#votes > div') !== null")
        browser.eval("document.querySelector('#channel').focus()")
        browser.key("ArrowUp")
        browser.until("document.querySelector('#neuron h4').textContent.includes('channel 1')")
        assert browser.eval("document.querySelectorAll('#mosaic svg line').length") == 3

        browser.eval("document.querySelector('#pad').scrollIntoView({block: 'center'})")
        x, y = browser.eval("(({x, y}) => [x, y])(document.querySelector('#pad').getBoundingClientRect())")
        browser.drag([(x + 50, y + 40), (x + 140, y + 40), (x + 90, y + 160)])
        browser.eval("document.querySelector('#ask').click()")
        browser.until("document.querySelectorAll('#answer tbody tr').length >= 4")
        assert browser.eval("document.querySelector('#answer').innerText").count("%") >= 2
        browser.until("document.querySelectorAll('#image-charts > div > *').length === 4")
        for width in (390, 1280):
            browser.resize(width, mobile=width < 500)
            assert browser.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        assert browser.complaints == []
    finally:
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
def test_the_page_shows_the_first_checkpoint_and_the_first_responses_when_they_come(folder, tmp_path):
    runs = tmp_path / "runs"
    run, _ = (shutil.copytree(next(folder.glob("a*")), runs / name) for name in ("young", "old"))
    away = tmp_path / "away"
    away.mkdir()
    for name in ("checkpoint.h5", "responses"):
        shutil.move(run / name, away / name)
    served = Served(runs)
    browser = Browser(tmp_path / "profile")
    try:
        with stdpnet.Run.open(run).locked():  # as a training does
            browser.do("Page.navigate", url=served.address)
            browser.until("document.body?.dataset.ready === 'yes'")
            browser.until("document.querySelector('#state-title').textContent.includes('This page will show it')")
            shutil.move(away / "checkpoint.h5", run / "checkpoint.h5")
            browser.until("document.querySelectorAll('#state-charts > div > *').length >= 3")
            left = browser.eval("watch('old'); document.querySelectorAll('#watch-charts *, #state-charts *').length")
            assert left == 0, "charts of another run below its name"
            browser.until("document.querySelectorAll('#state-charts > div > *').length >= 3")
            browser.eval("document.querySelector('#run').value = 'young'; location.hash = '#inside'")
            browser.until("document.querySelector('#votes') !== null")
            browser.until("document.querySelector('#lacks').innerText.includes('no responses yet')")
            browser.eval("document.querySelector('#channel').value = 2; neuron()")
            shutil.move(away / "responses", run / "responses")
            browser.eval("attempt(again)()")  # the page itself looks every four seconds, as above
            browser.until("document.querySelector('#votes > div') !== null")
            assert browser.eval("document.querySelector('#lacks').innerText") == ""
            assert browser.eval("document.querySelector('#channel').value") == "2"
        assert browser.complaints == []
    finally:
        browser.close()
        served.close()
