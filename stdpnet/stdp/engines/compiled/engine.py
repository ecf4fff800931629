"""The compiled engine: float64 equal to Brian2 to the last bit, float32 for speed; threads over independent parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stdpnet.errors import EngineError
from stdpnet.parallel import available_cores, in_parallel, shares
from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.engines.compiled.blocks import Block, one_register
from stdpnet.stdp.engines.compiled.events import empty_events, find_events, layout
from stdpnet.stdp.engines.compiled.kernels import present
from stdpnet.stdp.engines.compiled.memory import allocate
from stdpnet.stdp.engines.compiled.schedule import by_group, by_presentation
from stdpnet.stdp.engines.compiled.stages import MAP, OTHER, lap_in_python, stage_seconds, stage_times
from stdpnet.stdp.engines.compiled.state import Output, Rules, lay_out
from stdpnet.stdp.engines.derive import constants
from stdpnet.stdp.engines.protocol import Outcome, Recording, Switches
from stdpnet.stdp.network import Network
from stdpnet.stdp.spec.experiment import STDPExperiment

STEP_COST = 6
"""Cost of one step of a position without its input spikes, in units of an input spike; only used to balance threads."""
SAMPLE = 16
"""Presentations from which the cost of each group is estimated."""


class NumbaEngine:
    """Simulates groups of positions that share weights, in parallel over threads.

    While something is learned a group's presentations follow one another, and threads share the groups (a convolutional
    network is one group); a frozen network's presentations are independent, and threads share them instead.

    Parameters
    ----------
    spec : the experiment
    network : its state; its arrays become views of padded ones, which are updated in place
    threads : how many threads may compute; default all cores; results do not depend on it
    lanes : neurons in a vector register; default: those of the processor; results do not depend on it
    """

    def __init__(
        self,
        spec: STDPExperiment,
        network: Network,
        threads: int | None = None,
        lanes: int | None = None,
    ) -> None:
        self.network = network
        self._threads = threads or available_cores()
        self._constants = constants(spec, network.dtype)
        channels, self._steps = network.geometry.channels, spec.simulation.steps
        self._block = Block(lanes) if lanes else one_register(network.dtype.itemsize)
        self._learned = network.competition.ndim == 3
        self._layout = layout(network.geometry)
        self._state = lay_out(network, self._layout.fields, self._block)
        positions, sets = len(self._state.theta), len(self._state.weights)
        self._memories = {
            learns: [allocate(self._state, self._steps, self._constants.xy, members) for _ in range(self._threads)]
            for learns, members in ((True, positions // sets), (False, 1))
        }
        """Scratch memory of each thread; positions that share weights are one group while something is learned."""
        self._events = empty_events(0, 0, self._steps, self._layout)
        network.weights, network.theta = self._state.weights[..., :channels], self._state.theta[..., :channels]
        if self._learned:
            network.competition = self._state.competition[..., :channels]

    def __repr__(self) -> str:
        return f"<NumbaEngine ({self._threads} threads) of {self.network!r}>"

    def present(
        self,
        trains: SpikeTrains,
        switches: Switches,
        recording: Recording | None = None,
        learning_rates: NDArray[np.float64] | None = None,
        first_spikes: NDArray[np.int32] | None = None,
    ) -> Outcome:
        """Show presentations one after the other (see Engine.present)."""
        count, dtype = len(trains.offsets), self.network.dtype
        rules = Rules.of(self._constants, switches._replace(learn_yy=switches.learn_yy and self._learned))
        factors = np.ones(count, dtype) if learning_rates is None else learning_rates.astype(dtype)
        output = Output(
            counts=np.zeros((count, *self.network.theta.shape), np.int32),
            first_spikes=np.zeros((0, 0, 0), np.int32) if first_spikes is None else first_spikes,
            recording=recording or Recording.empty(0, trains.steps, self.network),
        )
        if count == 0:
            return Outcome(output.counts, 0)
        learns = rules.learn_xy or rules.learn_yy or switches.adapt_theta
        memories = self._memories[learns]
        stages = memories[0].stages
        lap_in_python(stages, OTHER)
        self._find_events(trains)
        lap_in_python(stages, MAP)
        if learns:
            costs = self._costs(count, len(self._state.weights), trains.steps)
            plan = by_group(costs, count, self._threads)
        else:
            plan = by_presentation(len(self._state.theta), count, self._threads)

        def work(thread: int) -> int:
            memory, unnormalised = memories[thread], 0
            for piece in plan[thread]:
                if piece.after:
                    piece.after.wait()
                try:
                    unnormalised += present(
                        piece.tasks, self._events, factors, self._state, memory, rules, output, self._block
                    )
                finally:
                    if piece.done:
                        piece.done.set()
            return unnormalised

        outcome = Outcome(output.counts, sum(in_parallel(work, len(plan))))
        lap_in_python(stages, OTHER)
        return outcome

    def timed(self, trains: SpikeTrains, switches: Switches) -> tuple[Outcome, dict[str, float]]:
        """Show presentations as `present` does; return the outcome, and the seconds of each stage, of STAGES.

        Only an engine of one thread can time the stages separately. If the neurons of a position fill one block, input
        spikes depress weights in the stage `integrate`; the stage `plasticity` then has only the changes in steps in
        which neurons spike.
        """
        if self._threads > 1:
            raise EngineError(
                f"threads={self._threads}: stages are timed on one thread; make the engine with threads=1"
            )
        usual, stages = self._memories, stage_times(timed=True)
        self._memories = {learns: [memory._replace(stages=stages)] for learns, (memory,) in usual.items()}
        try:
            outcome = self.present(trains, switches)
        finally:
            self._memories = usual
        return outcome, stage_seconds(stages)

    def _find_events(self, trains: SpikeTrains) -> None:
        """Map the input spikes to strips of the image, threads sharing the presentations."""
        count, steps = len(trains.offsets), trains.steps
        spikes = int(np.max(trains.offsets[:, -1] - trains.offsets[:, 0]))
        if count > len(self._events.rows) or spikes >= self._events.rows.shape[2]:  # otherwise the memory is reused
            self._events = empty_events(count, spikes + spikes // 4, steps, self._layout)
        parts = shares(count, self._threads)
        length = max(self._events.rows.shape[2], self._events.begins.shape[2])
        scratch = np.empty((len(parts), 2, length), np.int32)

        def work(thread: int) -> None:
            part = parts[thread]
            events = self._events._replace(rows=self._events.rows[part], begins=self._events.begins[part])
            find_events(trains.pixels, trains.offsets[part], self._layout, events, scratch[thread])

        in_parallel(work, len(parts))

    def _costs(self, presentations: int, groups: int, steps: int) -> NDArray[np.float64]:
        """Return (G,) the expected cost of each group's presentations, estimated from a few of them."""
        begins = self._events.begins[: min(presentations, SAMPLE)]
        spikes = np.diff(begins, axis=2).reshape(*begins.shape[:2], steps, -1).sum(axis=(0, 2)) / len(begins)  # (p, B)
        until = np.pad(np.cumsum(spikes, axis=1), ((0, 0), (1, 0)))
        strip, first, end, _ = self._layout.fields.T
        costs = until[strip, end] - until[strip, first] + STEP_COST * steps
        return np.asarray(costs.reshape(groups, -1).sum(axis=1))
