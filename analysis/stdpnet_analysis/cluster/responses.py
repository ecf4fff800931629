"""Responses to large sets of images, in blocks on many processes; equal to those of one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from distributed import Client, as_completed

from stdpnet.data import Split
from stdpnet.model import Responder, Responses, State, open_model
from stdpnet.random import Stream
from stdpnet.spec.experiment import Experiment
from stdpnet_analysis.cluster.pool import gathered

BLOCK = 512
"""Images of a task; results do not depend on it, as the input spikes of an image depend on its number alone."""

Value = TypeVar("Value")


def responder(client: Client) -> Responder:
    """Return a function like a model's `respond` that uses a cluster."""

    def respond_in_blocks(
        spec: Experiment,
        state: State,
        split: Split,
        stream: Stream,
        *,
        threads: int | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Responses:
        # The state is the result of a task and not scattered data: if its worker is lost, it is computed again.
        held = client.submit(_same, state.copy(), pure=False)
        blocks = [slice(first, first + BLOCK) for first in range(0, len(split), BLOCK)]
        futures = {
            client.submit(_block, spec, held, split.at(block), stream, pure=False): block.start for block in blocks
        }
        answers: dict[int, Responses] = {}
        for future in as_completed(futures):
            (answer,), first = gathered(client, [future]), futures[future]
            answers[first] = answer
            progress(len(answer.labels))
        return _joined([answers[block.start] for block in blocks], split)

    return respond_in_blocks


def _same(value: Value) -> Value:
    return value


def _block(spec: Experiment, state: State, split: Split, stream: Stream) -> Responses:
    """Return the responses of one block."""
    return open_model(spec).respond(spec, state, split, stream, threads=1)


def _joined(blocks: Sequence[Responses], split: Split) -> Responses:
    """Return the responses of consecutive blocks as those of their split."""
    scores = [block.scores for block in blocks if block.scores is not None]
    first_spikes = [block.first_spikes for block in blocks if block.first_spikes is not None]
    shares = np.array([len(block.labels) for block in blocks]) / max(len(split), 1)
    return Responses(
        counts=np.concatenate([block.counts for block in blocks]),
        labels=split.labels,
        indices=split.indices,
        scores=np.concatenate(scores) if scores else None,
        first_spikes=np.concatenate(first_spikes) if first_spikes else None,
        cost={
            name: float(sum(share * block.cost[name] for share, block in zip(shares, blocks, strict=True)))
            for name in blocks[0].cost
        },
    )
