"""stdpnet: unsupervised STDP learning on images, on two engines that agree spike for spike."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stdpnet.data import load_dataset
    from stdpnet.errors import ConfigError, DataError, EngineError, RunError, StdpnetError
    from stdpnet.runs import Run
    from stdpnet.spec.load import load_config
    from stdpnet.stdp.spec.experiment import ExperimentSpec
    from stdpnet.stdp.spec.presets import preset_names
    from stdpnet.training import train

_HOMES = {
    "ConfigError": "stdpnet.errors",
    "DataError": "stdpnet.errors",
    "EngineError": "stdpnet.errors",
    "ExperimentSpec": "stdpnet.stdp.spec.experiment",
    "Run": "stdpnet.runs",
    "RunError": "stdpnet.errors",
    "StdpnetError": "stdpnet.errors",
    "load_config": "stdpnet.spec.load",
    "load_dataset": "stdpnet.data",
    "preset_names": "stdpnet.stdp.spec.presets",
    "train": "stdpnet.training",
}

__all__ = [
    "ConfigError",
    "DataError",
    "EngineError",
    "ExperimentSpec",
    "Run",
    "RunError",
    "StdpnetError",
    "load_config",
    "load_dataset",
    "preset_names",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used, so that `import stdpnet` loads neither numba nor brian2 nor h5py."""
    if name not in _HOMES:
        raise AttributeError(f"module 'stdpnet' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
