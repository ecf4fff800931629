"""An interrupt ends a training at an image boundary, with its state; the session that it was started from goes on."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import stdpnet

SCRIPT = Path(__file__).with_name("interrupted.py")


def python(*arguments, cwd, stdin=""):
    """Run Python; return what it prints."""
    result = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Run the interrupted trainings at Python's prompt."""
    lines = f"exec(open({str(SCRIPT)!r}).read())\nprint('goes on')\n"
    return python("-q", "-i", cwd=tmp_path_factory.mktemp("session"), stdin=lines)


@pytest.fixture(scope="module")
def outcomes(session):
    return json.loads(session.stdout.splitlines()[0])


def test_the_session_goes_on(session, outcomes):
    assert "goes on" in session.stdout
    assert "Traceback" not in session.stderr
    assert outcomes["threads left"] == []


@pytest.mark.parametrize("number", range(3), ids=["once", "twice", "often"])
def test_an_interrupted_fit_goes_on_from_its_errors_state_to_the_same_bytes(outcomes, number):
    fit = outcomes["fit"][number]
    assert fit["at"] == [256, 300]
    assert fit["signal"] == "SIGINT"
    assert fit["digest"] == outcomes["straight"]


@pytest.mark.parametrize("number", range(3), ids=["once", "twice", "often"])
def test_an_interrupted_job_goes_on_from_its_checkpoint_to_the_same_bytes(outcomes, number):
    job = outcomes["train"][number]
    assert job["at"] == [256, 300]
    assert job["events"] == ["started", "stopped", "resumed", "stopped", "resumed", "finished"]
    assert job["complete"]
    assert job["digest"] == outcomes["straight"]


def test_an_interrupt_during_the_last_images_is_answered_with_the_whole_state(outcomes):
    assert outcomes["too late"] == {"at": [900], "digest": outcomes["straight"]}


def test_progress_is_shown_at_pythons_prompt(session):
    assert re.search(r"\ntraining: 256/900 ", session.stderr)  # where the second fit begins
    assert re.search(r"\ntraining: 900/900, \d+ images/s, \d", session.stderr)


def test_progress_is_shown_elsewhere_only_if_asked_for(capsys):
    spec = stdpnet.load_config("digits", {"topology.channels": 8, "training.images": 20, "health.action": "ignore"})
    images = stdpnet.load_dataset(spec.dataset).train.images
    stdpnet.fit(spec, images)
    assert capsys.readouterr().err == ""
    stdpnet.fit(spec, images, progress=True)
    assert "training: 20/20" in capsys.readouterr().err


class Notebook:
    """A Jupyter kernel: runs cells, and keeps what they show."""

    def __init__(self, folder):
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3", cwd=str(folder))
        self.shown = []

    def run(self, code, interrupt_after=None):
        """Run a cell to its end, or interrupt it a moment after something it shows; return its output."""
        message, printed = self.client.execute(code), []
        while True:
            reply = self.client.get_iopub_msg(timeout=200)
            if reply["parent_header"].get("msg_id") != message:
                continue
            kind, content = reply["msg_type"], reply["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return "".join(printed)
            if kind == "stream":
                printed.append(content["text"])
            elif kind == "error":
                printed.append(content["ename"])
            elif kind in ("display_data", "update_display_data"):
                self.shown.append(content["data"])
                if interrupt_after and interrupt_after(content["data"]["text/plain"]):
                    interrupt_after = None
                    for _ in range(2):
                        self.manager.interrupt_kernel()
                        time.sleep(0.01)


@pytest.fixture
def notebook(tmp_path):
    pytest.importorskip("ipykernel")
    pytest.importorskip("jupyter_client")
    kernel = Notebook(tmp_path)
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


def test_a_notebooks_stop_button_keeps_state_and_kernel(notebook):
    cell = """
import sys, stdpnet
spec = stdpnet.load_config("digits", {"topology.channels": 8, "training.images": 40_000, "health.action": "ignore"})
images = stdpnet.load_dataset(spec.dataset).train.images
try:
    stdpnet.fit(spec, images, threads=1)
except stdpnet.StopRequestedError as stopped:
    error = stopped
    print("at", error.state.images)
"""
    printed = notebook.run(cell, interrupt_after=lambda text: "images/s" in text)
    at = int(printed.split()[1])
    assert 0 < at < 40_000
    assert notebook.shown[0]["text/html"].startswith('<progress value="0" max="40000"')
    notebook.run("def straight(goal): return stdpnet.fit(spec.updated({'training.images': goal}), images).digest()")
    check = f"""
goal = {at} + 300
print(stdpnet.fit(spec.updated({{"training.images": goal}}), images, state=error.state).digest() == straight(goal))
"""
    assert notebook.run(check) == "True\n"
    cell = "stdpnet.train(spec, 'run', threads=1)"
    assert notebook.run(cell, interrupt_after=lambda text: "images/s" in text) == "StopRequestedError"
    check = """
run = stdpnet.Run.open("run")
goal = run.load_state().images + 300
print(goal < 40_000, stdpnet.resume(run, goal).load_state().digest() == straight(goal))
"""
    assert notebook.run(check) == "True True\n"
