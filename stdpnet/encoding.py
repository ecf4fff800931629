"""Images to spikes: pure functions of (seed, stream, presentation, pixel), so that nothing else can change a spike.

Random numbers are Philox4x32-10 (Salmon et al. 2011, doi 10.1145/2063384.2063405): a counter goes in, four random
words come out. `poisson` and `poisson_isi` are renewal processes over whole steps, drawn by inverting the
distribution function of their intervals, one table row for each of the 256 pixel values; `regular` draws a phase.
"""

from __future__ import annotations

import math
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stdpnet._jit import compiled, inlined
from stdpnet.spec.encoder import EncoderKind, EncoderSpec


class Stream(IntEnum):
    """Independent sources of input spikes; they never overlap."""

    TRAIN = 0
    CALIBRATE = 1
    VALIDATE = 2
    TEST = 3


class SpikeTrains(NamedTuple):
    """Input spikes of N presentations: those of presentation i, step k are pixels[offsets[i, k]:offsets[i, k + 1]]."""

    pixels: NDArray[np.int32]
    """(S,) pixel of each spike, by presentation, then step, then pixel."""
    offsets: NDArray[np.int64]
    """(N, T + 1) where the spikes of each step begin."""

    @property
    def steps(self) -> int:
        """Steps T of a presentation."""
        return int(self.offsets.shape[1]) - 1


class Encoder:
    """Turns images into input spikes at rates of max_rate * value/255 (MODEL, Input).

    Parameters
    ----------
    spec : encoder kind and maximal rate, Hz
    dt : time step, ms
    steps : steps T of one presentation
    seed : 64-bit seed of the experiment
    """

    def __init__(self, spec: EncoderSpec, dt: float, steps: int, seed: int) -> None:
        self.spec, self.dt, self.steps, self.seed = spec, dt, steps, seed

    def encode(
        self,
        images: NDArray[np.uint8],
        stream: Stream,
        presentations: NDArray[np.int64],
        *,
        retry: int = 0,
        extra_rate: float = 0.0,
    ) -> SpikeTrains:
        """Return the spikes of images shown as the given presentations.

        Parameters
        ----------
        images : (N, n, n) uint8
        stream : which source of randomness
        presentations : (N,) numbers of the presentations, at most 2**48 - 1
        retry : how often these images were shown before under the same number, 0..255
        extra_rate : Hz added to max_rate
        """
        flat = np.ascontiguousarray(images.reshape(len(images), math.prod(images.shape[1:])))
        peak = (self.spec.max_rate + extra_rate) * self.dt / 1000
        table = _interval_table(self.spec.kind, peak, self.steps)
        tag = np.uint32(int(stream) | retry << 8)
        offsets = np.empty((len(flat), self.steps + 1), np.int64)
        expected, most = 1.2 * peak * self.steps * flat.sum(dtype=np.int64) / 255 + 1000, flat.size * self.steps
        capacity, needed = -1, int(min(expected, most))
        while needed > capacity:  # a second round is rare: the expected number and a fifth was not enough
            pixels = np.empty(needed, np.int32)
            capacity = needed
            needed = _encode(
                flat, np.asarray(presentations, np.int64), np.uint64(self.seed), tag, table, pixels, offsets
            )
        return SpikeTrains(pixels[:needed], offsets)


class IntervalTable(NamedTuple):
    """How intervals are drawn from random words."""

    bounds: NDArray[np.uint32]
    """(256, T) a word at most bounds[value, g - 1] gives an interval of at most g steps; empty: regular intervals."""
    guide: NDArray[np.uint16]
    """(256, 256) where to start the search, by the word's leading 8 bits."""
    means: NDArray[np.float64]
    """(256,) mean interval, steps; infinite at rate 0."""


@lru_cache(maxsize=16)
def _interval_table(kind: EncoderKind, peak: float, steps: int) -> IntervalTable:
    """Return the table for `peak` expected spikes per step of a white pixel (rounded to 2**-32 in probability)."""
    expected = peak * np.arange(256) / 255
    means = 1 / np.maximum(expected, 1e-300)
    if kind == "regular":
        return IntervalTable(np.empty((256, 0), np.uint32), np.empty((256, 0), np.uint16), np.maximum(means, 1.0))
    gaps = np.arange(1, steps + 1)
    if kind == "poisson":
        cumulative = np.asarray(-np.expm1(gaps * np.log1p(-np.minimum(expected, 1 - 2.0**-53))[:, None]))
    else:
        cumulative = np.asarray(stats.poisson.cdf(gaps, means[:, None]))
    bounds = np.clip(np.ceil(cumulative * 2.0**32) - 1, 0, 2.0**32 - 1).astype(np.uint32)
    firsts = np.arange(256, dtype=np.uint32) << np.uint32(24)
    guide = np.array([np.searchsorted(row, firsts, side="left") for row in bounds], np.uint16)
    return IntervalTable(bounds, guide, means)


@inlined
def philox(
    c0: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32, k0: np.uint32, k1: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Philox4x32-10: four random words for a counter (c0..c3) and a key (k0, k1)."""
    for _ in range(10):
        left = np.uint64(c0) * np.uint64(0xD2511F53)
        right = np.uint64(c2) * np.uint64(0xCD9E8D57)
        c0 = np.uint32(np.uint32(right >> np.uint64(32)) ^ c1 ^ k0)
        c1 = np.uint32(right)
        c2 = np.uint32(np.uint32(left >> np.uint64(32)) ^ c3 ^ k1)
        c3 = np.uint32(left)
        k0 = np.uint32(k0 + np.uint32(0x9E3779B9))
        k1 = np.uint32(k1 + np.uint32(0xBB67AE85))
    return c0, c1, c2, c3


@inlined
def _interval(word: np.uint32, bounds: NDArray[np.uint32], guide: NDArray[np.uint16]) -> int:
    """Return the interval, in steps, that a random word stands for; more than len(bounds): beyond the presentation."""
    gap = int(guide[word >> np.uint32(24)])
    while gap < bounds.shape[0] and word > bounds[gap]:
        gap += 1
    return gap + 1


@compiled
def _draw_pixel(
    value: int,
    counter: tuple[np.uint32, np.uint32, np.uint32],
    key: tuple[np.uint32, np.uint32],
    table: IntervalTable,
    steps: int,
    times: NDArray[np.int32],
) -> int:
    """Write the spike steps of one pixel to `times`; return how many."""
    pixel, low, high = counter
    count = 0
    if table.bounds.shape[1] == 0:
        word = philox(np.uint32(0), pixel, low, high, key[0], key[1])[0]
        phase = np.float64(word) * 2.0**-32
        time = phase * table.means[value]
        while time < steps:
            times[count] = np.int32(time)
            count += 1
            time = (phase + count) * table.means[value]
        return count
    bounds, guide = table.bounds[value], table.guide[value]
    elapsed = 0
    block = np.uint32(0)
    while elapsed <= steps:
        words = philox(block, pixel, low, high, key[0], key[1])
        block = np.uint32(block + np.uint32(1))
        for word in words:
            elapsed += _interval(word, bounds, guide)
            if elapsed > steps:
                break
            times[count] = elapsed - 1
            count += 1
    return count


@compiled
def _encode(
    images: NDArray[np.uint8],
    presentations: NDArray[np.int64],
    seed: np.uint64,
    tag: np.uint32,
    table: IntervalTable,
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
) -> int:
    """Write the spikes of images (N, n*n) as far as they fit; return how many there are."""
    steps = offsets.shape[1] - 1
    key = (np.uint32(seed & np.uint64(0xFFFFFFFF)), np.uint32(seed >> np.uint64(32)))
    drawn_step = np.empty((images.shape[1] + 1) * steps, np.int32)
    drawn_pixel = np.empty((images.shape[1] + 1) * steps, np.int32)
    begin = 0
    for i in range(images.shape[0]):
        number = np.uint64(presentations[i])
        low = np.uint32(number & np.uint64(0xFFFFFFFF))
        high = np.uint32(np.uint32(number >> np.uint64(32)) << np.uint32(16) | tag)
        total = 0
        for pixel in range(images.shape[1]):
            if images[i, pixel] != 0:
                counter = (np.uint32(pixel), low, high)
                count = _draw_pixel(images[i, pixel], counter, key, table, steps, drawn_step[total:])
                drawn_pixel[total : total + count] = pixel
                total += count
        if begin + total <= pixels.shape[0]:
            _sort_by_step(drawn_step[:total], drawn_pixel[:total], begin, pixels, offsets[i])
        begin += total
    return begin


@compiled
def _sort_by_step(
    steps: NDArray[np.int32],
    drawn: NDArray[np.int32],
    begin: int,
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
) -> None:
    """Write the drawn pixels, a counting sort by their steps, to pixels[begin:], and where each step begins."""
    offsets[:] = 0
    for step in steps:
        offsets[step + 1] += 1
    offsets[0] = begin
    for step in range(1, offsets.shape[0]):  # counts -> where the step after begins
        offsets[step] += offsets[step - 1]
    for spike in range(steps.shape[0]):  # each begin moves to its end ...
        slot = offsets[steps[spike]]
        pixels[slot] = drawn[spike]
        offsets[steps[spike]] = slot + 1
    for step in range(offsets.shape[0] - 1, 0, -1):  # ... which is the begin of the next
        offsets[step] = offsets[step - 1]
    offsets[0] = begin
