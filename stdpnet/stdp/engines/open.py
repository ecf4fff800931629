"""Make the engine that a spec names."""

from __future__ import annotations

from stdpnet.machine import check_address_space
from stdpnet.stdp.engines.protocol import Engine
from stdpnet.stdp.network import Network
from stdpnet.stdp.spec.experiment import STDPExperiment

COMPILER = 2**28
"""Bytes of address space that numba takes, at most, to compile the engine once it is imported (150 MiB measured)."""


def make_engine(spec: STDPExperiment, network: Network, threads: int | None = None) -> Engine:
    """Return the engine that spec.simulation names; it owns `network` from now on (see Engine).

    Parameters
    ----------
    spec : the experiment
    network : its state, of dtype spec.simulation.effective_dtype
    threads : how many threads may compute; default all cores; results do not depend on it

    Examples
    --------
    Show one image to an untrained network, step by step, while nothing is learned:

    >>> import numpy as np
    >>> import stdpnet
    >>> from stdpnet.random import Stream
    >>> from stdpnet.stdp.encoder import encoder_of
    >>> from stdpnet.stdp.engines.protocol import FROZEN
    >>> from stdpnet.stdp.network import initial_network
    >>> spec = stdpnet.load_config("digits", {"topology.channels": 4})
    >>> engine = stdpnet.make_engine(spec, initial_network(spec))
    >>> images = stdpnet.load_dataset(spec.dataset).test.images[:1]
    >>> engine.present(encoder_of(spec).encode(images, Stream.TEST, np.arange(1)), FROZEN).counts.shape
    (1, 9, 4)
    """
    match spec.simulation.engine:
        case "numba":
            from stdpnet.stdp.engines.compiled.engine import NumbaEngine

            check_address_space("compiling the engine", COMPILER)
            return NumbaEngine(spec, network, threads)
        case "brian2":
            from stdpnet.stdp.engines.brian.engine import BrianEngine

            return BrianEngine(spec, network)
