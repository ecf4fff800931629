"""Unusual machines: streams that are closed or full, no locks, no room, moved folders, limits of a cgroup."""

import errno
import fcntl
import io
import json
import os
import platform
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from stdpnet import machine
from stdpnet._numba.cache import MachineCode
from stdpnet.cli.common import check_new_file
from stdpnet.data import Split, contact_sheet
from stdpnet.drafts import new_draft, new_draft_folder
from stdpnet.errors import ConfigError, EngineError, RunError
from stdpnet.model import Responses, State
from stdpnet.runs import Run
from stdpnet.runs import directory as directories
from stdpnet.runs.files import write_text
from stdpnet.runs.lock import is_locked, locked
from stdpnet.stdp.network import initial_network
from stdpnet_analysis.figures import save
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
        ("{stdpnet} config list > /dev/full", 2, "error: standard output: cannot be written (No space left on device)"),
        ("{stdpnet} config list >&- 2>&-", 0, ""),
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


@pytest.mark.parametrize(
    ("limit", "allowed"), [((20, 4096), True), ((64, resource.RLIM_INFINITY), True), ((20, 40), False)]
)
def test_open_files_are_allowed_as_far_as_the_limit_goes(monkeypatch, limit, allowed):
    given = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limit)
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: given.append(both))
    if not allowed:
        with pytest.raises(
            EngineError, match=r"ulimit -n: permits 40 open files, and about 60 are needed for 2 processes; raise"
        ):
            machine.allow_open_files("2 processes", 60)
    else:
        machine.allow_open_files("2 processes", 60)
    assert given == ([(60, limit[1])] if allowed and limit[0] < 60 else [])


def no_locks(*_):
    raise OSError(errno.ENOSYS, "Function not implemented")


def test_a_file_system_without_locks_is_said_and_work_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", no_locks)
    path = tmp_path / "lock"
    with pytest.warns(UserWarning, match="this file system has no locks"), locked(path):
        assert is_locked(path)
    assert not is_locked(path)
    path.write_text(json.dumps({"pid": os.getppid(), "host": platform.node()}))
    assert is_locked(path)
    with (
        pytest.raises(RunError, match=f"written by process {os.getppid()}"),
        pytest.warns(UserWarning, match="no locks"),
        locked(path),
    ):
        pass


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\0" * 50, b'{"host": "x"}', b"[" * 9000, b'{"pid": ' + b"9" * 5000])
def test_a_lock_file_of_another_content_is_taken(tmp_path, content):
    (tmp_path / "lock").write_bytes(content)
    with locked(tmp_path / "lock") as held:
        assert held.died is None


def test_a_job_whose_folder_was_moved_writes_nothing_into_another_one(tmp_path):
    run = Run.create(lively(), tmp_path / "run", "unused")
    with run.locked():
        run.log("started")
        run.path.rename(tmp_path / "moved")
        with pytest.raises(RunError, match="was moved, removed or replaced"):
            run.log("finished")
        other = Run.create(lively(), tmp_path / "run", "unused")
        for write in (lambda: run.log("x"), lambda: run.append_row("progress", {"images": 1}), lambda: run.extend(9)):
            with pytest.raises(RunError, match="was moved, removed or replaced"):
                write()
    assert other.events() == []
    assert [event["event"] for event in Run.open(tmp_path / "moved").events()] == ["started"]


def test_of_two_jobs_with_one_default_name_the_later_takes_the_next_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    real = directories.provenance

    def slowly(spec):
        monkeypatch.setattr(directories, "provenance", real)
        Run.create(spec, None, "digits-0")  # by another process, after this one has chosen its name
        return real(spec)

    monkeypatch.setattr(directories, "provenance", slowly)
    assert Run.create(lively(), None, "digits-0").path.name == "digits-0-2"


@pytest.mark.parametrize("where", ["", "a\0b"])
def test_a_name_that_is_none_is_refused(where):
    with pytest.raises(RunError, match="is no name"):
        Run.create(lively(), where, "unused")


def test_drafts_of_dead_processes_are_removed_and_those_of_living_ones_stay(tmp_path):
    target = tmp_path / "table.md"
    mine = new_draft(target)
    dead = tmp_path / mine.name.replace(f"-{os.getpid()}-", "-999999999-")
    dead.touch()
    write_text(target, "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([mine.name, "table.md"])
    killed = new_draft_folder(tmp_path / "run")
    (killed / "config.toml").touch()
    killed.rename(tmp_path / killed.name.replace(f"-{os.getpid()}-", "-999999999-"))
    Run.create(lively(), tmp_path / "run", "unused")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([mine.name, "run", "table.md"])


def test_damaged_machine_code_is_compiled_again(tmp_path):
    code = MachineCode(str(tmp_path), "module.f-1.py311", "sources")
    code.save("float64", "the code")
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for damaged in (b"", whole[:-3], whole[:40] + b"x" + whole[41:], b"\0" * len(whole)):
        path.write_bytes(damaged)
        assert code.load("float64") is None
    code.save("float64", "the code")
    assert code.load("float64") == "the code"


@pytest.mark.parametrize("name", [".numba_config.yaml", "brian_preferences"])
def test_a_file_of_the_current_folder_that_would_be_run_is_refused(tmp_path, name):
    (tmp_path / name).write_text("raise SystemExit('executed')")
    code = "import stdpnet._numba, stdpnet.stdp.engines.brian"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert f"EngineError: {tmp_path}/{name}: " in result.stderr


def test_cores_and_memory_follow_cgroups_and_slurm(tmp_path, monkeypatch):
    inner = tmp_path / "job" / "task"
    inner.mkdir(parents=True)
    membership = tmp_path / "cgroup"
    membership.write_text("0::/job/task\n")
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    monkeypatch.setattr(machine, "MEMBERSHIP", membership)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)

    def cores():
        machine._granted_cores.cache_clear()
        return machine.available_cores()

    assert cores() == 64
    (inner / "cpu.max").write_text("max 100000\n")
    (tmp_path / "job" / "cpu.max").write_text("250000 100000\n")
    assert cores() == 3, "two and a half, rounded up"
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "2")
    assert cores() == 2
    (tmp_path / "job" / "memory.max").write_text(f"{3 * 2**20}\n")
    (tmp_path / "job" / "memory.current").write_text(f"{2 * 2**20}\n")
    assert machine.free_memory() == 2**20
    (tmp_path / "job" / "memory.stat").write_text(f"anon 5\ninactive_file {2**19}\n")
    assert machine.free_memory() == 2**20 + 2**19
    with pytest.raises(ConfigError, match=r"topology\.channels: the training needs about 8 MiB .* 2 MiB are free"):
        machine.check_memory("topology.channels", 2**22, 2**23)
    machine._granted_cores.cache_clear()


def test_names_that_look_like_markup_are_shown_as_they_are(tmp_path, stdpnet_command):
    for name in ("lr[a]=3", "x[bold]", ":smile:", "a\x1b[1m"):
        Run.create(lively(), tmp_path / "runs" / name, "unused")
    shown = stdpnet_command("runs").stdout
    for name in ("lr[a]=3", "x[bold]", ":smile:", "a\\x1b[1m"):
        assert f" {name} " in shown
    assert "\x1b" not in shown + stdpnet_command("info", "runs/a\x1b[1m").stdout


@pytest.fixture
def no_room():
    """Let no file grow beyond a few bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_every_writer_says_in_one_sentence_that_there_is_no_room(tmp_path, no_room):
    run = Run(tmp_path, lively())
    figure, split = Figure(), Split(np.zeros((2, 8, 8), np.uint8), np.arange(2), np.arange(2))
    writers = {
        "checkpoint": lambda: run.save_state(State(arrays=initial_network(run.spec).arrays())),
        "responses": lambda: run.save_responses("a", Responses(np.ones((3, 12), np.uint16), *[np.arange(3)] * 2), "k"),
        "row": lambda: run.append_row("progress", {"images": 1, "note": "x" * 100}),
        "scores": lambda: run.save_scores({"protocol": {"training_images": 1}, "readouts": {}}),
        "text": lambda: write_text(tmp_path / "a.md", "x" * 100),
        "lock": lambda: locked(tmp_path / "lock").__enter__(),
        **{form: lambda form=form: save(figure, tmp_path / f"a.{form}") for form in ("png", "pdf", "svg")},
    }
    for name, write in writers.items():
        with pytest.raises(RunError, match=r"cannot be written \(File too large\); make room"):
            write()
        assert not list(tmp_path.rglob("*.draft")), name
    with pytest.raises(OSError, match="File too large"):
        contact_sheet(split, ("a", "b"), tmp_path / "sheet.png")


def test_a_sheet_for_which_there_is_no_room_leaves_nothing(stdpnet_command, tmp_path, no_room):
    said = stdpnet_command("data", "info", "digits", "--sheet", "sheet.png", code=2).stderr
    assert said.startswith("error: sheet.png: cannot be written (File too large); make room")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * 300 + ".png", "cannot be made (File name too long)"),
        ("a file/x.png", "cannot be made (Not a directory)"),
        ("nothing/x.png", "the folder nothing does not exist"),
        ("to nowhere.png", "exists already and is never overwritten"),
        ("a file", "exists already and is never overwritten"),
        (".", "exists already and is never overwritten"),
        ("x", "'' is unknown; choose among .png"),
        ("/dev/null", "exists already and is never overwritten"),
    ],
)
def test_a_file_that_cannot_be_new_is_refused_before_work_begins(monkeypatch, tmp_path, name, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").touch()
    (tmp_path / "to nowhere.png").symlink_to("nowhere/x.png")
    with pytest.raises(ConfigError, match=rf"^--sheet .{{1,300}}: {re.escape(why)}"):
        check_new_file("--sheet", Path(name), (".png",))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train", "digits", "--threads", "99999999999999999999"), "--threads"),
        (("reproduce", "table2", "--rows", "1-100000000"), "--rows 1-100000000: must look like"),
        (("reproduce", "table2", "--rows", "²"), "--rows"),
        (("evaluate", "x", "--C", "inf"), "--C inf: is no finite number"),
        (("sweep", "/dev/zero"), "cannot be read"),
        (("train", "/dev/zero"), "neither a .toml file nor a preset"),
        (("train", "digits", "--run", ""), "is no name"),
    ],
)
def test_what_no_machine_can_do_is_refused_before_work_begins(stdpnet_command, words, said):
    assert said in stdpnet_command(*words, code=2).stderr


def test_without_compilation_a_command_says_which_variable_is_set(tmp_path):
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    words = [sys.executable, "-m", "stdpnet", "train", "digits", "--run", "run"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: NUMBA_DISABLE_JIT: is set, and stdpnet needs compiled code; unset it\n"
    assert list(tmp_path.iterdir()) == []


def test_the_home_of_an_unknown_user_is_a_folder_that_is_not_there(stdpnet_command, tmp_path):
    keys = ("--set", "dataset.name=folder", "--set", "dataset.path=~nosuchuser/x")
    said = stdpnet_command("train", "digits", *keys, code=2).stderr
    assert "~nosuchuser/x' is not a folder; give the folder that holds the class sub-folders" in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
