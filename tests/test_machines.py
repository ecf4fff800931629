"""Unusual machines: limits of a cgroup, of open files and of numbers, damaged machine code, no compilation."""

import os
import resource
import subprocess
import sys

import pytest

from stdpnet import machine
from stdpnet._numba.cache import MachineCode
from stdpnet.errors import ConfigError, EngineError


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train", "digits", "--threads", "99999999999999999999"), "--threads"),
        (("reproduce", "table2", "--rows", "1-100000000"), "--rows 1-100000000: must look like"),
        (("reproduce", "table2", "--rows", "²"), "--rows"),
        (("evaluate", "x", "--C", "inf"), "--C inf: is no finite number"),
        (("reproduce", "colanet-theory", "--examples", "1" + 20 * "0"), "points in all; choose fewer"),
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
