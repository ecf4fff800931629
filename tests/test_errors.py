import importlib
import pickle
import pkgutil
import signal
import subprocess
import sys

import pytest

import stdpnet
import stdpnet_analysis
from stdpnet.errors import HealthError, StdpnetError, StopRequestedError

ARGUMENTS = {StopRequestedError: ("runs/a: stopped by SIGTERM", signal.SIGTERM), HealthError: ("silent", True)}
"""What an error class takes besides its message."""


def classes():
    """Return every error class of both packages, wherever it is defined."""
    for package in (stdpnet, stdpnet_analysis):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", "annarchy_peer", "bindsnet_peer")):
                importlib.import_module(module.name)
    found, waiting = [], [StdpnetError]
    while waiting:
        found.append(waiting.pop())
        waiting += found[-1].__subclasses__()
    return found


def test_every_error_can_be_made_printed_and_sent_to_another_process():
    for kind in classes():
        arguments = ARGUMENTS.get(kind, ("dataset.crop: 40 is too large; choose less",))
        error = kind(*arguments)
        assert str(error) == arguments[0]
        received = pickle.loads(pickle.dumps(error))
        assert type(received) is kind
        assert (str(received), vars(received)) == (str(error), vars(error))
        assert "__init__" not in vars(kind) or kind in ARGUMENTS


def test_a_stop_keeps_its_signal_on_the_way_to_another_process():
    stop = pickle.loads(pickle.dumps(StopRequestedError("runs/a: stopped", signal.SIGUSR1)))
    assert (str(stop), stop.signal) == ("runs/a: stopped", signal.SIGUSR1)


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [("ConfigError('a')", 2, "error: a"), ("StopRequestedError('b', signal.SIGTERM)", 143, "b")],
)
def test_the_command_line_prints_an_error_and_exits_with_its_code(error, code, text):
    program = (
        "import signal, stdpnet.cli\nfrom stdpnet.errors import *\n"
        f"def fail(): raise {error}\nstdpnet.cli._command = lambda: fail\nstdpnet.cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, f"{text}\n")
