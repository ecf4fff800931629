"""The reference engine: the time step of docs/model.md in Brian2 (Stimberg et al. 2019, doi 10.7554/eLife.47314)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import brian2
import numpy as np
from brian2.core.base import BrianObjectException
from numpy.typing import NDArray

from stdpnet.errors import EngineError
from stdpnet.pace import announce
from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.engines.brian.groups import ORDER, Groups, check_order
from stdpnet.stdp.engines.brian.process import has_compiled, preferences, quick_collection, require_compiler
from stdpnet.stdp.engines.derive import constants
from stdpnet.stdp.engines.protocol import Outcome, Recording, Switches
from stdpnet.stdp.network import Network, normalise, to_normalise
from stdpnet.stdp.spec.experiment import STDPExperiment


class BrianEngine:
    """Brian2 behind the `Engine` protocol: float64, one thread.

    Parameters
    ----------
    spec : the experiment; simulation.brian2_target chooses Brian2's code generation target
    network : float64 state, updated in place at the end of each `present`; untouched if that fails

    Raises
    ------
    EngineError
        If the network is not float64, no compiler serves the cython target, or Brian2 would not keep the model's order.
    """

    def __init__(self, spec: STDPExperiment, network: Network) -> None:
        if network.dtype != np.float64:
            raise EngineError(f"simulation.dtype: brian2 computes in float64 only, the network is {network.dtype}")
        self.network = network
        self._spec = spec
        self._constants = constants(spec, np.dtype(np.float64))
        if spec.simulation.brian2_target == "cython":
            with preferences("cython"):
                require_compiler()
        with preferences("numpy"):  # connecting is done once: to compile it would take longer
            self._groups = Groups(spec, network, self._constants)
        operation = partial(brian2.NetworkOperation, clock=self._groups.clock)
        self._recorder = operation(self._record, when="end", name="recorder")
        self._brian = brian2.Network(self._groups.by_name.values(), self._recorder)
        # One clock, and steps counted as whole numbers: rounding of the time cannot move the border of two images.
        self._brian.add(operation(self._begin_step, when="start", order=-10, name="boundary"))
        if not network.competition.ndim:
            self._brian.add(operation(self._inhibit, when="synapses", order=ORDER["YY_transmit"], name="YY_transmit"))
        for item in self._brian.sorted_objects:  # as Brian2 does in the first run; without a run it would warn
            item._network = self._brian.id
        check_order(self._brian)

    def __repr__(self) -> str:
        return f"<BrianEngine ({self._spec.simulation.brian2_target}) of {self.network!r}>"

    def present(
        self,
        trains: SpikeTrains,
        switches: Switches,
        recording: Recording | None = None,
        learning_rates: NDArray[np.float64] | None = None,
        first_spikes: NDArray[np.int32] | None = None,
    ) -> Outcome:
        """Show presentations one after the other (see Engine.present)."""
        run = self._begin(trains, switches)
        if not len(run.counts):
            return Outcome(run.counts, 0)
        run.recording, run.first_spikes = recording, first_spikes
        if learning_rates is not None:
            run.learning_rates = learning_rates
        self._recorder.active = recording is not None or first_spikes is not None
        if self._spec.simulation.brian2_target == "cython" and not has_compiled():
            announce()
        try:
            with preferences(self._spec.simulation.brian2_target), quick_collection():
                self._brian.t_ = 0.0  # each call counts its steps from 0, so that the time keeps its precision
                self._brian.run(len(run.counts) * run.steps * self._groups.clock.dt, namespace={})
            self._groups.keep_code()
        except BrianObjectException as error:
            raise EngineError(f"Brian2 cannot run the network: {error.__cause__ or error}") from error
        self._end_presentation()
        self._groups.store(self.network)
        return Outcome(run.counts, run.unnormalised)

    def live(self, trains: SpikeTrains, switches: Switches) -> brian2.Network:
        """Return the Brian2 network, which shows at least one presentation as `present` does when it is run.

        After the last presentation it begins at rest once more, and runs on without input spikes or normalisation.
        """
        self._begin(trains, switches)
        self._recorder.active = False
        return self._brian

    def _begin(self, trains: SpikeTrains, switches: Switches) -> _Run:
        """Load the state and the input spikes of presentations; nothing is recorded yet."""
        counts = np.zeros((len(trains.offsets), *self.network.theta.shape), np.int32)
        self._run = _Run(switches=switches, steps=trains.steps, learning_rates=np.ones(len(counts)), counts=counts)
        if len(counts):
            self._groups.load(self.network, switches)
            self._groups.set_input(trains)
        return self._run

    def _begin_step(self) -> None:
        """Count steps; between two presentations, end the first and begin the second."""
        number, step = divmod(self._run.step, self._run.steps)
        if step == 0:
            presentations = len(self._run.counts)
            if 0 < number <= presentations:
                self._end_presentation()
            if number <= presentations:
                self._groups.rest(self._run.learning_rates[number] if number < presentations else 1.0)
        self._run.step += 1

    def _end_presentation(self) -> None:
        """Read the spike counts; normalise, let the competition learn, relax theta, as far as the switches allow it."""
        run, groups = self._run, self._groups
        counts = run.counts[(run.step - 1) // run.steps]
        counts.reshape(-1)[:] = groups.array("Y", "count")
        if run.switches.learn_xy:
            chosen = to_normalise(counts, self._spec)
            run.unnormalised += normalise(groups.state["weights"], self._spec.plasticity, chosen)
        if run.switches.learn_yy and groups.learned:
            groups.end_competition(counts)
        if run.switches.adapt_theta and self._constants.relaxation:
            theta = groups.state["theta"]
            np.maximum(theta - self._constants.relaxation, 0, out=theta)

    def _inhibit(self) -> None:
        """Transmit fixed competition (step 4): add what P*C*(C - 1) synapses of one weight would, in the same order."""
        spikes = self._groups.spikes()
        if not len(spikes):  # true of most steps
            return
        current = self._groups.array("Y", "I").reshape(self.network.theta.shape)
        for neuron in spikes.tolist():
            position, channel = divmod(neuron, self.network.geometry.channels)
            unchanged = current[position, channel]  # no neuron inhibits itself
            current[position] += self.network.competition
            current[position, channel] = unchanged

    def _record(self) -> None:
        """Record the values at the end of the step."""
        recording, first_spikes = self._run.recording, self._run.first_spikes
        image, step = divmod(self._run.step - 1, self._run.steps)
        if first_spikes is not None:
            first = first_spikes[image].reshape(-1)
            spiked = self._groups.spikes()
            first[spiked] = np.where(first[spiked] == 0, step + 1, first[spiked])
        if recording is None:
            return
        recording.v[image, step].reshape(-1)[:] = self._groups.array("Y", "v")
        recording.current[image, step].reshape(-1)[:] = self._groups.array("Y", "I")
        recording.theta[image, step].reshape(-1)[:] = self._groups.array("Y", "theta")
        recording.spikes[image, step].reshape(-1)[self._groups.spikes()] = True


@dataclass
class _Run:
    """The state of a call of `present`."""

    switches: Switches
    steps: int
    learning_rates: NDArray[np.float64]
    counts: NDArray[np.int32]
    recording: Recording | None = None
    first_spikes: NDArray[np.int32] | None = None
    unnormalised: int = 0
    step: int = 0
    """Steps that have begun, over all presentations."""
