"""A cluster of real processes on this machine."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from tests.processes import Program


class Loopback:
    """A scheduler and two workers, each a process of its own, that talk over the loopback interface, or another.

    Parameters
    ----------
    folder : for the scheduler's file and the logs
    host, worker_host : interfaces
    within : words of a command within which the workers run
    tls : files of authority, certificate and key; none: no encryption
    """

    def __init__(self, folder, host="127.0.0.1", worker_host="127.0.0.1", within=(), tls=()):
        self._worker_host, self._within = worker_host, within
        options = ("--tls-ca-file", "--tls-cert", "--tls-key")
        self._tls = [word for pair in zip(options, tls, strict=False) for word in pair]
        self.file = folder / "scheduler.json"
        self.workers = []
        self._log = (folder / "cluster.log").open("ab")
        self._start("dask_scheduler", "--port", "0", "--host", host, "--no-dashboard")
        self.scheduler = self.workers.pop()
        self.wait(self.file.exists)
        for _ in range(2):
            self.add_worker()

    def _start(self, name, *arguments, within=()):
        words = [f"distributed.cli.{name}", "--scheduler-file", self.file, *self._tls, *arguments]
        if within:
            command = [*within, sys.executable, "-m", *map(str, words)]
            self.workers.append(subprocess.Popen(command, stdout=self._log, stderr=self._log))
        else:
            self.workers.append(Program(words, self.file.parent))

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
