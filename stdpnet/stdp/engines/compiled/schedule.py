"""Divide the presentations of groups among threads, in a way on which the results do not depend."""

from __future__ import annotations

from itertools import pairwise
from threading import Event
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Piece(NamedTuple):
    """Tasks that a thread does one after the other."""

    tasks: NDArray[np.int64]
    """(M, 3) group, first presentation, and presentation after the last, of each task."""
    after: Event | None = None
    """Event to wait for before starting."""
    done: Event | None = None
    """Event to set when done."""


def by_presentation(groups: int, presentations: int, threads: int) -> list[list[Piece]]:
    """Return, for each thread, all groups of its share of the presentations.

    Presentations are independent while nothing is learned.

    Parameters
    ----------
    groups, presentations, threads : numbers of groups, presentations and threads
    """
    ends = np.linspace(0, presentations, threads + 1).astype(int)
    return [
        [Piece(np.array([(group, first, end) for group in range(groups)], np.int64).reshape(-1, 3))]
        for first, end in pairwise(ends)
        if first < end
    ]


def by_group(costs: NDArray[np.float64], presentations: int, threads: int) -> list[list[Piece]]:
    """Return, for each thread, its share of all presentations of all groups; those of one group stay in order.

    All presentations of the first group, of the second and so on form a line, which is cut into pieces of equal cost.
    A group that is cut is begun by one thread before anything else, and finished by the next one after everything else,
    so that no thread waits long.

    Parameters
    ----------
    costs : (G,) expected cost of a group's presentations
    presentations, threads : numbers of presentations and threads
    """
    ends = np.concatenate([[0.0], np.cumsum(costs)])
    marks = np.interp(np.linspace(0, ends[-1], threads + 1), ends, np.arange(len(ends)) * presentations)
    cuts = np.round(marks).astype(int).tolist()
    cut_groups: dict[int, Event] = {cut: Event() for cut in cuts if cut % presentations}
    plan = []
    for first, end in pairwise(cuts):
        borders = [first, *range(-(-(first + 1) // presentations) * presentations, end, presentations), end]
        pieces = [(a, b) for a, b in pairwise(borders) if a < b]
        late = [piece for piece in pieces if piece[0] % presentations]
        early = [piece for piece in pieces if piece not in late and piece[1] % presentations]
        whole = [piece for piece in pieces if piece not in late + early]
        plan.append(
            [
                Piece(_tasks(part, presentations), cut_groups.get(part[0][0]), cut_groups.get(part[-1][1]))
                for part in (early, whole, late)
                if part
            ]
        )
    return [pieces for pieces in plan if pieces]


def _tasks(pieces: list[tuple[int, int]], presentations: int) -> NDArray[np.int64]:
    """Return pieces of the line, each within one group, as tasks."""
    groups = [first // presentations for first, _ in pieces]
    return np.array(
        [
            (group, first - group * presentations, end - group * presentations)
            for group, (first, end) in zip(groups, pieces, strict=True)
        ],
        np.int64,
    )
