"""Encode images, or recordings of events, as spike trains (docs/model.md, Input).

Recorded events are taken as they are (stdpnet.events). The spikes of images are pure functions of (seed, stream,
presentation, pixel): nothing else can change them. The random words come from stdpnet._numba.philox. `poisson` and
`poisson_isi` are renewal processes over whole steps, drawn by inverting the distribution function of their intervals,
one table row for each of the 256 pixel values; `regular` draws a phase.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined, internal
from stdpnet._numba.philox import LANES, philox, philox_many
from stdpnet.data import Split
from stdpnet.events import Events, recorded
from stdpnet.parallel import in_parallel, shares
from stdpnet.random import Stream
from stdpnet.spec.encoder import EncoderKind, EncoderSpec
from stdpnet.spikes import SpikeTrains


class Encoder:
    """Turns images into input spikes at rates of max_rate * value/255, or events into spikes (docs/model.md, Input).

    Parameters
    ----------
    spec : encoder kind and maximal rate, Hz
    dt : time step, ms
    steps : steps T of one presentation
    seed : 64-bit seed of the experiment
    """

    def __init__(self, spec: EncoderSpec, dt: float, steps: int, seed: int) -> None:
        self.spec, self.dt, self.steps, self.seed = spec, dt, steps, seed

    def input_of(self, split: Split) -> NDArray[np.uint8] | Events:
        """Return the images of a split, or its events if kind = events; ConfigError if it has no events."""
        return recorded(split.events) if self.spec.kind == "events" else split.images

    def encode(
        self,
        images: NDArray[np.uint8] | Events,
        stream: Stream,
        presentations: NDArray[np.int64],
        *,
        retry: int = 0,
        extra_rate: float = 0.0,
        threads: int = 1,
    ) -> SpikeTrains:
        """Return the spikes of images shown as the given presentations.

        Parameters
        ----------
        images : (N, n, n) uint8, or N recordings; kind = events takes these alone, and draws no random numbers
        stream : source of random numbers
        presentations : (N,) numbers of the presentations, at most 2**48 - 1
        retry : how often these images have been shown before under the same number, 0..255
        extra_rate : Hz added to max_rate
        threads : how many threads may compute; the spikes do not depend on it
        """
        if self.spec.kind == "events":
            return recorded(images).spikes(self.steps, self.dt, self.spec.start, self.spec.polarity)
        images = images.pictures() if isinstance(images, Events) else images
        flat = np.ascontiguousarray(images.reshape(len(images), math.prod(images.shape[1:])))
        numbers = np.asarray(presentations, np.int64)
        peak = (self.spec.max_rate + extra_rate) * self.dt / 1000
        table = _interval_table(self.spec.kind, peak, self.steps)
        tag = np.uint32(int(stream) | retry << 8)
        offsets = np.empty((len(flat), self.steps + 1), np.int64)
        parts = shares(len(flat), threads)

        def work(thread: int) -> NDArray[np.int32]:
            part = parts[thread]
            expected, most = 1.2 * peak * self.steps * flat[part].sum(dtype=np.int64) / 255 + 1000, flat[part].size
            capacity, needed = -1, int(min(expected, most * self.steps))
            scratch = _Scratch.empty(flat.shape[1], self.steps, table)
            while needed > capacity:  # a second round is rare: 1.2 times the expected number was not enough
                pixels = np.empty(needed, np.int32)
                capacity = needed
                needed = _encode(flat[part], numbers[part], self.seed, tag, table, scratch, pixels, offsets[part])
            return pixels[:needed]

        pixels = in_parallel(work, len(parts))
        for thread, part in enumerate(parts):
            offsets[part] += sum(map(len, pixels[:thread]))
        return SpikeTrains(np.concatenate(pixels) if len(pixels) > 1 else pixels[0], offsets)


@compiled
def add_spikes_per_pixel(trains: SpikeTrains, counts: NDArray[np.int64]) -> None:
    """Add the spikes of each pixel in all presentations to counts (n*n,); presentations may have gaps between them."""
    for i in range(trains.offsets.shape[0]):
        for spike in range(np.uintp(trains.offsets[i, 0]), np.uintp(trains.offsets[i, trains.offsets.shape[1] - 1])):
            counts[np.uintp(trains.pixels[spike])] += 1


class IntervalTable(NamedTuple):
    """How intervals are drawn from random words."""

    bounds: NDArray[np.uint32]
    """(256, T + 1): a word of at most bounds[value, g - 1] gives an interval of at most g steps. The last bound is the
    largest word, so that an interval that ends beyond the presentation has T + 1 steps. (256, 0): regular intervals."""
    guide: NDArray[np.uint16]
    """(256, 256) index at which the search of `bounds` starts, by the word's leading 8 bits."""
    means: NDArray[np.float64]
    """(256,) mean interval, steps; infinite at rate 0."""
    blocks: NDArray[np.int64]
    """(256,) number of blocks of four words that are drawn for a pixel in advance; they suffice for nearly every pixel,
    and the remaining pixels draw more."""


@lru_cache(maxsize=16)
def _interval_table(kind: EncoderKind, peak: float, steps: int) -> IntervalTable:
    """Return the table for `peak` expected spikes per step of a white pixel (rounded to 2**-32 in probability)."""
    expected = peak * np.arange(256) / 255
    means = 1 / np.maximum(expected, 1e-300)
    if kind == "regular":
        return IntervalTable(
            bounds=np.empty((256, 0), np.uint32),
            guide=np.empty((256, 0), np.uint16),
            means=np.maximum(means, 1.0),
            blocks=(expected > 0).astype(np.int64),
        )
    gaps = np.arange(1, steps + 1)
    if kind == "poisson":
        cumulative = np.asarray(-np.expm1(gaps * np.log1p(-np.minimum(expected, 1 - 2.0**-53))[:, None]))
    else:
        from scipy.special import pdtr  # slow to import, and only this kind needs it

        cumulative = pdtr(gaps, means[:, None])
    bounds = np.clip(np.ceil(cumulative * 2.0**32) - 1, 0, 2.0**32 - 1).astype(np.uint32)
    firsts = np.arange(256, dtype=np.uint32) << np.uint32(24)
    guide = np.array([np.searchsorted(row, firsts, side="left") for row in bounds], np.uint16)
    spikes = np.minimum(expected, 1) * steps
    blocks = np.where(expected > 0, np.ceil((spikes + 1.5 * np.sqrt(spikes) + 1) / 4), 0).astype(np.int64)
    bounds = np.pad(bounds, ((0, 0), (0, 1)), constant_values=2**32 - 1)
    return IntervalTable(bounds=bounds, guide=guide, means=means, blocks=blocks)


class _Scratch(NamedTuple):
    """Scratch memory for one image."""

    word_blocks: NDArray[np.uint32]
    """(M,) number, within its pixel, of each block of four words."""
    word_pixels: NDArray[np.uint32]
    """(M,) pixel of each block of four words."""
    words: NDArray[np.uint32]
    """(4*M,) the words."""
    steps: NDArray[np.int32]
    """(S,) step of each spike; spikes sorted by pixel."""
    pixels: NDArray[np.int32]
    """(S,) pixel of each spike, ascending."""

    @classmethod
    def empty(cls, pixels: int, steps: int, table: IntervalTable) -> _Scratch:
        blocks, spikes = (pixels * int(table.blocks.max()) + LANES) // LANES * LANES, pixels * steps
        return cls(
            word_blocks=np.zeros(blocks, np.uint32),
            word_pixels=np.zeros(blocks, np.uint32),
            words=np.empty(4 * blocks, np.uint32),
            steps=np.empty(spikes, np.int32),
            pixels=np.empty(spikes, np.int32),
        )


# Unsigned indices, here and below: for signed ones numba adds a test whether they count from the end.


@compiled
def _encode(
    images: NDArray[np.uint8],
    presentations: NDArray[np.int64],
    seed: int,
    tag: np.uint32,
    table: IntervalTable,
    scratch: _Scratch,
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
) -> int:
    """Write the spikes of images (N, n*n) as far as there is room for them; return how many there are."""
    steps = offsets.shape[1] - 1
    key = (np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32))
    begin = 0
    for i in range(images.shape[0]):
        image, number = images[i], np.uint64(presentations[i])
        low = np.uint32(number & np.uint64(0xFFFFFFFF))
        high = np.uint32(np.uint32(number >> np.uint64(32)) << np.uint32(16) | tag)
        count = 0
        for pixel in range(image.shape[0]):
            for block in range(table.blocks[np.uintp(image[pixel])]):
                scratch.word_blocks[count] = block
                scratch.word_pixels[count] = pixel
                count += 1
        philox_many(scratch.word_blocks, scratch.word_pixels, low, high, key, count, scratch.words)
        total = block = 0
        for pixel in range(image.shape[0]):
            value = np.uintp(image[pixel])
            if value != 0:
                counter, blocks = (np.uint32(pixel), low, high), table.blocks[value]
                words = scratch.words[4 * block : 4 * (block + blocks)]
                count = _draw_pixel(value, counter, key, words, table, steps, scratch.steps[total:])
                scratch.pixels[total : total + count] = pixel
                total += count
                block += blocks
        if begin + total <= pixels.shape[0]:
            _sort_by_step(scratch.steps[:total], scratch.pixels[:total], begin, pixels, offsets[i])
        begin += total
    return begin


@inlined
def _draw_pixel(
    value: np.uintp,
    counter: tuple[np.uint32, np.uint32, np.uint32],
    key: tuple[np.uint32, np.uint32],
    words: NDArray[np.uint32],
    table: IntervalTable,
    steps: int,
    times: NDArray[np.int32],
) -> int:
    """Write the spike steps of one pixel to `times`; return how many there are.

    `words` are the first random words of the pixel's counter; more are generated where these do not suffice.
    """
    count = np.uintp(0)
    if table.bounds.shape[1] == 0:
        phase = np.float64(words[0]) * 2.0**-32
        time = phase * table.means[value]
        while time < steps:
            times[count] = np.int32(time)
            count += np.uintp(1)
            time = (phase + count) * table.means[value]
    else:
        bounds, guide = table.bounds[value], table.guide[value]
        elapsed = _interval(words[0], bounds, guide)
        while elapsed <= steps:
            times[count] = elapsed - 1
            count += np.uintp(1)
            if count < np.uintp(words.shape[0]):
                word = words[count]
            else:
                block = np.uint32(count >> np.uintp(2))
                word = philox(block, counter[0], counter[1], counter[2], key[0], key[1])[int(count) & 3]
            elapsed += _interval(word, bounds, guide)
    return int(count)


@inlined
def _interval(word: np.uint32, bounds: NDArray[np.uint32], guide: NDArray[np.uint16]) -> int:
    """Return the interval, in steps, that a random word gives."""
    gap = np.uintp(guide[word >> np.uint32(24)])
    # Two comparisons nearly always suffice; they are branch-free, so that no branch can be mispredicted.
    gap += np.uintp(word > bounds[gap])
    gap += np.uintp(word > bounds[gap])
    while word > bounds[gap]:
        gap += np.uintp(1)
    return int(gap) + 1


@internal
def _sort_by_step(
    steps: NDArray[np.int32],
    unsorted: NDArray[np.int32],
    begin: int,
    pixels: NDArray[np.int32],
    offsets: NDArray[np.int64],
) -> None:
    """Sort spikes by step (a counting sort): write their pixels to pixels[begin:], and where each step begins.

    Parameters
    ----------
    steps, unsorted : (S,) step and pixel of each spike, by pixel
    begin : index in `pixels` of the first spike
    pixels : where to write the pixels, by step, then pixel
    offsets : (T + 1,) where to write the indices at which the steps begin
    """
    offsets[:] = 0
    for step in steps:
        offsets[np.uintp(step) + np.uintp(1)] += 1
    offsets[0] = begin
    for step in range(1, offsets.shape[0]):  # from counts to the index at which the next step begins
        offsets[step] += offsets[step - 1]
    for spike in range(steps.shape[0]):  # moves each beginning to the end of its step ...
        step = np.uintp(steps[spike])
        slot = offsets[step]
        pixels[np.uintp(slot)] = unsorted[spike]
        offsets[step] = slot + 1
    for step in range(offsets.shape[0] - 1, 0, -1):  # ... which is the beginning of the next step
        offsets[step] = offsets[step - 1]
    offsets[0] = begin
