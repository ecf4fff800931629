"""The reference engine: MODEL's time step told to Brian2 (Stimberg et al. 2019, doi 10.7554/eLife.47314).

The equations below say what is computed; how one step of them is computed is spelled out, operation by operation, because
the compiled engine must find the same numbers to the last bit (MODEL, Brian2 and the compiled engine).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from stdpnet.engines.base import Constants, Outcome, Recording, Switches, constants, window_rows
from stdpnet.errors import EngineError
from stdpnet.network import Network, normalise
from stdpnet.spec.experiment import ExperimentSpec

# No fused multiply-add, no reassociation: each rounds differently from the plain operations.
COMPILER_FLAGS = ("-w", "-O3", "-std=c++11", "-ffp-contract=off")
NEVER = -1e4
"""Brian2's own time, s, of the last spike of a neuron that never spiked."""

# Else an uncaught error of any part of the program would be presented as one of Brian2's.
brian2.prefs["logging.display_brian_error_message"] = False

NEURONS = """
dv/dt = (v_rest - v)/tau_v : 1 (unless refractory)  # membrane potential, mV
dtheta/dt = -theta/tau_theta : 1                    # adaptive part of the threshold, mV
dy/dt = -y/tau_y : 1                                # trace of own spikes for XY
I : 1                                               # what arrived, for the next step, mV
count : integer                                     # spikes of this presentation
decay_theta : 1 (shared)                            # 1 while theta is frozen
theta_plus : 1 (shared)                             # 0 while theta is frozen, mV
"""
COMPETITION_TRACES = """
da/dt = -a/tau_a : 1                                # trace of own spikes for YY, as pre
db/dt = -b/tau_b : 1                                # the same, as post
"""


class BrianEngine:
    """Brian2 at the service of the `Engine` protocol; float64, one thread.

    Parameters
    ----------
    spec : the experiment; simulation.brian2_target chooses Brian2's code generation target
    network : float64 state, updated in place after each call of `present`; untouched if the call fails

    Raises
    ------
    EngineError
        If the network is not float64, if the cython target finds no compiler, or if Brian2 would not run the
        operations of a step in the order of MODEL.
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
            self._objects = _Objects(spec, network, self._numbers)
            self._operations = brian2.Network(self._objects.all)
        clock = self._objects.clock
        # One clock and whole steps counted here: no boundary can slip by rounded time.
        self._operations.add(brian2.NetworkOperation(self._begin_step, clock=clock, when="start", name="boundary"))
        if not network.competition.ndim:
            inhibit = brian2.NetworkOperation(self._inhibit, clock=clock, when="synapses", order=-20, name="YY_transmit")
            self._operations.add(inhibit)
        self._recorder = brian2.NetworkOperation(self._record, clock=clock, when="end", name="recorder")
        self._operations.add(self._recorder)
        self._check_order()

    def present(self, trains: SpikeTrains, switches: Switches, recording: Recording | None = None) -> Outcome:
        """Show presentations one after the other, each from the resting state; normalise after each if learn_xy."""
        shape = self.network.theta.shape
        self._run = _Run(switches, trains.steps, np.zeros((len(trains.offsets), *shape), np.int32), recording)
        if not len(trains.offsets):
            return Outcome(self._run.counts, 0)
        self._objects.load(self.network, switches, self._numbers)
        self._objects.set_input(trains)
        self._recorder.active = recording is not None
        duration = len(trains.offsets) * trains.steps * self._objects.clock.dt
        try:
            with _preferences(self._spec.simulation.brian2_target):
                self._operations.t_ = 0.0  # every call counts its steps from 0: no time can grow out of its precision
                self._operations.run(duration, namespace={})
        except BrianObjectException as error:
            raise EngineError(f"Brian2 cannot run the network: {error.__cause__ or error}") from error
        self._end_presentation()
        self._objects.store(self.network, switches)
        return Outcome(self._run.counts, self._run.unnormalised)

    def _begin_step(self) -> None:
        """Count steps; between presentations do what MODEL asks for there."""
        if self._run.step % self._run.steps == 0:
            if self._run.step:
                self._end_presentation()
            self._objects.rest(self._numbers)
        self._run.step += 1

    def _end_presentation(self) -> None:
        """Take the counts; normalise and drift what is learning."""
        run, objects = self._run, self._objects
        run.counts[(run.step - 1) // run.steps] = objects.array("Y", "count").reshape(run.counts.shape[1:])
        if run.switches.learn_xy:
            weights = objects.weights.reshape(self.network.weights.shape)
            run.unnormalised += normalise(weights, self._spec.plasticity)
        if run.switches.learn_yy and objects.learned and self._numbers.drift:
            competition, yy = objects.array("YY", "c"), self._numbers.yy
            np.clip(competition + self._numbers.drift, yy.w_min, yy.w_max, out=competition)

    def _inhibit(self) -> None:
        """Transmit fixed competition: the same additions, in the same order, as P*C*(C - 1) synapses of one weight."""
        current = self._objects.array("Y", "I").reshape(self.network.theta.shape)
        for neuron in self._objects.spikes().tolist():
            position, channel = divmod(neuron, current.shape[1])
            own = current[position, channel]
            current[position] += self.network.competition
            current[position, channel] = own

    def _record(self) -> None:
        """Write the end of the step."""
        assert self._run.recording is not None
        at = divmod(self._run.step - 1, self._run.steps)
        shape = self.network.theta.shape
        self._run.recording.v[at] = self._objects.array("Y", "v").reshape(shape)
        self._run.recording.current[at] = self._objects.array("Y", "I").reshape(shape)
        self._run.recording.spikes[at].reshape(-1)[self._objects.spikes()] = True

    def _check_order(self) -> None:
        """Raise unless Brian2 will run the operations of a step in MODEL's order."""
        order = operation_order(self._operations)
        expected = [
            ["boundary"],
            ["W_stateupdater", "XT_stateupdater", "Y_stateupdater"],  # 1, 2
            ["X", "Y_spike_thresholder"],  # 3
            ["XY_transmit"],  # 4
            ["YY_transmit"],
            ["XX_trace", "Y_spike_resetter"],  # 5, 7: plasticity reads nothing that the reset changes
            ["XY_depress", "YY_depress"],  # 6
            ["XY_potentiate", "YY_potentiate"],
            ["W_apply"],
            ["recorder"],
        ]
        optional = {"YY_transmit", "YY_depress", "YY_potentiate", "W_stateupdater", "W_apply"}
        wanted = [name for group in expected for name in group if name in order or name not in optional]
        if order != wanted:
            raise EngineError(f"Brian2 would run the operations of a step as {order}, MODEL asks for {wanted}")


@dataclass
class _Run:
    """One call of `present` as it goes on."""

    switches: Switches
    steps: int
    counts: NDArray[np.int32]
    recording: Recording | None
    unnormalised: int = 0
    step: int = 0
    """Steps begun, over all presentations."""


class _Objects:
    """The Brian2 objects of a network, named as in MODEL.

    X: the input spikes; XT: their traces; Y: the neurons; XY: feedforward synapses, in the order of Network.weights;
    W: the shared kernels of a convolutional network; YY: learned competition, in the order of Network.competition.
    """

    def __init__(self, spec: ExperimentSpec, network: Network, numbers: Constants) -> None:
        geometry, ms = network.geometry, brian2.ms
        self.learned = network.competition.ndim == 3 and geometry.channels > 1
        self.off_diagonal = ~np.eye(geometry.channels, dtype=bool)
        self.clock = brian2.Clock(spec.simulation.dt * ms)
        none: NDArray[np.int32] = np.zeros(0, np.int32)
        x = brian2.SpikeGeneratorGroup(geometry.pixels, none, none * ms, clock=self.clock, name="X")
        self.by_name = {"X": x, "Y": _neurons(spec, geometry.neurons, numbers, self.learned, self.clock)}
        self.by_name["XT"] = brian2.NeuronGroup(
            geometry.pixels,
            "dx/dt = -x/tau_x : 1",
            method=lambda *_: "x = x*decay_x",
            namespace={"tau_x": spec.plasticity.tau_plus * ms, "decay_x": numbers.xy.decay_pre},
            clock=self.clock,
            name="XT",
        )
        self._connect_input(network, numbers)
        if self.learned:
            self._connect_competition(network, numbers)

    @property
    def all(self) -> list[Any]:
        """The objects, for brian2.Network."""
        return list(self.by_name.values())

    @property
    def weights(self) -> NDArray[np.float64]:
        """The feedforward weights, in the order of Network.weights, writeable."""
        return self.array("W" if "W" in self.by_name else "XY", "w")

    def array(self, group: str, variable: str) -> NDArray[Any]:
        """Return the memory of a state variable, writeable."""
        values: NDArray[Any] = self.by_name[group].variables[variable].get_value()
        return values

    def spikes(self) -> NDArray[np.int32]:
        """Return the neurons that spike in this step, ascending."""
        space = self.array("Y", "_spikespace")
        return space[: space[-1]]

    def load(self, network: Network, switches: Switches, numbers: Constants) -> None:
        """Give the network's state to Brian2, and let run only what the switches ask for."""
        self.weights[:] = network.weights.ravel()
        self.array("Y", "theta")[:] = network.theta.ravel()
        neuron = numbers.neuron
        self.array("Y", "decay_theta")[:] = neuron.decay_theta if switches.adapt_theta else 1.0
        self.array("Y", "theta_plus")[:] = neuron.theta_plus if switches.adapt_theta else 0.0
        xy = self.by_name["XY"]
        learning = [xy.depress, xy.potentiate, self.by_name["XX"].trace, self.by_name["XT"].state_updater]
        if "W" in self.by_name:
            learning.append(self.apply)
        for operation in learning:
            operation.active = switches.learn_xy
        if self.learned:
            self.array("YY", "c")[:] = network.competition[:, self.off_diagonal].ravel()
            self.by_name["YY"].depress.active = self.by_name["YY"].potentiate.active = switches.learn_yy

    def store(self, network: Network, switches: Switches) -> None:
        """Give the state back to the network."""
        if switches.learn_xy:
            network.weights[:] = self.weights.reshape(network.weights.shape)
        if switches.adapt_theta:
            network.theta[:] = self.array("Y", "theta").reshape(network.theta.shape)
        if switches.learn_yy and self.learned:
            network.competition[:, self.off_diagonal] = self.array("YY", "c").reshape(len(network.competition), -1)

    def set_input(self, trains: SpikeTrains) -> None:
        """Hand over the input spikes, presentation after presentation."""
        pixels = np.concatenate([trains.pixels[row[0] : row[-1]] for row in trains.offsets])
        steps = np.repeat(np.arange(trains.offsets.shape[0] * trains.steps), np.diff(trains.offsets).ravel())
        self.by_name["X"].set_spikes(pixels, steps * self.clock.dt, sorted=True)

    def rest(self, numbers: Constants) -> None:
        """Begin a presentation."""
        for name, value in {"v": numbers.neuron.v_rest, "lastspike": NEVER, "not_refractory": True}.items():
            self.array("Y", name)[:] = value
        for name in ("I", "count", "y", *(("a", "b") if self.learned else ())):
            self.array("Y", name)[:] = 0
        self.array("XT", "x")[:] = 0

    def _connect_input(self, network: Network, numbers: Constants) -> None:
        """Create XY, the trace synapses XX, and W where kernels are shared."""
        geometry, rule = network.geometry, numbers.xy
        shared = geometry.shared
        positions, channels = np.arange(geometry.positions), np.arange(geometry.channels)
        pixels = np.nonzero(window_rows(network) >= 0)[1].reshape(len(positions), -1)  # (P, k*k), rows ascending
        shape = (*pixels.shape, len(channels))
        source = np.broadcast_to(pixels[:, :, None], shape).ravel()
        target = np.broadcast_to(positions[:, None, None] * len(channels) + channels, shape).ravel()
        model = "x : 1 (linked)\n"
        model += "wi : integer (constant)\nw : 1 (linked)\ndw : 1 (linked)" if shared else "w : 1"
        change = "dw = dw {}" if shared else "w = clip(w {}, w_min, w_max)"
        pre = {"transmit": "I_post += w", "depress": change.format("- A_minus*y_post")}
        bounds = {"w_min": rule.w_min, "w_max": rule.w_max}
        self.by_name["XY"] = xy = brian2.Synapses(
            self.by_name["X"],
            self.by_name["Y"],
            model,
            on_pre=pre,
            on_post={"potentiate": change.format("+ A_plus*x")},
            namespace={"A_plus": rule.A_plus, "A_minus": rule.A_minus, **bounds},
            clock=self.clock,
            name="XY",
        )
        xy.transmit.order, xy.depress.order, xy.potentiate.order = -30, 10, 20
        xy.connect(i=source, j=target)
        xy.x = brian2.linked_var(self.by_name["XT"], "x", index="i")
        if shared:
            self.by_name["W"] = w = brian2.NeuronGroup(
                geometry.fan_in * len(channels), "w : 1\ndw : 1", namespace=bounds, clock=self.clock, name="W"
            )
            code = "w = clip(w + dw, w_min, w_max)\ndw = 0"
            self.apply = w.run_regularly(code, clock=self.clock, when="after_synapses", name="W_apply")
            xy.wi = np.tile(np.arange(len(w)), len(positions))
            xy.w, xy.dw = (brian2.linked_var(w, name, index="wi") for name in ("w", "dw"))
        code = _spiking_trace("x_post", rule.accumulate)
        self.by_name["XX"] = xx = brian2.Synapses(
            self.by_name["X"], self.by_name["XT"], on_pre={"trace": code}, clock=self.clock, namespace={}, name="XX"
        )
        xx.trace.order = -10
        xx.connect(i=np.arange(geometry.pixels), j=np.arange(geometry.pixels))

    def _connect_competition(self, network: Network, numbers: Constants) -> None:
        """Create YY, the learned competition."""
        rule, channels = numbers.yy, network.geometry.channels
        pre, post = np.nonzero(self.off_diagonal)
        first = np.repeat(np.arange(network.geometry.positions) * channels, len(pre))
        change = "c = clip(c {}, c_min, c_max)"
        self.by_name["YY"] = yy = brian2.Synapses(
            self.by_name["Y"],
            self.by_name["Y"],
            "c : 1",
            on_pre={"transmit": "I_post += c", "depress": change.format("- A_minus*b_post")},
            on_post={"potentiate": change.format("+ A_plus*a_pre")},
            namespace={"A_plus": rule.A_plus, "A_minus": rule.A_minus, "c_min": rule.w_min, "c_max": rule.w_max},
            clock=self.clock,
            name="YY",
        )
        yy.transmit.order, yy.depress.order, yy.potentiate.order = -20, 10, 20
        repeats = network.geometry.positions
        yy.connect(i=first + np.tile(pre, repeats), j=first + np.tile(post, repeats))


def _spiking_trace(trace: str, accumulate: bool) -> str:
    """Return the statement that a spike executes on its trace."""
    return f"{trace} = {trace} + 1" if accumulate else f"{trace} = 1"


def _neurons(spec: ExperimentSpec, count: int, numbers: Constants, learned: bool, clock: Any) -> Any:
    """Return the group Y; its `method` is one step of the equations, written so that it rounds as MODEL's words do."""
    neuron, ms = numbers.neuron, brian2.ms
    competition = ["a", "b"] if learned else []
    step = ["v = v_rest + (v - v_rest)*decay_v", "theta = theta*decay_theta"]
    step += [f"{trace} = {trace}*decay_{trace}" for trace in ["y", *competition]]
    step += ["v = v + I", "I = 0"]
    namespace = {name: getattr(neuron, name) for name in ("v_rest", "v_reset", "v_thresh", "decay_v")}
    namespace |= {"tau_v": spec.neuron.tau_v * ms, "tau_theta": spec.neuron.tau_theta * ms}
    namespace |= {"tau_y": spec.plasticity.tau_minus * ms, "decay_y": numbers.xy.decay_post}
    namespace |= {"tau_a": spec.competition.tau_plus * ms, "decay_a": numbers.yy.decay_pre}
    namespace |= {"tau_b": spec.competition.tau_minus * ms, "decay_b": numbers.yy.decay_post}
    group = brian2.NeuronGroup(
        count,
        NEURONS + (COMPETITION_TRACES if learned else ""),
        method=lambda *_: "\n".join(step),
        threshold="v >= v_thresh + theta",
        refractory=(neuron.refractory_steps + 1) * clock.dt,  # Brian2 counts the step of the spike too
        namespace=namespace,
        clock=clock,
        name="Y",
    )
    spike = [_spiking_trace("y", numbers.xy.accumulate)]
    spike += [_spiking_trace(trace, numbers.yy.accumulate) for trace in competition]
    spike += ["v = v_reset", "theta = theta + theta_plus", "count = count + 1"]
    group.run_on_event("spike", "\n".join(spike), when="synapses", order=-10)
    return group


def operation_order(network: Any) -> list[str]:
    """Return the names of what a brian2.Network runs in one step, in that order."""
    runners = (CodeRunner, brian2.NetworkOperation)
    return [item.name for item in network.sorted_objects if isinstance(item, runners)]


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
        for name, value in wanted.items():
            brian2.prefs[name] = value
        yield
    finally:
        for name, value in before.items():
            brian2.prefs[name] = value


def _require_compiler() -> None:
    """Raise if Brian2 cannot compile."""
    with catch_logs() as messages:
        available = CythonCodeObject.is_available()
    if not available:
        detail = " ".join(str(message) for _, _, message in messages)
        raise EngineError(
            "simulation.brian2_target: 'cython' needs a working C++ compiler; install one (for example g++), or use "
            f"simulation.brian2_target = 'numpy'. Brian2 says: {detail}"
        )
