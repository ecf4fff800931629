"""The errors a user can cause or meet: each message is one sentence that names what is wrong and the remedy."""


class StdpnetError(Exception):
    """Base of every error that stdpnet raises on purpose; the command line prints it and exits with code 2."""


class ConfigError(StdpnetError, ValueError):
    """A configuration is wrong: an unknown key, a value out of range, or values that do not fit together."""


class DataError(StdpnetError, ValueError):
    """A dataset is missing, damaged, or does not fit its configuration."""


class EngineError(StdpnetError, RuntimeError):
    """An engine cannot run what it was given, or broke a promise (such as: evaluation changes nothing)."""


class RunError(StdpnetError, OSError):
    """A run directory cannot be created, read or written."""
