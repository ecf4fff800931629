"""Measure in the interpreter of another simulator, which need not have stdpnet: `runner.py NAME PROBLEM THREADS`.

The script prints the result of `measure` in <NAME>_peer.py as one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any, NamedTuple

import numpy as np


class Problem(NamedTuple):
    """A network and its input spikes; P positions, C channels, N images, T steps."""

    weights: Any
    """(P, k*k, C) feedforward weights, mV."""
    theta: Any
    """(P, C) adaptive threshold, mV."""
    windows: Any
    """(P, n*n) row of each pixel in each receptive field, -1 outside."""
    pixels: Any
    """(S,) pixels of the input spikes: those of image i, step k are pixels[offsets[i, k]:offsets[i, k + 1]]."""
    offsets: Any
    """(N, T + 1)."""
    numbers: dict[str, float]
    """The parameters by the names of docs/model.md, Units and names; mV, ms."""

    @classmethod
    def load(cls, path: str) -> Problem:
        """Read a problem from a file."""
        with np.load(path) as file:
            arrays = {name: file[name] for name in cls._fields[:-1]}
            return cls(**arrays, numbers=json.loads(str(file["numbers"])))

    @property
    def steps(self) -> int:
        """Steps T of an image."""
        return int(self.offsets.shape[1]) - 1

    def raster(self, image: int) -> Any:
        """Return (T, n*n) bool: the input spikes of an image."""
        spikes = np.zeros((self.steps, self.windows.shape[1]), bool)
        offsets = self.offsets[image]
        spikes[np.repeat(np.arange(self.steps), np.diff(offsets)), self.pixels[offsets[0] : offsets[-1]]] = True
        return spikes

    def pixel_of_row(self) -> Any:
        """Return (P, k*k) the pixel of each row of each receptive field."""
        return np.nonzero(self.windows >= 0)[1].reshape(len(self.windows), -1)


def main() -> None:
    """Measure and print the result."""
    name, path, threads = sys.argv[1:]
    measured = importlib.import_module(f"{name}_peer").measure(Problem.load(path), int(threads))
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
