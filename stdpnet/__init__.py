"""stdpnet: unsupervised STDP learning on images, on two engines that agree spike for spike.

`load_config` returns an experiment by name, `fit` trains it on arrays and `respond` asks it; `train` does the same on a
run directory that survives interruptions, and `Run` reads it. `STDPFeatures` is a scikit-learn
transformer.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stdpnet.api import fit, respond
    from stdpnet.data import load_dataset
    from stdpnet.errors import (
        ConfigError,
        DataError,
        EngineError,
        HealthError,
        RunError,
        StdpnetError,
        StopRequestedError,
    )
    from stdpnet.model import Responses, State
    from stdpnet.runs import Run
    from stdpnet.spec.load import load_config
    from stdpnet.spec.presets import preset_names
    from stdpnet.stdp.engines.open import make_engine
    from stdpnet.stdp.network import Network
    from stdpnet.stdp.spec.experiment import STDPExperiment
    from stdpnet.training import resume, train

_HOMES = {
    "ConfigError": "stdpnet.errors",
    "DataError": "stdpnet.errors",
    "EngineError": "stdpnet.errors",
    "HealthError": "stdpnet.errors",
    "Network": "stdpnet.stdp.network",
    "Responses": "stdpnet.model",
    "Run": "stdpnet.runs",
    "RunError": "stdpnet.errors",
    "STDPExperiment": "stdpnet.stdp.spec.experiment",
    "State": "stdpnet.model",
    "StdpnetError": "stdpnet.errors",
    "StopRequestedError": "stdpnet.errors",
    "fit": "stdpnet.api",
    "load_config": "stdpnet.spec.load",
    "load_dataset": "stdpnet.data",
    "make_engine": "stdpnet.stdp.engines.open",
    "preset_names": "stdpnet.spec.presets",
    "respond": "stdpnet.api",
    "resume": "stdpnet.training",
    "train": "stdpnet.training",
}

__all__ = [
    "ConfigError",
    "DataError",
    "EngineError",
    "HealthError",
    "Network",
    "Responses",
    "Run",
    "RunError",
    "STDPExperiment",
    "State",
    "StdpnetError",
    "StopRequestedError",
    "fit",
    "load_config",
    "load_dataset",
    "make_engine",
    "preset_names",
    "respond",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used, so that `import stdpnet` loads neither numba nor brian2 nor h5py."""
    if name not in _HOMES:
        raise AttributeError(f"module 'stdpnet' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
