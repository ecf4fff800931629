"""Sort the names of classes, by the numbers in them or as text."""

from __future__ import annotations

import re
from collections.abc import Sequence

NUMBER = re.compile(r"([0-9]+)")


def in_order(names: Sequence[str], order: str) -> list[int]:
    """Return the indices that sort names in an order: "natural", in which 2 comes before 10, or "text"."""
    return sorted(range(len(names)), key=lambda place: _natural(names[place]) if order == "natural" else names[place])


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return the key that sorts a name by the numbers in it; names that differ only in leading zeros sort as text."""
    parts = NUMBER.split(name)  # text, number, text, ...
    pairs = [(len(n := part.lstrip("0")), n) if place % 2 else (0, part) for place, part in enumerate(parts)]
    return pairs, name
