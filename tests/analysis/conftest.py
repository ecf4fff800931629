import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

import stdpnet

SMALL = ["training.images=300", "topology.channels=10", "dataset.validation=100"]


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
    """A scheduler and workers, each a process of its own, that talk over the loopback interface."""

    def __init__(self, folder):
        self.file = folder / "scheduler.json"
        self.workers = []
        self._log = (folder / "cluster.log").open("ab")
        self._start("dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard")
        self.scheduler = self.workers.pop()
        self.wait(self.file.exists)
        for _ in range(2):
            self.add_worker()

    def _start(self, name, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{name}", "--scheduler-file", str(self.file), *arguments]
        self.workers.append(subprocess.Popen(command, stdout=self._log, stderr=self._log))

    def add_worker(self):
        self._start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")

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
