"""Measure plasticity windows: show pairs of spikes to an engine and compare the weights before and after.

The rule itself is not evaluated here. One presentation measures a whole window, by many synapses with different
intervals. Each spike of a neuron is forced by a driver pixel of overwhelming weight, which spikes one step earlier
(docs/model.md, step 4).
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.errors import EngineError
from stdpnet.spec.topology import TopologySpec
from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.engines.derive import constants
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import Switches
from stdpnet.stdp.network import Network, initial_network
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet.stdp.spec.plasticity import CompetitionSpec

DRIVE = 1e6
"""Weight of a driver pixel, mV: above any threshold, whatever the inhibition."""
LEAD = 2
"""Steps before the earliest spike."""
BALLAST = -1e9
"""Weight that keeps the sum of a neuron's weights below 0, so that normalisation leaves them as they are."""


class Window(NamedTuple):
    """Change of a weight by one pair of spikes."""

    intervals: NDArray[np.float64]
    """(K,) t_post - t_pre, ms."""
    changes: NDArray[np.float64]
    """(K,) change of the weight, mV; at interval 0 potentiation and depression together."""


def measure_window(spec: STDPExperiment, rule: Literal["XY", "YY"], span: float = 80.0) -> Window:
    """Return a plasticity window as the engine of an experiment computes it, in its arithmetic.

    Parameters
    ----------
    spec : the experiment: rule, time step and engine are taken from it
    rule : XY, the feedforward synapses; YY, the learned competition
    span : largest interval, ms

    Raises
    ------
    EngineError
        If the rule knows no pairs, or a neuron did not spike exactly once: the protocol would not have measured pairs.
    """
    if rule == "YY" and spec.competition.rule == "anti_hebbian":
        raise EngineError(
            "competition.rule: anti_hebbian has no window; it learns from counts, not from pairs of spikes"
        )
    reach = max(1, round(span / spec.simulation.dt))
    lags = np.arange(-reach, reach + 1)
    return (_measure_xy if rule == "XY" else _measure_yy)(spec, lags)


def _measure_xy(spec: STDPExperiment, lags: NDArray[np.intp]) -> Window:
    """One neuron spikes once, at the middle; each tested pixel spikes once, `lag` steps before that."""
    middle, tested = LEAD + int(lags[-1]), len(lags)
    small = _protocol(spec, pixels=tested + 2, channels=1, lags=lags)
    network = initial_network(small)
    driver, ballast = tested, tested + 1
    network.weights[...] = 0
    network.weights[0, driver], network.weights[0, ballast] = DRIVE, BALLAST
    network.theta[...] = 0
    when = np.append(middle - lags, middle - 1)
    trains = _trains(when, np.append(np.arange(tested), driver), small.simulation.steps)
    _present(small, network, trains, Switches(learn_xy=True, learn_yy=False, adapt_theta=False))
    return Window(spec.simulation.dt * lags.astype(np.float64), network.weights[0, :tested, 0].astype(np.float64))


def _measure_yy(spec: STDPExperiment, lags: NDArray[np.intp]) -> Window:
    """Neuron 0 spikes once, at the middle; every other neuron of its position once, `lag` steps after it."""
    middle, channels = LEAD + int(lags[-1]), len(lags) + 1
    small = _protocol(spec, pixels=channels, channels=channels, lags=lags)
    network = initial_network(small)
    network.weights[...] = 0
    network.weights[0, np.arange(channels), np.arange(channels)] = DRIVE  # pixel i drives neuron i
    network.theta[...] = 0
    yy = constants(small, network.dtype).yy
    before = -2 * (abs(yy.pairs.A_plus) + abs(yy.pairs.A_minus) * (1 + yy.resting)) - 1  # never near the bound of 0
    network.competition[...] = np.where(np.eye(channels, dtype=bool), 0.0, before)
    when = np.append(middle, middle + lags) - 1
    trains = _trains(when, np.arange(channels), small.simulation.steps)
    _present(small, network, trains, Switches(learn_xy=False, learn_yy=True, adapt_theta=False))
    return Window(
        spec.simulation.dt * lags.astype(np.float64), network.competition[0, 0, 1:].astype(np.float64) - before
    )


def _protocol(spec: STDPExperiment, pixels: int, channels: int, lags: NDArray[np.intp]) -> STDPExperiment:
    """Return the experiment with one position, at least `pixels` pixels, wide bounds, and no change but by the rule."""
    side, steps = math.ceil(math.sqrt(pixels)), 2 * LEAD + 2 * int(lags[-1])
    architecture = spec.topology.architecture
    kernel = None if architecture == "fully_connected" else side
    free = {"w_min": 2 * BALLAST, "w_max": -2 * BALLAST}
    competition = CompetitionSpec(rule="none")
    if channels > 1:
        rule = spec.competition.rule if spec.competition.is_learned else "anti_stdp"
        competition = spec.competition.updated({"rule": rule, "drift": 0.0, "w_min": 2 * BALLAST, "w_max": 0.0})
    return STDPExperiment(
        seed=spec.seed,
        dataset=spec.dataset.updated({"crop": side}),
        topology=TopologySpec(architecture=architecture, channels=channels, kernel=kernel),
        neuron=spec.neuron.updated({"target_rate": 0.0}),
        plasticity=spec.plasticity.updated({"half_life": 0.0, **free}),
        competition=competition,
        simulation=spec.simulation.updated({"duration": steps * spec.simulation.dt}),
    )


def _trains(when: NDArray[np.intp], pixels: NDArray[np.intp], steps: int) -> SpikeTrains:
    """Return one presentation in which each pixel spikes once."""
    order = np.lexsort((pixels, when))
    offsets = np.searchsorted(when[order], np.arange(steps + 1)).astype(np.int64)
    return SpikeTrains(pixels[order].astype(np.int32), offsets[np.newaxis])


def _present(spec: STDPExperiment, network: Network, trains: SpikeTrains, switches: Switches) -> None:
    """Show the presentation to an engine that owns the network, which is up to date after it."""
    counts = make_engine(spec, network, threads=1).present(trains, switches).counts
    if not (counts == 1).all():
        raise EngineError(
            f"{spec.simulation.engine} engine: the pair protocol needs one spike of each neuron, got "
            f"{counts.min()} to {counts.max()}; choose a larger neuron.v_thresh or a smaller span"
        )
