"""What is printed: unforeseen errors, streams that are closed or full, other encodings, names that look like markup."""

import io
import os
import subprocess
import sys

import pytest

from stdpnet.runs import Run
from tests.stdp.engines.networks import lively


def test_an_unforeseen_error_is_one_sentence_and_its_details_are_in_a_file(stdpnet_command, monkeypatch, tmp_path):
    def broken(name):
        raise ZeroDivisionError("a bug\x1b[31m")

    monkeypatch.setattr("stdpnet.data.fetch", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = stdpnet_command("data", "fetch", "mnist", code=70)
    assert seen.stderr.startswith("internal error: ZeroDivisionError: a bug\\x1b[31m; its details are in ")
    assert seen.stderr.count("\n") == 1
    (file,) = tmp_path.glob("stdpnet-error-*.txt")
    assert str(file) in seen.stderr
    assert "Traceback" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert "Traceback" in stdpnet_command("--debug", "data", "fetch", "mnist", code=70).stderr


def test_an_end_of_input_inside_a_command_is_an_internal_error_too(stdpnet_command, monkeypatch, tmp_path):
    def broken(name):
        raise EOFError

    monkeypatch.setattr("stdpnet.data.fetch", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert "internal error: EOFError" in stdpnet_command("data", "fetch", "mnist", code=70).stderr


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("{stdpnet} data list > /dev/full", 2, "error: standard output: cannot be written (No space left on device)"),
        ("{stdpnet} data list >&- 2>&-", 0, ""),
        ("{stdpnet} info nothing 2> /dev/full", 2, ""),
        ("PYTHONIOENCODING=ascii {stdpnet} info $(printf 'run-\\377-\\303\\251')", 2, "run-\\udcff-\\xe9: no run here"),
    ],
)
def test_streams_may_be_full_closed_or_of_another_encoding(tmp_path, shell, code, said):
    command = shell.format(stdpnet=f"{sys.executable} -m stdpnet")
    result = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == code, result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("where", ["full", "a pipe that nobody reads"])
def test_a_training_goes_on_whose_standard_error_cannot_be_written(stdpnet_command, monkeypatch, tmp_path, where):
    reader, writer = os.pipe()
    os.close(reader)
    number = os.open("/dev/full", os.O_WRONLY) if where == "full" else writer
    stream = io.TextIOWrapper(io.FileIO(number, "w"), line_buffering=True)
    monkeypatch.setattr(sys, "stderr", stream)
    keys = ("--set", "training.images=40", "--set", "topology.channels=4")
    stdpnet_command("train", "digits", "--run", "r", "--threads", "1", *keys)
    run = Run.open(tmp_path / "runs" / "r")
    assert (run.status, run.load_state().images) == ("finished", 40)
    with pytest.raises(OSError, match=r"No space left|Broken pipe"):
        stream.write("a line\n")
    stream.detach().close()


def test_names_that_look_like_markup_are_shown_as_they_are(tmp_path, stdpnet_command):
    for name in ("lr[a]=3", "x[bold]", ":smile:", "a\x1b[1m"):
        Run.create(lively(), tmp_path / "runs" / name, "unused")
    shown = stdpnet_command("runs").stdout
    for name in ("lr[a]=3", "x[bold]", ":smile:", "a\\x1b[1m"):
        assert f" {name} " in shown
    assert "\x1b" not in shown + stdpnet_command("info", "runs/a\x1b[1m").stdout
