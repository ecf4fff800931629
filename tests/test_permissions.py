"""Other users, other repositories, little address space: what a run's reader meets on a shared machine."""

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from stdpnet import machine
from stdpnet.errors import EngineError
from stdpnet.runs import Run, provenance
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.network import initial_network
from tests.damage import call
from tests.stdp.engines.networks import lively
from tests.strangers import become_stranger, require_shared_libraries


def as_another_user(work, folder):
    """Return what `work` returns in a process of a user who owns nothing; JSON carries it."""
    require_shared_libraries()
    for each in (folder, *folder.parents):
        if each == Path(tempfile.gettempdir()):
            break
        if each.stat().st_uid == os.geteuid():  # pytest's own folders are private
            each.chmod(each.stat().st_mode | 0o055)
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        with contextlib.suppress(BaseException):
            become_stranger()
            os.write(writer, json.dumps(work()).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(answer)


def test_a_run_that_is_written_is_running_to_a_user_who_may_only_read_it(tmp_path):
    run = Run.create(lively(), tmp_path / "run", "unused")
    with run.locked():
        (run.path / "lock").chmod(0o444)
        assert Run.open(run.path).status == "running"
        assert as_another_user(lambda: Run.open(run.path).status, tmp_path) == "running"
    assert as_another_user(lambda: Run.open(run.path).status, tmp_path) == "new"


def test_a_private_folder_among_runs_hides_no_other_run(tmp_path):
    for name in ("mine", "yours"):
        Run.create(lively(), tmp_path / "runs" / name, "unused")
    words = ["runs", str(tmp_path / "runs")]
    assert call(words, tmp_path)[0] == 0  # which imports what it needs, as long as that can be read
    (tmp_path / "runs" / "mine").chmod(0o700)
    code, shown, errors, _ = as_another_user(lambda: call(words, tmp_path), tmp_path)
    assert (code, "yours" in shown, "mine" in shown) == (0, True, False)
    assert "Traceback" not in errors


def git(folder, *words):
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)


def test_a_run_is_not_said_to_be_of_the_commit_of_somebody_elses_repository(tmp_path, monkeypatch):
    module = tmp_path / "env" / "provenance.py"
    module.parent.mkdir()
    module.touch()
    git(tmp_path, "init", "-q")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "theirs")
    monkeypatch.setattr(provenance, "__file__", str(module))
    assert provenance._git_commit.__wrapped__() is None
    git(tmp_path, "add", ".")
    assert provenance._git_commit.__wrapped__().endswith("-dirty")  # its own repository knows the file


def test_an_address_space_too_small_to_compile_in_is_one_sentence(monkeypatch, tmp_path):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(machine, "STATM", tmp_path / "statm")
    (tmp_path / "statm").write_text(f"{2**29 // resource.getpagesize()} 1 1 1 0 1 0")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**29 + 2**20, 2**30))
    with pytest.raises(EngineError, match=r"ulimit -v: leaves 1 MiB .* compiling the engine takes about 256 MiB"):
        make_engine(lively(), initial_network(lively()))
    assert machine.free_memory() == 2**20
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert machine.free_address_space() is None
