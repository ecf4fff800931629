import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

import stdpnet

SMALL = ["training.images=300", "topology.channels=8", "dataset.validation=100"]


@pytest.fixture(scope="session")
def client():
    """Two processes on this machine."""
    from stdpnet_analysis.cluster.pool import pool

    with pool(workers=2) as opened:
        yield opened


@pytest.fixture
def small():
    return lambda *overrides: stdpnet.load_config("digits", [*SMALL, *overrides])


class Loopback:
    """A scheduler and two workers, each a process of its own, that talk over the loopback interface, or another."""

    def __init__(self, folder, host="127.0.0.1", worker_host="127.0.0.1", within=()):
        self._worker_host, self._within = worker_host, within
        self.file = folder / "scheduler.json"
        self.workers = []
        self._log = (folder / "cluster.log").open("ab")
        self._start("dask_scheduler", "--port", "0", "--host", host, "--no-dashboard")
        self.scheduler = self.workers.pop()
        self.wait(self.file.exists)
        for _ in range(2):
            self.add_worker()

    def _start(self, name, *arguments, within=()):
        command = [
            *within,
            sys.executable,
            "-m",
            f"distributed.cli.{name}",
            "--scheduler-file",
            str(self.file),
            *arguments,
        ]
        self.workers.append(subprocess.Popen(command, stdout=self._log, stderr=self._log))

    def add_worker(self):
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", self._worker_host)
        self._start("dask_worker", *options, within=self._within)

    def kill_worker(self, pid):
        worker = next(worker for worker in self.workers if worker.pid == pid)
        os.kill(pid, signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)

    @staticmethod
    def wait(condition, seconds=180):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.05)

    def close(self):
        for process in (*self.workers, self.scheduler):
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


@pytest.fixture
def loopback(tmp_path):
    cluster = Loopback(tmp_path)
    yield cluster
    cluster.close()


@pytest.fixture
def two_hosts(tmp_path):
    """A cluster whose workers live in a network namespace of their own, as on another machine."""
    name, here, there = f"stdpnet-{os.getpid()}", "10.231.7.1", "10.231.7.2"
    inside, link = ("ip", "netns", "exec", name), f"v{os.getpid()}"[:12]
    if shutil.which("ip") is None or os.geteuid() != 0 or subprocess.run(("ip", "netns", "add", name)).returncode:
        pytest.skip("network namespaces need root and iproute2")
    try:
        for words in (
            f"ip link add {link}a type veth peer name {link}b",
            f"ip link set {link}b netns {name}",
            f"ip addr add {here}/30 dev {link}a",
            f"ip link set {link}a up",
            f"ip netns exec {name} ip addr add {there}/30 dev {link}b",
            f"ip netns exec {name} ip link set {link}b up",
            f"ip netns exec {name} ip link set lo up",
        ):
            subprocess.run(words.split(), check=True)
        cluster = Loopback(tmp_path, here, there, inside)
        yield cluster
        cluster.close()
    finally:
        subprocess.run(("ip", "netns", "delete", name), check=False)


@pytest.fixture
def stdpnet_command(tmp_path):
    """Call the command line in a folder of its own."""
    folder = tmp_path / "work"
    folder.mkdir()

    def call(*arguments, code=0):
        command = [sys.executable, "-m", "stdpnet", *arguments]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        assert result.returncode == code, result.stderr
        assert "Traceback" not in result.stderr
        return result

    call.folder = folder
    return call
