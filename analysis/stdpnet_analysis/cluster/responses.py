"""Responses to large sets of images, in blocks on many processes; equal to those of one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from distributed import Client, as_completed

from stdpnet.data import Split
from stdpnet.random import Stream
from stdpnet.runs import Responses
from stdpnet.stdp.network import Network
from stdpnet.stdp.respond import Responder, respond
from stdpnet.stdp.spec.experiment import ExperimentSpec
from stdpnet_analysis.cluster.pool import gathered

BLOCK = 512
"""Images of a task; an image's input spikes depend on its own number alone, so results do not depend on it."""

Value = TypeVar("Value")


def responder(client: Client) -> Responder:
    """Return a function like stdpnet.stdp.respond.respond that uses a cluster."""

    def respond_in_blocks(
        spec: ExperimentSpec,
        network: Network,
        split: Split,
        stream: Stream,
        *,
        threads: int | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Responses:
        # a task, and not scattered data: it survives the worker that holds its result
        held = client.submit(_same, network.copy(), pure=False)
        firsts = range(0, len(split.labels), BLOCK)
        futures = {client.submit(_block, spec, held, _cut(split, first), stream, pure=False): first for first in firsts}
        counts = np.zeros((len(split.labels), network.geometry.neurons), np.uint16)
        for future in as_completed(futures):
            (answer,), first = gathered(client, [future]), futures[future]
            counts[first : first + len(answer)] = answer
            progress(len(answer))
        return Responses(counts, split.labels, split.indices)

    return respond_in_blocks


def _same(value: Value) -> Value:
    return value


def _block(spec: ExperimentSpec, network: Network, split: Split, stream: Stream) -> np.ndarray:
    """Return the (N, P*C) counts of one block."""
    counts: np.ndarray = respond(spec, network, split, stream, threads=1).counts
    return counts


def _cut(split: Split, first: int) -> Split:
    block = slice(first, first + BLOCK)
    return Split(split.images[block], split.labels[block], split.indices[block])
