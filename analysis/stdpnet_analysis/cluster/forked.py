"""Imports that every worker of a local cluster needs, made once by the process that forks the workers."""

import gc

import stdpnet.stdp.engines.compiled.engine  # noqa: F401
import stdpnet_analysis.cluster.engine  # noqa: F401
from stdpnet._numba.jit import load_registries

load_registries()
gc.freeze()  # the workers' collections then leave the memory that they share with this process as it is
