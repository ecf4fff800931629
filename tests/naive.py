"""The slow reference for every engine: docs/model.md, One time step, in plain Python loops over floats."""

import itertools
import math

import numpy as np

from stdpnet.stdp.engines.protocol import Outcome


class NaiveEngine:
    def __init__(self, spec, network):
        assert network.dtype == np.float64
        self.spec, self.network = spec, network

    def present(self, trains, switches, recording=None, learning_rates=None):
        counts = np.zeros((len(trains.offsets), *self.network.theta.shape), np.int32)
        unnormalised = 0
        for i, offsets in enumerate(trains.offsets):
            steps = [sorted(int(p) for p in trains.pixels[a:b]) for a, b in itertools.pairwise(offsets)]
            self._rate = 1.0 if learning_rates is None else float(learning_rates[i])
            raster = self._present_one(steps, switches, recording, i)
            for j in (j for step in raster for j in step):
                counts[i][divmod(j, self.network.geometry.channels)] += 1
            unnormalised += self._after(switches, counts[i])
        return Outcome(counts, unnormalised)

    def _synapses(self):
        """Return {(pixel, neuron): index into weights}."""
        g = self.network.geometry
        synapses = {}
        for position in range(g.positions):
            top, left = g.origin(position)
            for row in range(g.kernel):
                for column in range(g.kernel):
                    for channel in range(g.channels):
                        pixel = (top + row) * g.side + left + column
                        weight_set = 0 if g.shared else position
                        neuron = position * g.channels + channel
                        synapses[pixel, neuron] = (weight_set, row * g.kernel + column, channel)
        return synapses

    def _present_one(self, input_steps, switches, recording, number):
        spec, net, g = self.spec, self.network, self.network.geometry
        n, xy, yy, dt = spec.neuron, spec.plasticity, spec.competition, spec.simulation.dt
        n_ref = round(n.tau_refrac / dt)
        learned = net.competition.ndim == 3
        learn_yy = switches.learn_yy and learned
        synapses = self._synapses()
        neurons, pixels = range(g.neurons), range(g.pixels)
        where = [divmod(j, g.channels) for j in neurons]
        v = [n.v_rest] * g.neurons
        current = [0.0] * g.neurons
        last_spike = [None] * g.neurons
        x, y, a, b = [0.0] * g.pixels, [0.0] * g.neurons, [0.0] * g.neurons, [0.0] * g.neurons
        raster = []

        def c(i, j):
            return net.competition[where[i][0], where[i][1], where[j][1]] if learned else net.competition[()]

        def pairs(spikes, as_pre):
            for s in spikes:
                for other in neurons:
                    if other != s and where[other][0] == where[s][0]:
                        yield (s, other) if as_pre else (other, s)

        def raised(trace):
            return trace + 1.0 if trace_mode == "all_to_all" else 1.0

        for k, inputs in enumerate(input_steps):
            refractory = [t is not None and k - t <= n_ref for t in last_spike]
            # 1. decay
            for j in neurons:
                if not refractory[j]:
                    v[j] = n.v_rest + (v[j] - n.v_rest) * math.exp(-dt / n.tau_v)
                if switches.adapt_theta:
                    net.theta[where[j]] = net.theta[where[j]] * math.exp(-dt / n.tau_theta)
            x = [t * math.exp(-dt / xy.tau_plus) for t in x]
            y = [t * math.exp(-dt / xy.tau_minus) for t in y]
            a = [t * math.exp(-dt / yy.tau_plus) for t in a]
            b = [t * math.exp(-dt / yy.tau_minus) for t in b]
            # 2. integrate
            for j in neurons:
                if not refractory[j]:
                    v[j] = v[j] + current[j]
                current[j] = 0.0
            # 3. threshold
            spikes = [j for j in neurons if not refractory[j] and v[j] >= n.v_thresh + net.theta[where[j]]]
            # 4. transmit
            for i in inputs:
                for j in neurons:
                    if (i, j) in synapses:
                        current[j] += net.weights[synapses[i, j]]
            for i, j in pairs(spikes, as_pre=True):
                current[j] += c(i, j)
            # 5. traces
            trace_mode = xy.traces
            for i in inputs:
                x[i] = raised(x[i])
            for j in spikes:
                y[j] = raised(y[j])
            trace_mode = yy.traces
            for j in spikes:
                a[j], b[j] = raised(a[j]), raised(b[j])
            # 6. plasticity
            if switches.learn_xy:
                depressions = [(i, j) for i in inputs for j in neurons if (i, j) in synapses]
                potentiations = [(i, j) for j in spikes for i in pixels if (i, j) in synapses]
                if g.shared:
                    dw = np.zeros_like(net.weights)
                    for i, j in depressions:
                        dw[synapses[i, j]] -= xy.A_minus * self._rate * y[j]
                    for i, j in potentiations:
                        dw[synapses[i, j]] += xy.A_plus * self._rate * x[i]
                    net.weights[:] = np.clip(net.weights + dw, xy.w_min, xy.w_max)
                else:
                    for i, j in depressions:
                        w = net.weights[synapses[i, j]] - xy.A_minus * self._rate * y[j]
                        net.weights[synapses[i, j]] = min(max(w, xy.w_min), xy.w_max)
                    for i, j in potentiations:
                        w = net.weights[synapses[i, j]] + xy.A_plus * self._rate * x[i]
                        net.weights[synapses[i, j]] = min(max(w, xy.w_min), xy.w_max)
            if learn_yy:
                alpha = yy.target_rate * (yy.tau_plus + yy.tau_minus) / 1000
                for i, j in pairs(spikes, as_pre=True):
                    if yy.rule == "anti_stdp":
                        self._set_competition(where, i, j, c(i, j) - yy.A_minus * b[j])
                    if yy.rule == "rate_target":
                        self._set_competition(where, i, j, c(i, j) - yy.eta * (b[j] - alpha))
                for i, j in pairs(spikes, as_pre=False):
                    if yy.rule == "anti_stdp":
                        self._set_competition(where, i, j, c(i, j) + yy.A_plus * a[i])
                    if yy.rule == "rate_target":
                        self._set_competition(where, i, j, c(i, j) - yy.eta * a[i])
            # 7. reset
            for j in spikes:
                v[j] = n.v_reset
                last_spike[j] = k
                if switches.adapt_theta:
                    net.theta[where[j]] += n.theta_plus
            raster.append(spikes)
            if recording is not None:
                recording.v[number, k] = np.reshape(v, net.theta.shape)
                recording.current[number, k] = np.reshape(current, net.theta.shape)
                recording.theta[number, k] = net.theta
                for j in spikes:
                    recording.spikes[number, k][where[j]] = True
        return raster

    def _set_competition(self, where, i, j, value):
        yy = self.spec.competition
        self.network.competition[where[i][0], where[i][1], where[j][1]] = min(max(value, yy.w_min), yy.w_max)

    def _after(self, switches, counts):
        """Normalise, end the competition's rule, drift and relax; return how many neurons could not be normalised."""
        if switches.adapt_theta:
            n = self.spec.neuron
            for place, theta in np.ndenumerate(self.network.theta):
                relaxed = theta - n.theta_plus * n.target_rate * self.spec.simulation.duration / 1000
                self.network.theta[place] = max(relaxed, 0.0)
        net, xy, yy = self.network, self.spec.plasticity, self.spec.competition
        unnormalised = 0
        if switches.learn_xy:
            sets, fan_in, channels = net.weights.shape
            norm = xy.mean_weight * fan_in
            for weight_set in range(sets):
                for channel in range(channels):
                    neurons = counts[:, channel] if net.geometry.shared else counts[weight_set, channel]
                    if xy.normalise == "spiked" and not np.any(neurons > 0):
                        continue
                    total = 0.0
                    for row in range(fan_in):
                        total += net.weights[weight_set, row, channel]
                    if not total > 0:
                        unnormalised += 1
                        continue
                    factor = norm / total
                    for row in range(fan_in):
                        w = net.weights[weight_set, row, channel] * factor
                        net.weights[weight_set, row, channel] = min(max(w, xy.w_min), xy.w_max)
        if switches.learn_yy and net.competition.ndim == 3:
            expected = (yy.target_rate * (self.spec.simulation.duration / 1000)) ** 2
            for position, i, j in np.ndindex(net.competition.shape):
                if i != j and yy.rule == "anti_hebbian":
                    product = float(counts[position, i]) * float(counts[position, j])
                    w = net.competition[position, i, j] - yy.eta * (product - expected)
                    net.competition[position, i, j] = min(max(w, yy.w_min), yy.w_max)
                if i != j and yy.drift != 0:
                    w = net.competition[position, i, j] + yy.drift
                    net.competition[position, i, j] = min(max(w, yy.w_min), yy.w_max)
        return unnormalised
