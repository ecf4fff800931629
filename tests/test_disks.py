"""Unusual disks: no locks, no room, folders that were moved, drafts of dead processes, names that no file can have."""

import errno
import fcntl
import json
import os
import platform
import re
import resource
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from stdpnet.cli.common import check_new_file
from stdpnet.data import Split, contact_sheet
from stdpnet.drafts import new_draft, new_draft_folder
from stdpnet.errors import ConfigError, RunError
from stdpnet.model import Responses, State
from stdpnet.runs import Run
from stdpnet.runs import directory as directories
from stdpnet.runs.files import write_text
from stdpnet.runs.lock import is_locked, locked
from stdpnet.stdp.network import initial_network
from stdpnet_analysis.figures import save
from tests.stdp.engines.networks import lively


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


def test_a_draft_never_follows_a_link_that_somebody_has_placed_where_it_would_be(tmp_path, monkeypatch):
    folder, secret = tmp_path / "sticky", tmp_path / "secret"
    folder.mkdir()
    folder.chmod(0o1777)
    secret.write_text("kept")
    target = folder / "table.md"
    first, second = (new_draft(target) for _ in range(2))
    assert first != second, "nobody can foresee the name"
    monkeypatch.setattr("stdpnet.drafts.secrets.token_hex", lambda count: count * "00")  # who could, places a link
    guessed = new_draft(target)
    guessed.unlink()
    guessed.symlink_to(secret)
    with pytest.raises(RunError, match=r"table\.md: cannot be written \(File exists\)"):
        write_text(target, "text")
    with pytest.raises(FileExistsError):
        new_draft_folder(target)
    assert (secret.read_text(), guessed.is_symlink(), target.exists()) == ("kept", True, False)


def test_a_link_in_the_place_of_a_dead_draft_is_removed_and_not_what_it_leads_to(tmp_path):
    target, kept = tmp_path / "table.md", tmp_path / "kept"
    (kept / "inside").mkdir(parents=True)
    draft = new_draft(target)
    draft.unlink()
    dead = tmp_path / draft.name.replace(f"-{os.getpid()}-", "-999999999-")
    dead.symlink_to(kept)
    write_text(target, "text")
    assert not dead.is_symlink()
    assert (kept / "inside").is_dir()


@contextmanager
def no_room():
    """Let no file grow beyond a few bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)  # before pytest writes its own log


def test_every_writer_says_in_one_sentence_that_there_is_no_room(tmp_path):
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
        with no_room(), pytest.raises(RunError, match=r"cannot be written \(File too large\); make room"):
            write()
        assert not list(tmp_path.rglob("*.draft")), name
    with no_room(), pytest.raises(OSError, match="File too large"):
        contact_sheet(split, ("a", "b"), tmp_path / "sheet.png")


def test_a_sheet_for_which_there_is_no_room_leaves_nothing(stdpnet_command, tmp_path):
    with no_room():
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


def test_the_home_of_an_unknown_user_is_a_folder_that_is_not_there(stdpnet_command, tmp_path):
    keys = ("--set", "dataset.name=folder", "--set", "dataset.path=~nosuchuser/x")
    said = stdpnet_command("train", "digits", *keys, code=2).stderr
    assert "~nosuchuser/x' is not a folder; give the folder that holds the class sub-folders" in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
