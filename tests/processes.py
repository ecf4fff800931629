"""Programs in processes of their own, forked from a server that has imported the libraries: each starts at once."""

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from multiprocessing import forkserver
from pathlib import Path

import dask.config

IMPORTED = [
    "distributed.cli.dask_scheduler",
    "distributed.cli.dask_worker",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "stdpnet.cli",
    "stdpnet.stdp.learner",
    "stdpnet_analysis.figures",
    "stdpnet_analysis.paper.harness",
    "stdpnet_analysis.report",
    "stdpnet_analysis.sweeps.driver",
    "stdpnet_analysis.sweeps.figure",
    "tests.ready",
]
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(IMPORTED)


class Program:
    """A running Python program; its attributes and methods are those of `subprocess.Popen`.

    Parameters
    ----------
    words : name of a module, such as stdpnet, or path of a script, and the arguments
    folder : where it runs
    session : whether it leads a session of its own, so that a signal reaches all its processes
    hidden : packages that it cannot import
    """

    def __init__(self, words, folder, *, session=False, hidden=()):
        self.args = [str(word) for word in words]
        self._printed = tempfile.TemporaryDirectory()
        for name in ("1", "2"):
            Path(self._printed.name, name).touch()
        forkserver.ensure_running()
        server = forkserver._forkserver._forkserver_address
        arguments = (self.args, str(folder), dict(os.environ), self._printed.name, session, hidden, server)
        self._process = SERVER.Process(target=_become, args=arguments)
        self._process.start()
        self.pid = self._process.pid
        atexit.register(self.kill)

    @property
    def returncode(self):
        """Exit code, -n after signal n, None while it runs."""
        return self._process.exitcode

    poll = returncode.fget

    def wait(self, timeout=None):
        """Wait for its end; return the exit code."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    @property
    def printed(self):
        """What it has printed so far, and its errors."""
        return tuple(Path(self._printed.name, name).read_text() for name in ("1", "2"))

    def communicate(self, timeout=None):
        """Wait for its end; return what it printed, and its errors."""
        self.wait(timeout)
        return self.printed

    def send_signal(self, number):
        """Send it a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self):
        """Kill it, unless it has ended."""
        self.send_signal(signal.SIGKILL)


def completed(words, folder, timeout=300, **options):
    """Run a program to its end (see Program); return a subprocess.CompletedProcess."""
    program = Program(words, folder, **options)
    try:
        printed, errors = program.communicate(timeout)
    finally:
        program.kill()
    return subprocess.CompletedProcess(program.args, program.returncode, printed, errors)


def _become(words, folder, environment, printed, session, hidden, server):
    """Do in a process what the Python interpreter does at its start, and run the program."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as from a shell, also where `nohup` runs the tests
    if session:
        os.setsid()
    else:
        _fork_from(server, environment)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(f"{printed}/{stream.fileno()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream.fileno())
        stream.reconfigure(encoding="utf-8", line_buffering=True)
    sys.argv = words
    sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path not in ("", *sys.path)]
    if hidden:
        for name in [
            name for name in sys.modules if name.partition(".")[0] in {"stdpnet", "stdpnet_analysis", *hidden}
        ]:
            del sys.modules[name]  # so that stdpnet imports anew what it can
        sys.modules.update(dict.fromkeys(hidden))
    if words[0].endswith(".py"):
        sys.path.insert(0, os.path.dirname(words[0]))
        runpy.run_path(words[0], run_name="__main__")
    else:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def _fork_from(server, environment):
    """Let this process fork the workers of its pools from a server that runs already, at its address."""
    forkserver._forkserver._forkserver_address = server
    forkserver._forkserver.ensure_running = lambda: None
    dask.config.set({"distributed.nanny.environ": environment})  # which a server of its own would have inherited
