"""stdpnet: unsupervised STDP learning on images, on two engines that agree spike for spike.

An experiment
    `load_config` returns one by the name of a preset (`preset_names`) or TOML file; `STDPExperiment` is its class;
    `spec.updated({"plasticity.A_plus": 0.01})` returns a changed one. `load_dataset` loads its images.
In memory
    `fit` trains on arrays of images and returns a `State`; `respond` returns the spike counts of a trained one as
    `Responses`. `STDPFeatures` does both as a scikit-learn transformer. `Events` are recordings of an event camera,
    which can take the place of images.
As a job
    `train` trains as `fit` does, and keeps everything in a run directory that survives interruptions; `resume`
    continues such a run, and `Run` reads it.
Below that
    `Network` is the state of a spiking network, and `make_engine` returns an engine that simulates it; `to_brian2`
    returns it as a live Brian2 network, `to_nir` as a graph of the Neuromorphic Intermediate Representation.
Errors
    Every error raised on purpose is a `StdpnetError`: `ConfigError`, `DataError`, `EngineError`, `RunError`,
    `HealthError` (the training went wrong), `StopRequestedError` (it was interrupted; `fit` continues from the
    error's `state`).
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
    from stdpnet.events import Events
    from stdpnet.model import Responses, State
    from stdpnet.runs import Run
    from stdpnet.spec.load import load_config
    from stdpnet.spec.presets import preset_names
    from stdpnet.stdp.engines.open import make_engine
    from stdpnet.stdp.live import to_brian2
    from stdpnet.stdp.network import Network
    from stdpnet.stdp.spec.experiment import STDPExperiment
    from stdpnet.training import resume, train
    from stdpnet_analysis.estimator import STDPFeatures
    from stdpnet_analysis.nir_graph import to_nir

_HOMES = {
    "ConfigError": "stdpnet.errors",
    "DataError": "stdpnet.errors",
    "EngineError": "stdpnet.errors",
    "Events": "stdpnet.events",
    "HealthError": "stdpnet.errors",
    "Network": "stdpnet.stdp.network",
    "Responses": "stdpnet.model",
    "Run": "stdpnet.runs",
    "RunError": "stdpnet.errors",
    "STDPExperiment": "stdpnet.stdp.spec.experiment",
    "STDPFeatures": "stdpnet_analysis.estimator",
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
    "to_brian2": "stdpnet.stdp.live",
    "to_nir": "stdpnet_analysis.nir_graph",
    "train": "stdpnet.training",
}

__all__ = [
    "ConfigError",
    "DataError",
    "EngineError",
    "Events",
    "HealthError",
    "Network",
    "Responses",
    "Run",
    "RunError",
    "STDPExperiment",
    "STDPFeatures",
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
    "to_brian2",
    "to_nir",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used, so that `import stdpnet` loads neither numba nor brian2 nor h5py."""
    if name not in _HOMES:
        raise AttributeError(f"module 'stdpnet' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
