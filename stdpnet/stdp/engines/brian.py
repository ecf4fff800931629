"""The reference engine: MODEL's time step told to Brian2 (Stimberg et al. 2019, doi 10.7554/eLife.47314).

The equations below say what is computed; how one step of them is computed is spelled out, operation by operation,
because the compiled engine must find the same numbers to the last bit (MODEL, Brian2 and the compiled engine).
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pooch
from brian2.codegen.runtime.cython_rt import CythonCodeObject
from brian2.core.base import BrianObjectException
from brian2.groups.group import CodeRunner
from brian2.utils.logger import catch_logs
from numpy.typing import NDArray

from stdpnet.encoding import SpikeTrains
from stdpnet.errors import EngineError
from stdpnet.stdp.engines.constants import Constants
from stdpnet.stdp.engines.derive import constants
from stdpnet.stdp.engines.protocol import Outcome, Recording, Switches
from stdpnet.stdp.network import Network, normalise
from stdpnet.stdp.spec.experiment import ExperimentSpec

# No fused multiply-add, no reassociation: each rounds differently from the plain operations.
COMPILER_FLAGS = ("-w", "-O3", "-std=c++11", "-ffp-contract=off")
STEP = (
    "boundary W_stateupdater XT_stateupdater Y_stateupdater X Y_spike_thresholder XY_transmit YY_transmit "
    "XX_trace Y_spike_resetter XY_depress YY_depress XY_potentiate YY_potentiate W_apply recorder"
)
"""What Brian2 runs in one step, in MODEL's order, but for the reset: plasticity reads nothing that it changes."""
OPTIONAL = {"YY_transmit", "YY_depress", "YY_potentiate", "W_stateupdater", "W_apply"}
ORDER = {"XY_transmit": -30, "YY_transmit": -20, "XX_trace": -10, "depress": 10, "potentiate": 20}
"""Brian2's `order` in the slot `synapses`, so that STEP comes true."""
SPIKE = {True: "{0} = {0} + 1", False: "{0} = 1"}  # what a spike does to its trace: all_to_all, nearest

# Else an uncaught error of any part of the program would be presented as one of Brian2's.
brian2.prefs["logging.display_brian_error_message"] = False


class BrianEngine:
    """Brian2 behind the `Engine` protocol: float64, one thread.

    Parameters
    ----------
    spec : the experiment; simulation.brian2_target chooses Brian2's code generation target
    network : float64 state, updated in place at the end of each `present`; untouched if that fails

    Raises
    ------
    EngineError
        If the network is not float64, no compiler serves the cython target, or Brian2 would not keep MODEL's order.
    """

    def __init__(self, spec: ExperimentSpec, network: Network) -> None:
        if network.dtype != np.float64:
            raise EngineError(f"simulation.dtype: brian2 computes in float64 only, the network is {network.dtype}")
        self.network = network
        self._spec = spec
        self._numbers = constants(spec, np.dtype(np.float64))
        with _preferences(spec.simulation.brian2_target):
            if spec.simulation.brian2_target == "cython":
                _require_compiler()
            self._groups = _Groups(spec, network, self._numbers)
        operation = partial(brian2.NetworkOperation, clock=self._groups.clock)
        self._recorder = operation(self._record, when="end", name="recorder")
        self._brian = brian2.Network(self._groups.by_name.values(), self._recorder)
        # One clock, and whole steps counted in here: no boundary between images can slip by rounding of the time.
        self._brian.add(operation(self._begin_step, when="start", order=-10, name="boundary"))
        if not network.competition.ndim:
            self._brian.add(operation(self._inhibit, when="synapses", order=ORDER["YY_transmit"], name="YY_transmit"))
        for item in self._brian.sorted_objects:  # which Brian2 would do at the first run, and warn if there is none
            item._network = self._brian.id
        check_order(self._brian)

    def present(
        self,
        trains: SpikeTrains,
        switches: Switches,
        recording: Recording | None = None,
        learning_rates: NDArray[np.float64] | None = None,
    ) -> Outcome:
        """Show presentations one after the other (see Engine.present)."""
        counts = np.zeros((len(trains.offsets), *self.network.theta.shape), np.int32)
        rates = np.ones(len(counts)) if learning_rates is None else learning_rates
        self._run = run = _Run(switches, trains.steps, rates, counts, recording)
        if not len(counts):
            return Outcome(counts, 0)
        self._groups.load(self.network, switches)
        self._groups.set_input(trains)
        self._recorder.active = recording is not None
        try:
            with _preferences(self._spec.simulation.brian2_target), _quick_collection():
                self._brian.t_ = 0.0  # each call counts its steps from 0: time cannot outgrow its precision
                self._brian.run(len(counts) * run.steps * self._groups.clock.dt, namespace={})
        except BrianObjectException as error:
            raise EngineError(f"Brian2 cannot run the network: {error.__cause__ or error}") from error
        self._end_presentation()
        self._groups.store(self.network)
        return Outcome(counts, run.unnormalised)

    def _begin_step(self) -> None:
        """Count steps; between presentations do what MODEL asks for there."""
        if self._run.step % self._run.steps == 0:
            if self._run.step:
                self._end_presentation()
            self._groups.rest(self._run.rates[self._run.step // self._run.steps])
        self._run.step += 1

    def _end_presentation(self) -> None:
        """Take the counts; normalise, end the competition's rule, and relax theta, as far as they are learning."""
        run, groups = self._run, self._groups
        counts = run.counts[(run.step - 1) // run.steps]
        counts.reshape(-1)[:] = groups.array("Y", "count")
        if run.switches.learn_xy:
            run.unnormalised += normalise(groups.state["weights"], self._spec.plasticity)
        if run.switches.learn_yy and groups.learned:
            groups.end_competition(counts)
        if run.switches.adapt_theta and self._numbers.relaxation:
            theta = groups.state["theta"]
            np.maximum(theta - self._numbers.relaxation, 0, out=theta)

    def _inhibit(self) -> None:
        """Transmit fixed competition: the additions, in their order, of P*C*(C - 1) synapses of one weight."""
        spikes = self._groups.spikes()
        if not len(spikes):  # at most steps, and this function runs at each
            return
        current = self._groups.array("Y", "I").reshape(self.network.theta.shape)
        for neuron in spikes.tolist():
            position, channel = divmod(neuron, self.network.geometry.channels)
            own = current[position, channel]
            current[position] += self.network.competition
            current[position, channel] = own

    def _record(self) -> None:
        """Write the end of the step."""
        recording = self._run.recording
        assert recording is not None
        image, step = divmod(self._run.step - 1, self._run.steps)
        recording.v[image, step].reshape(-1)[:] = self._groups.array("Y", "v")
        recording.current[image, step].reshape(-1)[:] = self._groups.array("Y", "I")
        recording.theta[image, step].reshape(-1)[:] = self._groups.array("Y", "theta")
        recording.spikes[image, step].reshape(-1)[self._groups.spikes()] = True


@dataclass
class _Run:
    """One call of `present` as it goes on."""

    switches: Switches
    steps: int
    rates: NDArray[np.float64]
    counts: NDArray[np.int32]
    recording: Recording | None
    unnormalised: int = 0
    step: int = 0  # how many have begun, over all presentations


class _Groups:
    """The Brian2 groups and synapses of a network, named as in MODEL.

    X: the input spikes; XT: their traces, set through the synapses XX; Y: the neurons; XY: feedforward synapses, in the
    order of Network.weights; W: the shared kernels of a convolutional network; YY: learned competition, row by row.
    """

    def __init__(self, spec: ExperimentSpec, network: Network, numbers: Constants) -> None:
        geometry, ms = network.geometry, brian2.ms
        self._numbers = numbers
        self.learned = network.competition.ndim == 3 and geometry.channels > 1
        self.off_diagonal = ~np.eye(geometry.channels, dtype=bool)
        self.clock = clock = brian2.Clock(spec.simulation.dt * ms)
        none: NDArray[np.int32] = np.zeros(0, np.int32)
        namespace = {**numbers.xy._asdict(), "tau_plus": spec.plasticity.tau_plus * ms}
        decay = {"method": lambda *_: "x = x*decay_pre", "namespace": namespace}
        self.by_name = {
            "X": brian2.SpikeGeneratorGroup(geometry.pixels, none, none * ms, clock=clock, name="X"),
            "XT": brian2.NeuronGroup(geometry.pixels, "dx/dt = -x/tau_plus : 1", **decay, clock=clock, name="XT"),
            "Y": _neurons(spec, geometry.neurons, numbers, self.learned, clock),
        }
        xx = self._synapses("XX", "X", "XT", "", {"trace": SPIKE[numbers.xy.accumulate].format("x_post")}, {})
        xx.connect(i=np.arange(geometry.pixels), j=np.arange(geometry.pixels))
        self._connect_input(network)
        if self.learned:
            self._connect_competition(network)
        weights = self.array("W" if geometry.shared else "XY", "w").reshape(network.weights.shape)
        self.state = {"weights": weights, "theta": self.array("Y", "theta").reshape(network.theta.shape)}

    def array(self, group: str, variable: str) -> NDArray[Any]:
        """Return the memory of a state variable, writeable."""
        values: NDArray[Any] = self.by_name[group].variables[variable].get_value()
        return values

    def spikes(self) -> NDArray[np.int32]:
        """Return the neurons that spike in this step, ascending."""
        space = self.array("Y", "_spikespace")
        return space[: space[-1]]

    def load(self, network: Network, switches: Switches) -> None:
        """Give the network's state to Brian2, and let run only what the switches ask for."""
        neuron, xy = self._numbers.neuron, self.by_name["XY"]
        for name, values in self.state.items():
            values[:] = network.arrays()[name]
        self.array("Y", "theta_factor")[:] = neuron.decay_theta if switches.adapt_theta else 1.0
        self.array("Y", "theta_jump")[:] = neuron.theta_plus if switches.adapt_theta else 0.0
        # A pathway of amplitude 0 changes nothing, as weights are always within their bounds; depression is costly.
        numbers = self._numbers
        xy.depress.active = switches.learn_xy and bool(numbers.xy.A_minus)
        for operation in (xy.potentiate, self.by_name["XX"].trace, self.by_name["XT"].state_updater):
            operation.active = switches.learn_xy and bool(numbers.xy.A_plus)
        if "W" in self.by_name:
            self._apply.active = switches.learn_xy
        if self.learned:
            yy = self.by_name["YY"]
            self.array("YY", "c")[:] = network.competition[:, self.off_diagonal].ravel()
            yy.depress.active = switches.learn_yy and bool(numbers.yy.pairs.A_minus)
            yy.potentiate.active = switches.learn_yy and bool(numbers.yy.pairs.A_plus)

    def store(self, network: Network) -> None:
        """Give the state back to the network."""
        for name, values in self.state.items():
            network.arrays()[name][:] = values
        if self.learned:
            network.competition[:, self.off_diagonal] = self.array("YY", "c").reshape(len(network.competition), -1)

    def set_input(self, trains: SpikeTrains) -> None:
        """Hand over the input spikes, presentation after presentation."""
        pixels = np.concatenate([trains.pixels[row[0] : row[-1]] for row in trains.offsets])
        steps = np.repeat(np.arange(len(trains.offsets) * trains.steps), np.diff(trains.offsets).ravel())
        self.by_name["X"].set_spikes(pixels, steps * self.clock.dt, sorted=True)

    def rest(self, rate: float) -> None:
        """Begin a presentation with this factor of the learning rate."""
        zero = {"I": 0, "count": 0, "y": 0} | ({"a": 0, "b": 0} if self.learned else {})
        never = -1e4  # s, Brian2's own time of the last spike of a neuron that never spiked
        resting = {"v": self._numbers.neuron.v_rest, "lastspike": never, "not_refractory": True, **zero}
        for name, value in resting.items():
            self.array("Y", name)[:] = value
        self.array("XT", "x")[:] = 0
        self.array("XY", "rate")[:] = rate
        if "W" in self.by_name:
            self.array("W", "dw")[:] = 0  # not 0 after a call that was interrupted within a step

    def end_competition(self, counts: NDArray[np.int32]) -> None:
        """Let the competition learn from the spike counts (P, C) of a presentation, and drift."""
        c, yy = self.array("YY", "c"), self._numbers.yy
        low, high = yy.pairs.w_min, yy.pairs.w_max
        if yy.eta:
            products = (counts[:, :, None] * counts[:, None, :])[:, self.off_diagonal].ravel()
            np.clip(c - yy.eta * (products - yy.expected), low, high, out=c)
        if yy.drift:
            np.clip(c + yy.drift, low, high, out=c)

    def _synapses(
        self, name: str, pre: str, post: str, model: str, on_pre: dict[str, str], on_post: dict[str, str]
    ) -> Any:
        """Create synapses, to be connected."""
        ends, codes = (self.by_name[pre], self.by_name[post]), {"on_pre": on_pre, "on_post": on_post}
        xy, yy = self._numbers.xy, self._numbers.yy
        namespace = {**yy.pairs._asdict(), "resting": yy.resting} if name == "YY" else xy._asdict()
        synapses = brian2.Synapses(*ends, model, **codes, namespace=namespace, clock=self.clock, name=name)
        for operation in (*on_pre, *on_post):
            getattr(synapses, operation).order = ORDER.get(f"{name}_{operation}", ORDER.get(operation))
        self.by_name[name] = synapses
        return synapses

    def _connect_input(self, network: Network) -> None:
        """Create XY, and W where kernels are shared."""
        geometry = network.geometry
        model = "x : 1 (linked)\nrate : 1 (shared)\n" + (
            "wi : integer\nw : 1 (linked)\ndw : 1 (linked)" if geometry.shared else "w : 1"
        )
        change = "dw = dw {}" if geometry.shared else "w = clip(w {}, w_min, w_max)"
        on_pre = {"transmit": "I_post += w", "depress": change.format("- A_minus*rate*y_post")}
        xy = self._synapses("XY", "X", "Y", model, on_pre, {"potentiate": change.format("+ A_plus*rate*x")})
        inside = geometry.receptive_field_rows() >= 0
        pixels = np.nonzero(inside)[1].reshape(geometry.positions, -1, 1)  # (P, k*k, 1)
        pre, post = np.broadcast_arrays(pixels, np.arange(geometry.neurons).reshape(geometry.positions, 1, -1))
        xy.connect(i=pre.ravel(), j=post.ravel())
        xy.x = brian2.linked_var(self.by_name["XT"], "x", index="i")
        if geometry.shared:
            keys = {"namespace": self._numbers.xy._asdict(), "clock": self.clock, "name": "W"}
            self.by_name["W"] = w = brian2.NeuronGroup(network.weights.size, "w : 1\ndw : 1", **keys)
            code = "w = clip(w + dw, w_min, w_max)\ndw = 0"
            self._apply = w.run_regularly(code, clock=self.clock, when="after_synapses", name="W_apply")
            xy.wi = np.tile(np.arange(len(w)), geometry.positions)
            xy.w, xy.dw = (brian2.linked_var(w, name, index="wi") for name in ("w", "dw"))

    def _connect_competition(self, network: Network) -> None:
        """Create YY, the learned competition."""
        change = "c = clip(c {}, w_min, w_max)"
        on_pre = {"transmit": "I_post += c", "depress": change.format("- A_minus*(b_post - resting)")}
        on_post = {"potentiate": change.format("+ A_plus*a_pre")}
        yy = self._synapses("YY", "Y", "Y", "c : 1", on_pre, on_post)
        first = np.arange(network.geometry.positions)[:, None] * network.geometry.channels  # neuron of each position
        pre, post = np.nonzero(self.off_diagonal)
        yy.connect(i=(first + pre).ravel(), j=(first + post).ravel())


def _neurons(spec: ExperimentSpec, count: int, numbers: Constants, learned: bool, clock: Any) -> Any:
    """Return the group Y; its `method` is one step of the equations, written so that it rounds as MODEL's words do."""
    ms, xy, yy = brian2.ms, spec.plasticity, spec.competition
    model = """
        dv/dt = (v_rest - v)/tau_v : 1 (unless refractory)  # membrane potential, mV
        dtheta/dt = -theta/tau_theta : 1                    # adaptive part of the threshold, mV
        I : 1                                               # what arrived, for the next step, mV
        count : integer                                     # spikes of this presentation
        theta_factor : 1 (shared)                           # decay_theta, or 1 while theta is frozen
        theta_jump : 1 (shared)                             # theta_plus, or 0 while theta is frozen, mV
    """
    step = ["v = v_rest + (v - v_rest)*decay_v", "v = v + I", "I = 0", "theta = theta*theta_factor"]
    spike = ["v = v_reset", "theta = theta + theta_jump", "count = count + 1"]
    namespace = {**numbers.neuron._asdict(), "tau_v": spec.neuron.tau_v * ms, "tau_theta": spec.neuron.tau_theta * ms}
    traces = [("y", xy.tau_minus, numbers.xy, numbers.xy.decay_post)]
    if learned:
        pairs = numbers.yy.pairs
        traces += [("a", yy.tau_plus, pairs, pairs.decay_pre), ("b", yy.tau_minus, pairs, pairs.decay_post)]
    for trace, tau, rule, decay in traces:
        model += f"d{trace}/dt = -{trace}/tau_{trace} : 1\n"
        step.append(f"{trace} = {trace}*decay_{trace}")
        spike.append(SPIKE[rule.accumulate].format(trace))
        namespace |= {f"tau_{trace}": tau * ms, f"decay_{trace}": decay}
    group = brian2.NeuronGroup(
        count,
        model,
        method=lambda *_: "\n".join(step),
        threshold="v >= v_thresh + theta",
        refractory=(numbers.neuron.refractory_steps + 1) * clock.dt,  # Brian2 counts the step of the spike too
        namespace=namespace,
        clock=clock,
        name="Y",
    )
    group.run_on_event("spike", "\n".join(spike), when="synapses", order=-10)
    return group


def check_order(network: Any) -> None:
    """Raise EngineError unless a brian2.Network runs in one step what STEP says, in that order."""
    runs = [item.name for item in network.sorted_objects if isinstance(item, (CodeRunner, brian2.NetworkOperation))]
    wanted = [name for name in STEP.split() if name in runs or name not in OPTIONAL]
    if runs != wanted:
        raise EngineError(f"Brian2 would run the operations of a step as {runs}, MODEL asks for {wanted}")


def cache_folder(flags: tuple[str, ...] = COMPILER_FLAGS) -> Path:
    """Return where compiled code of these compiler flags is kept: Brian2's own cache does not tell flags apart."""
    key = hashlib.sha256(" ".join(flags).encode()).hexdigest()[:12]
    return Path(pooch.os_cache("stdpnet")) / "brian2" / key


@contextmanager
def _preferences(target: str) -> Iterator[None]:
    """Set the Brian2 preferences on which results depend, and put the user's back afterwards."""
    wanted = {
        "codegen.target": target,
        "codegen.cpp.extra_compile_args": None,
        "codegen.cpp.extra_compile_args_gcc": list(COMPILER_FLAGS),
        "codegen.runtime.cython.cache_dir": str(cache_folder()),
        "core.default_float_dtype": np.float64,
        "legacy.refractory_timing": False,
    }
    before = {name: brian2.prefs[name] for name in wanted}
    try:
        brian2.prefs.update(wanted)
        yield
    finally:
        brian2.prefs.update(before)


@contextmanager
def _quick_collection() -> Iterator[None]:
    """Spare Python's collector the objects there are: each run of Brian2 begins with a collection of 0.1 to 0.3 s."""
    if gc.get_freeze_count():  # the user's own; unfreezing cannot tell them apart
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _require_compiler() -> None:
    """Raise unless Brian2 can compile, and with all of COMPILER_FLAGS: it would drop unknown ones with a warning."""
    with catch_logs() as messages:
        available = CythonCodeObject.is_available()
    if messages or not available:
        said = [text.splitlines()[0] for _, _, text in messages]
        raise EngineError(
            f"simulation.brian2_target: 'cython' needs a C++ compiler that knows {' '.join(COMPILER_FLAGS)}; install "
            f"g++, or use simulation.brian2_target = 'numpy'. Brian2 says: {'; '.join(said[-1:])}"
        )
