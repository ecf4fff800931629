"""A job that nothing can kill: what is done here to a training process is what happens to real ones."""

import contextlib
import errno
import json
import os
import pkgutil
import platform
import random
import re
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from stdpnet.cli.signals import SignalCatcher
from stdpnet.errors import HealthError, RunError, StopRequestedError
from stdpnet.runs import Run, directory, files
from stdpnet.training import resume, train
from tests.jobs import QUICK, StopAt, in_chunks, spec
from tests.processes import Program
from tests.stdp.engines.networks import ENGINES

LCSNN = ["competition.rule=anti_stdp", "competition.c_w=-50.0"]
CSNN = ["topology.architecture=convolutional", "competition.rule=anti_stdp"]


def assert_same_end(run, straight):
    """Assert that two runs ended in the same state, byte for byte, and tell the same story."""
    one, other = run.load_state(), straight.load_state()
    assert (one.images, one.presentations) == (other.images, other.presentations)
    for name, array in one.arrays.items():
        assert array.tobytes() == other.arrays[name].tobytes(), name
    for name, value in one.interval.items():
        np.testing.assert_array_equal(value, other.interval[name], err_msg=name)
    stories = [[{**row, "images_per_s": 0, "goal": 0} for row in each.rows("progress")] for each in (run, straight)]
    assert stories[0] == stories[1]


def start(folder, *arguments):
    return Program(["stdpnet", *arguments, "--threads", "1"], folder)


def wait_for_images(run_path, images, process, seconds=120):
    """Wait until a run has a checkpoint of so many images."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(RunError):
            if Run.open(run_path).images >= images:
                return
        time.sleep(0.02)
    raise AssertionError(process.communicate())


@pytest.mark.parametrize("network", [LCSNN, CSNN], ids=["lcsnn-learned", "csnn-learned"])
def test_a_job_killed_at_12_random_moments_ends_in_the_state_of_a_straight_run(tmp_path, network):
    moment, run_path, killed_at = random.Random(1), tmp_path / "run", []
    keys = [*QUICK, *network, "training.images=1000000"]  # a goal that no machine reaches before the last kill
    train_it = ["train", "digits", "--run", str(run_path), *(part for key in keys for part in ("--set", key))]
    while len(killed_at) < 12:
        begun = run_path.exists()
        before = Run.open(run_path).images if begun else 0
        process = start(tmp_path, *(["resume", str(run_path)] if begun else train_it))
        if len(killed_at) % 3:  # most kills wait until work is under way, the others hit the start of the program too
            wait_for_images(run_path, before + 1, process)
        time.sleep(moment.uniform(0, 0.05 if len(killed_at) % 3 else 0.3))
        assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate()
        killed_at.append(Run.open(run_path).images if run_path.exists() else 0)
    assert len(set(killed_at)) > 5, "the kills hit it in many places"
    goal = killed_at[-1] + 25
    process = start(tmp_path, "resume", str(run_path), "--images", str(goal))
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "died while it wrote this run" in errors
    keys = [*network, f"training.images={goal}", "checkpoint.every=0"]
    assert_same_end(Run.open(run_path), train(spec(*keys), tmp_path / "straight", threads=2))


@pytest.fixture(scope="module", params=["numba", "brian2-numpy"])
def straight_run(request, tmp_path_factory):
    """Return a run of 10 images on an engine, which nothing has interrupted."""
    keys = ["training.images=10", "topology.channels=5", "competition.rule=anti_stdp", "progress.every=4"]
    keys += [f"simulation.{key}={value}" for key, value in {**ENGINES[request.param], "duration": 100.0}.items()]
    run = train(spec(*keys, "encoder.max_rate=300.0"), tmp_path_factory.mktemp("straight") / "run", threads=1)
    assert run.load_state().interval["counts"].sum() > 20
    return run


@pytest.mark.parametrize("stops", [[1, 2, 3], [9], [5, 7]])
def test_any_stops_and_resumes_equal_a_straight_run(tmp_path, straight_run, stops):
    run = None
    for number, images in enumerate([*stops, 10]):
        stopper = StopAt(images)
        with contextlib.suppress(StopRequestedError):
            if run is None:
                learner = in_chunks(1)
                path = tmp_path / "run"
                train(straight_run.spec, path, threads=2, learner=learner, observers=[stopper], stop=stopper)
            else:
                learner = in_chunks(1 + number)
                resume(run, threads=1 + number % 2, learner=learner, observers=[stopper], stop=stopper)
        run = Run.open(tmp_path / "run")
        assert run.status == ("finished" if run.images == 10 else "stopped")
    assert_same_end(run, straight_run)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGUSR1, 138)]
)
def test_a_signal_finishes_the_image_writes_a_checkpoint_and_says_how_to_go_on(tmp_path, number, code):
    keys = ["--set", "training.images=1000000", "--set", "progress.every=100"]
    process = start(tmp_path, "train", "digits", "--run", str(tmp_path / "run"), *keys)
    wait_for_images(tmp_path / "run", 100, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    run = Run.open(tmp_path / "run")
    images = run.load_state().images
    assert images > 0
    assert f"run: stopped by {number.name} at image {images}; `stdpnet resume {run.path}` goes on" in errors
    assert run.status == "stopped"


@pytest.mark.parametrize(
    "phase", ["job.load_dataset", "job.Run.create", "loop.Training._report"], ids=["loading", "beginning", "a row"]
)
def test_sigterm_is_answered_with_a_word_at_once_in_every_phase_of_a_training(stdpnet_command, monkeypatch, phase):
    module, _, name = f"stdpnet.training.{phase}".rpartition(".")
    owner = pkgutil.resolve_name(module)
    real = getattr(owner, name)

    def interrupted(*arguments, **options):
        os.kill(os.getpid(), signal.SIGTERM)
        sys.stderr.write("after the signal\n")
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, interrupted)
    sets = [
        part for key in ("training.images=512", "topology.channels=8", "progress.every=256") for part in ("--set", key)
    ]
    said = stdpnet_command("train", "digits", "--run", "r", "--threads", "1", *sets, code=143).stderr
    word, after = said.index("SIGTERM: finishing the image"), said.index("after the signal")
    assert word < after
    assert re.search(r"stopped by SIGTERM at image (0|256); `stdpnet resume runs/r` goes on", said)


def test_a_signal_is_answered_with_a_word_while_a_compiler_turns_standard_error_away(capfd, monkeypatch):
    with open(2, "w", closefd=False) as stream, open(os.devnull, "w") as nowhere:
        monkeypatch.setattr(sys, "stderr", stream)
        with SignalCatcher() as stop:
            kept = os.dup(2)
            os.dup2(nowhere.fileno(), 2)
            os.kill(os.getpid(), signal.SIGTERM)
            os.dup2(kept, 2)
            os.close(kept)
    assert stop.received == signal.SIGTERM
    assert "SIGTERM: finishing the image" in capfd.readouterr().err


def test_sigterm_ends_a_command_that_keeps_what_it_has_made_at_once(stdpnet_command, monkeypatch, tmp_path):
    run = train(spec("training.images=20"), tmp_path / "run")
    seen = []

    def look(*_, **__):
        seen.append(signal.getsignal(signal.SIGTERM))
        raise RunError("looked")

    monkeypatch.setattr("stdpnet_analysis.evaluation.evaluate", look)
    stdpnet_command("evaluate", run.path, code=2)
    assert seen == [signal.SIG_DFL], "nothing waits: responses and scores appear whole or not at all"


def test_a_second_ctrl_c_leaves_at_once_with_the_checkpoint_intact(tmp_path):
    class Slow:
        every = 0

        def begin(self, job):
            pass

        def handle(self, job):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)

    pid = os.fork()
    if pid == 0:
        with SignalCatcher() as stop:
            train(
                spec("training.images=100", "checkpoint.every=1"),
                tmp_path / "run",
                threads=1,
                learner=in_chunks(10),
                observers=[Slow()],
                stop=stop,
            )
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    run = Run.open(tmp_path / "run")
    assert run.status == "failed"
    with pytest.warns(UserWarning, match=f"process {pid} died while it wrote this run"):
        assert resume(run).load_state().images == 100


def test_a_full_disk_stops_the_job_with_a_clear_word_and_loses_only_what_is_since_the_last_checkpoint(tmp_path):
    """A real full disk, where the system lets us mount a small one; else see the next test."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs is not permitted here; run as root")
    try:
        keys = ["training.images=400", "checkpoint.every=100"]
        with pytest.raises(RunError, match=r"cannot be written \(No space left on device\); make room"):
            train(spec(*keys), disk / "run", observers=[Filler(disk / "filler", at=150)])
        run = Run.open(disk / "run")
        assert run.load_state().images == 100
        (disk / "filler").unlink()
        straight = train(spec(*keys), tmp_path / "straight")
        assert_same_end(resume(run), straight)
    finally:
        subprocess.run(["umount", disk], check=True)


class Filler:
    """Fills a disk when a job has shown so many images."""

    every = 50

    def __init__(self, path, at):
        self.path, self.at = path, at

    def begin(self, job):
        pass

    def handle(self, job):
        if job.state.images == self.at:
            with contextlib.suppress(OSError), self.path.open("wb", buffering=0) as file:
                while True:
                    file.write(b"0" * 4096)


CHECKPOINTS = ["training.images=200", "checkpoint.every=20"]


@pytest.fixture(scope="module")
def run_with_checkpoints(tmp_path_factory):
    return train(spec(*CHECKPOINTS), tmp_path_factory.mktemp("straight") / "run")


@pytest.mark.parametrize("write", range(1, 5))
def test_a_write_that_fails_leaves_the_last_checkpoint(tmp_path, monkeypatch, run_with_checkpoints, write):
    real, calls = os.fsync, []

    def failing(handle):
        calls.append(handle)
        if len(calls) == 8 + write:  # past the making of the run
            raise OSError(errno.EIO, "Input/output error")
        real(handle)

    monkeypatch.setattr(files.os, "fsync", failing)
    with pytest.raises(RunError, match=r"cannot be written \(Input/output error\)"):
        train(spec(*CHECKPOINTS), tmp_path / "run")
    monkeypatch.undo()
    run = Run.open(tmp_path / "run")
    assert run.status == "failed"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it may have to fall back to the previous checkpoint, and says so
        assert 0 < run.load_state().images < 200
        assert_same_end(resume(run), run_with_checkpoints)


def test_a_read_only_run_folder_is_one_sentence(tmp_path):
    run = train(spec("training.images=40"), tmp_path / "run")
    for path in (*run.path.iterdir(), run.path):
        path.chmod(0o555)
    pid = os.fork()
    if pid == 0:  # root may write everywhere: be somebody else
        status = 1
        with contextlib.suppress(BaseException):
            if os.geteuid() == 0:
                for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
                    folder.chmod(0o755)
                os.setuid(65534)
            try:
                resume(run, 80, threads=1)
            except RunError as error:
                status = 0 if "cannot be written" in str(error) else 2
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    run.path.chmod(0o755)
    assert run.load_state().images == 40


def test_going_back_to_the_previous_checkpoint_never_pushes_it_out(tmp_path):
    run = train(spec("training.images=80"), tmp_path / "run")
    newest = run.path / "checkpoint.h5"
    newest.write_bytes(newest.read_bytes()[:-5])
    good = (run.path / "checkpoint.previous.h5").read_bytes()
    with pytest.warns(UserWarning, match=r"going on from checkpoint\.previous\.h5 at image 40"):
        resume(run)
    assert (run.path / "checkpoint.damaged.h5").exists()
    assert (run.path / "checkpoint.previous.h5").read_bytes() == good
    assert run.load_state().images == 80


def test_an_unforeseen_error_keeps_what_was_learned_and_its_reason(tmp_path):
    class Broken:
        every = 50

        def begin(self, job):
            pass

        def handle(self, job):
            raise ZeroDivisionError("a bug of an observer")

    with pytest.raises(ZeroDivisionError):
        train(spec("training.images=100"), tmp_path / "run", observers=[Broken()])
    run = Run.open(tmp_path / "run")
    assert (run.status, run.load_state().images) == ("failed", 50)
    assert run.events()[-1]["reason"] == "a bug of an observer"


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    straight = train(spec("training.images=200"), tmp_path / "straight")
    jumps = iter([1e9, -1e9] * 10_000)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    monkeypatch.setattr(directory, "now", lambda: f"{next(jumps)}")
    assert_same_end(train(spec("training.images=200"), tmp_path / "run"), straight)


def test_checkpoints_come_by_minutes_too(tmp_path, monkeypatch):
    clock = iter(range(0, 10**7, 40))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    saved = []
    monkeypatch.setattr(Run, "save_state", lambda self, state: saved.append(state.images))
    keys = ["training.images=60", "checkpoint.every=0", "checkpoint.minutes=2.0", "progress.every=10"]
    train(spec(*keys), tmp_path / "run", learner=in_chunks(10), threads=1)
    assert 1 < len(saved) < 6


def test_a_finished_run_can_be_extended_and_equals_one_that_was_longer_from_the_start(tmp_path):
    keys = ["progress.every=30"]
    straight = train(spec(*keys, "training.images=100"), tmp_path / "straight")
    run = train(spec(*keys, "training.images=50"), tmp_path / "run")
    resume(run, 100)
    assert Run.open(run.path).spec.training.images == 100
    one, other = run.load_state(), straight.load_state()
    assert one.changed_arrays(other) == []
    np.testing.assert_array_equal(one.interval["counts"], other.interval["counts"])
    with pytest.raises(RunError, match="has seen 100 images already"):
        resume(run, 60)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("tau_v = 100.0", "tau_v = 90.0", r"neuron\.tau_v = 100\.0, config\.toml now says 90\.0"),
        ('dtype = "float32"', 'dtype = "float64"', r"simulation\.dtype = float32, config\.toml now says float64"),
        ('engine = "numba"', 'engine = "brian2"', r"simulation\.engine = numba, config\.toml now says brian2"),
        ("split_seed = 0", "split_seed = 1", "was trained on images with SHA-256"),
    ],
)
def test_a_changed_run_is_refused_with_the_difference_named(tmp_path, key, value, message):
    run = train(spec("training.images=20"), tmp_path / "run")
    path = run.path / "config.toml"
    path.write_text(path.read_text().replace(key, value))
    with pytest.raises(RunError, match=message):
        resume(Run.open(run.path), 40)


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path):
    straight = train(spec("training.images=60"), tmp_path / "straight")
    run = train(spec("training.images=60"), tmp_path / "run")
    (run.path / "checkpoint.h5").unlink()
    (run.path / "checkpoint.previous.h5").unlink()
    assert_same_end(resume(run), straight)


def test_two_processes_cannot_train_one_run(tmp_path):
    run = train(spec("training.images=20"), tmp_path / "run")
    process = start(tmp_path, "resume", str(run.path), "--images", "1000000")
    wait_for_images(tmp_path / "run", 100, process)
    try:
        with pytest.raises(RunError, match=f"is being written by process {process.pid} on {platform.node()}"):
            resume(run, 40)
        second = start(tmp_path, "resume", str(run.path))
        _, errors = second.communicate(timeout=60)
        assert second.returncode == 2
        assert f"error: {run.path}: is being written by process {process.pid}" in errors
    finally:
        process.kill()
        process.communicate()


def test_an_unhealthy_network_can_stop_the_job_with_a_checkpoint(tmp_path):
    keys = ["health.action=stop", "neuron.v_thresh=1000.0", "progress.every=20"]
    with pytest.raises(HealthError, match="silent network at image 20"):
        train(spec(*keys), tmp_path / "run")
    run = Run.open(tmp_path / "run")
    assert (run.status, run.load_state().images) == ("failed", 20)
    assert json.loads((run.path / "progress.jsonl").read_text())["health"][0] == "silent network"
