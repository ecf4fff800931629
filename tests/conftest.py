"""The order of the tests, and the command line for them: within this process, and in one of its own."""

import gc
import logging
import os
import subprocess
import sys
import warnings
from multiprocessing import forkserver

import pytest

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the processes of the tests share the cores; before numpy is imported

from stdpnet.cli import COLLECTIONS, main
from tests import held as holding
from tests.processes import completed

gc.set_threshold(*COLLECTIONS)  # before the tests and all that they import are collected

FIRST = ("test_paper", "test_brian", "test_compiled", "test_driver", "test_report", "test_faults", "test_cluster")
"""Files with which `make test` begins. They take longest, and at the end one process would be left alone with one of
them. The first three compile code that other files need as well; because no two of them compile the same code, no two
processes do."""


def pytest_collection_modifyitems(items):
    """Sort the tests, but keep those of a file together and in order."""
    rank = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session", autouse=True)
def server_of_programs():
    """Start the server with the libraries of tests/processes.py, before a pool of a test starts one without them."""
    forkserver.ensure_running()


@pytest.fixture
def held(tmp_path, monkeypatch):
    """A file; while it exists, a training of a program stands still as soon as it has written a checkpoint."""
    file, about = tmp_path / "held", tmp_path / "plug-ins" / "held-1.dist-info"
    file.touch()
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: held\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[stdpnet.observers]\nheld = {holding.__name__}:observer\n")
    monkeypatch.setenv(holding.FILE, str(file))
    monkeypatch.setenv("PYTHONPATH", str(about.parent), prepend=os.pathsep)
    return file


@pytest.fixture
def stdpnet_command(tmp_path, monkeypatch, capsys):
    """Call the command line in `tmp_path`."""

    def call(*arguments, code=0):
        capsys.readouterr()
        with monkeypatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            for package in ("stdpnet", "stdpnet_analysis"):  # `main` adds one more each time
                patch.setattr(logging.getLogger(package), "handlers", [])
            patch.setattr(sys, "argv", ["stdpnet", *map(str, arguments)])
            patch.chdir(tmp_path)
            with pytest.raises(SystemExit) as end:
                main()
        seen = capsys.readouterr()
        assert (end.value.code or 0) == code, seen.err
        assert "--debug" in arguments or "Traceback" not in seen.err
        return subprocess.CompletedProcess(arguments, code, seen.out, seen.err)

    return call


@pytest.fixture
def stdpnet_process(tmp_path):
    """Call the command line in `tmp_path` as a process of its own, as a shell does."""

    def call(*arguments, code=0):
        result = completed(["stdpnet", *arguments], tmp_path)
        assert result.returncode == code, result.stderr
        assert "Traceback" not in result.stderr
        return result

    return call
