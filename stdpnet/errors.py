"""Errors that users see; each message is one sentence that names what is wrong, the value and the remedy.

Every error can be pickled with its message and its attributes, because the processes of a cluster pass them on.
"""

import difflib
from collections.abc import Iterable
from signal import Signals
from typing import Any


class StdpnetError(Exception):
    """Base of every error that stdpnet raises on purpose; the command line prints it and exits with code 2.

    Examples
    --------
    >>> import stdpnet
    >>> try:
    ...     stdpnet.load_config("digits", {"neuron.v_tresh": -50})
    ... except stdpnet.StdpnetError as error:
    ...     print(error)
    neuron.v_tresh: unknown key; did you mean 'v_thresh'?
    """


class ConfigError(StdpnetError, ValueError):
    """A configuration is wrong: an unknown key, a value out of range, or values that do not fit together.

    Parameters
    ----------
    sentences : one for each mistake; the command line prints each on a separate line
    """

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))

    def within(self, where: str) -> "ConfigError":
        """Return this error with the name of a file before each sentence."""
        return ConfigError(*(f"{where}: {sentence}" for sentence in self.args))


class DataError(StdpnetError, ValueError):
    """A dataset is missing, damaged, or does not fit its configuration."""


class EngineError(StdpnetError, RuntimeError):
    """An engine cannot run what it was given, or violated its contract (such as: an evaluation changed the network)."""


class RunError(StdpnetError, OSError):
    """A run directory cannot be created, read or written."""


class ExtraError(StdpnetError, ImportError):
    """A package of an extra is not installed."""


class HealthError(StdpnetError, RuntimeError):
    """A network in training became unhealthy, and its configuration asks to stop then.

    Parameters
    ----------
    message : what is wrong
    fatal : whether the state of the network is useless and must not be kept
    """

    def __init__(self, message: str, fatal: bool = False) -> None:
        self.fatal = fatal
        super().__init__(message)


class StopRequestedError(StdpnetError):
    """A signal asked a training job, a sweep or a table to stop; checkpoints have been written.

    Parameters
    ----------
    message : what was stopped, and which command continues it
    number : the signal
    """

    def __init__(self, message: str, number: Signals) -> None:
        self.signal = number
        self.state: Any = None
        """The state of a training in memory (stdpnet.fit) when it stopped; None for everything else."""
        super().__init__(message, number)

    def __str__(self) -> str:
        return str(self.args[0])


def remedy_for(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Return the remedy for a name that does not exist: the most similar existing name, or all of them.

    Parameters
    ----------
    name : what was asked for
    names : what exists
    otherwise : the remedy if no name is similar; default: to choose among all of them

    Examples
    --------
    >>> remedy_for("rastr", ["raster", "votes"]), remedy_for("gif", ["png", "pdf"])
    ("did you mean 'raster'?", 'choose among png, pdf')
    """
    known = list(names)
    near = [each for each in known if each.lower() == name.lower()] or difflib.get_close_matches(name, known, 1)
    return f"did you mean '{near[0]}'?" if near else otherwise or f"choose among {', '.join(known)}"
