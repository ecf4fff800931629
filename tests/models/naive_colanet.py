"""The spiking CoLaNET in plain NumPy, step by step as docs/colanet.md says it: what the compiled one has to equal."""

import math

import numpy as np

from stdpnet._numba.philox import philox_many

NEVER = -(10**9)


def weights_of(resources, c):
    """Return the weights of resources (n, M)."""
    positive, span = np.maximum(resources, 0.0), c.w_max - c.w_min
    return c.w_min + span * positive / (span + positive)


def uniform(neurons, step, number, stream, seed):
    """Return a number from 0 to 1 for each neuron."""
    blocks = np.arange((neurons + 3) // 4, dtype=np.uint32)
    padded = np.resize(blocks, (len(blocks) + 7) // 8 * 8)
    words = np.empty(4 * len(padded), np.uint32)
    low, high = np.uint32(number & 0xFFFFFFFF), np.uint32((number >> 32) << 16 | stream)
    key = (np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32))
    philox_many(padded, np.full(len(padded), step, np.uint32), low, high, key, len(blocks), words)
    return words[:neurons] * 2.0**-32


class Naive:
    """A network: resources (n, M) and stability (M,), and one presentation after the other."""

    def __init__(self, resources, stability, c, seed):
        self.resources, self.stability, self.c, self.seed = resources, stability, c, seed
        self.columns = resources.shape[1] // c.microcolumns

    def sums(self, values):
        """Return the sum of each column of a matrix, added from the first row to the last."""
        return np.add.accumulate(values, axis=0)[-1]

    def neurons(self, column):
        """Return the neurons of a column."""
        return np.arange(column * self.c.microcolumns, (column + 1) * self.c.microcolumns)

    def show(self, counts, number, stream, learns):
        """Show an image of spike counts (n,); return spikes (M,) and scores (K,)."""
        c, (n, m) = self.c, self.resources.shape
        self.threshold = c.threshold + c.excess * self.sums(np.maximum(weights_of(self.resources, c), 0.0))
        self.potential, self.received = np.zeros(m), np.zeros(m)
        self.last_input, self.column_spike = np.full(n, NEVER), np.full(self.columns, NEVER)
        self.last_spike, self.last_win, self.first_spike = (np.full(m, NEVER) for _ in range(3))
        self.forced = np.zeros(m, bool)
        self.contributed, self.depressed = np.zeros((n, m), bool), np.zeros((n, m), bool)
        spikes, steps, peaks = np.zeros(m, int), np.zeros(self.columns), np.zeros(self.columns)
        for step in range(c.steps):
            self.potential *= c.decay
            arriving = (step + 1) * counts // c.steps - step * counts // c.steps
            weights = weights_of(self.resources, c)
            for row in np.flatnonzero(arriving):
                self.potential += weights[row] * arriving[row]
            self.last_input[arriving > 0] = step
            self.add_noise(step, number, stream)
            peaks = np.maximum(peaks, (self.potential / self.threshold).reshape(self.columns, -1).max(axis=1))
            for column in range(self.columns):
                firing = self.fire(column, step, learns, is_forced=False)
                spikes[firing] += 1
                steps[column] += len(firing) > 0
        return spikes, steps + peaks / (1.0 + peaks)

    def add_noise(self, step, number, stream):
        noise = self.c.noise * uniform(len(self.potential), step, number, stream, self.seed)
        self.potential = np.maximum(self.potential + noise, 0.0)

    def fire(self, column, step, learns, is_forced):
        """Let neurons of a column fire; return which."""
        neurons = self.neurons(column)
        above = self.potential[neurons] - self.threshold[neurons]
        firing = neurons[above >= 0]
        if len(firing):
            self.last_win[neurons[np.argmax(above)]] = self.column_spike[column] = step
        for neuron in firing:
            self.potential[neuron] = 0.0
            if learns:
                self.learn_from_spike(neuron, step, is_forced)
        return firing

    def change(self, neuron, rows, amount):
        self.resources[rows, neuron] += amount
        self.received[neuron] += amount * rows.sum()

    def factor(self, neuron):
        return min(math.exp2(-self.stability[neuron]), 1.0)  # not numpy's, whose last bit depends on the processor

    def learn_from_spike(self, neuron, step, is_forced):
        c = self.c
        near = step - self.last_spike[neuron] < c.longest_interval
        if not near or is_forced or self.forced[neuron]:
            self.first_spike[neuron] = step
            self.contributed[:, neuron] = self.depressed[:, neuron] = False
        self.last_spike[neuron], self.forced[neuron] = step, is_forced
        self.contributed[:, neuron] |= step - self.last_input <= c.presynaptic_window
        if not is_forced:
            losing = self.contributed[:, neuron] & ~self.depressed[:, neuron]
            self.change(neuron, losing, -c.anti_hebbian * self.factor(neuron))
            self.depressed[:, neuron] |= losing

    def teach(self, label, number, stream):
        """Show the label of the image."""
        c, step, right = self.c, self.c.steps, self.neurons(label)
        self.potential *= c.decay
        self.add_noise(step, number, stream)
        if step + 1 - self.column_spike[label] > c.reward_window:
            self.potential[right] += c.forcing
            self.fire(label, step, learns=True, is_forced=True)
        for neuron in right[step + 1 - self.last_win[right] <= c.reward_window]:
            self.change(neuron, self.contributed[:, neuron], c.reward * self.factor(neuron))
            change, longest = c.stability * c.reward, c.longest_interval
            if self.forced[neuron]:
                self.stability[neuron] = max(self.stability[neuron] - change, 0.0)
            else:
                distance = abs(step + 1 - self.first_spike[neuron] - longest) / longest
                self.stability[neuron] += change * max(2.0 - distance, -1.0)
        if c.conserve:
            self.resources -= self.received / (len(self.resources) + c.silent)
