"""The Brian2 groups and synapses of a network, and the order of their operations in a time step.

The equations say what is computed; how one step of them is computed is written out, operation by operation, because the
compiled engine must find the same numbers to the last bit (docs/model.md, Brian2 and the compiled engine).
"""

from __future__ import annotations

from typing import Any

import brian2
import numpy as np
from brian2.groups.group import CodeRunner
from numpy.typing import NDArray

from stdpnet.errors import EngineError
from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.engines.constants import Constants
from stdpnet.stdp.engines.protocol import Switches
from stdpnet.stdp.network import Network
from stdpnet.stdp.spec.experiment import STDPExperiment

STEP = (
    "boundary W_stateupdater XT_stateupdater Y_stateupdater X Y_spike_thresholder XY_transmit YY_transmit "
    "XX_trace Y_spike_resetter XY_depress YY_depress XY_potentiate YY_potentiate W_apply recorder"
)
"""The operations of one step in the order of docs/model.md, One time step, except that Brian2 resets before it learns:
plasticity reads nothing that the reset changes."""
OPTIONAL = {"YY_transmit", "YY_depress", "YY_potentiate", "W_stateupdater", "W_apply"}
ORDER = {"XY_transmit": -30, "YY_transmit": -20, "XX_trace": -10, "depress": 10, "potentiate": 20}
"""Brian2's `order` within the slot `synapses`, from which STEP follows."""
SPIKE = {True: "{0} = {0} + 1", False: "{0} = 1"}
"""The effect of a spike on a trace, by STDPConstants.accumulate."""


class Groups:
    """The Brian2 groups and synapses of a network, named as in docs/model.md.

    X: the input spikes; XT: their traces, set through the synapses XX; Y: the neurons; XY: feedforward synapses, in the
    order of Network.weights; W: the shared kernels of a convolutional network; YY: learned competition, in row order.
    """

    def __init__(self, spec: STDPExperiment, network: Network, numbers: Constants) -> None:
        geometry, ms = network.geometry, brian2.ms
        self._numbers = numbers
        self.learned = network.competition.ndim == 3 and geometry.channels > 1
        self.off_diagonal = ~np.eye(geometry.channels, dtype=bool)
        self.clock = clock = brian2.Clock(spec.simulation.dt * ms, name="clock")  # a name in compiled code
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
        """Copy the network's state to Brian2, and let only those operations run that the switches allow."""
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
        """Copy the state back to the network."""
        for name, values in self.state.items():
            network.arrays()[name][:] = values
        if self.learned:
            network.competition[:, self.off_diagonal] = self.array("YY", "c").reshape(len(network.competition), -1)

    def keep_code(self) -> None:
        """Let the next run use the code of this one; Brian2 would generate the same code again, which takes 0.06 s."""
        for group in self.by_name.values():
            for item in group.contained_objects:
                if isinstance(item, CodeRunner) and item.code_objects:
                    item.create_code_objects = lambda run_namespace: None

    def set_input(self, trains: SpikeTrains) -> None:
        """Set the input spikes of all presentations."""
        pixels = np.concatenate([trains.pixels[row[0] : row[-1]] for row in trains.offsets])
        steps = np.repeat(np.arange(len(trains.offsets) * trains.steps), np.diff(trains.offsets).ravel())
        self.by_name["X"].set_spikes(pixels, steps * self.clock.dt, sorted=True)

    def rest(self, learning_rate: float) -> None:
        """Set the resting state, and the factor of the feedforward learning rate, of a presentation."""
        zero = {"I": 0, "count": 0, "y": 0} | ({"a": 0, "b": 0} if self.learned else {})
        never = -1e4  # s, Brian2's last spike time of a neuron that has not spiked
        resting = {"v": self._numbers.neuron.v_rest, "lastspike": never, "not_refractory": True, **zero}
        for name, value in resting.items():
            self.array("Y", name)[:] = value
        self.array("XT", "x")[:] = 0
        self.array("XY", "learning_rate")[:] = learning_rate
        if "W" in self.by_name:
            self.array("W", "dw")[:] = 0  # after a call that was interrupted within a step it is not 0

    def end_competition(self, counts: NDArray[np.int32]) -> None:
        """Change the competition after a presentation: by the spike counts (P, C), then by the drift."""
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
        """Create synapses that are not connected yet, and set the order of their operations."""
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
        model = "x : 1 (linked)\nlearning_rate : 1 (shared)\n" + (
            "wi : integer\nw : 1 (linked)\ndw : 1 (linked)" if geometry.shared else "w : 1"
        )
        change = "dw = dw {}" if geometry.shared else "w = clip(w {}, w_min, w_max)"
        on_pre = {"transmit": "I_post += w", "depress": change.format("- A_minus*learning_rate*y_post")}
        xy = self._synapses("XY", "X", "Y", model, on_pre, {"potentiate": change.format("+ A_plus*learning_rate*x")})
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


def _neurons(spec: STDPExperiment, count: int, numbers: Constants, learned: bool, clock: Any) -> Any:
    """Return the group Y; its `method` is steps 1 and 2, written so that it rounds as docs/model.md asks for."""
    ms, xy, yy = brian2.ms, spec.plasticity, spec.competition
    model = """
        dv/dt = (v_rest - v)/tau_v : 1 (unless refractory)  # membrane potential, mV
        dtheta/dt = -theta/tau_theta : 1                    # adaptive part of the threshold, mV
        I : 1                                               # input that counts in the next step, mV
        count : integer                                     # spikes of the presentation
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
    """Raise EngineError unless a brian2.Network runs the operations of STEP in one step, in that order."""
    runs = [item.name for item in network.sorted_objects if isinstance(item, (CodeRunner, brian2.NetworkOperation))]
    expected = [name for name in STEP.split() if name in runs or name not in OPTIONAL]
    if runs != expected:
        raise EngineError(f"Brian2 would run the operations of a step as {runs}, docs/model.md asks for {expected}")
