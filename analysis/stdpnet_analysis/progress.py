"""The protocol of all progress callbacks of the analysis."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Is called as a computation advances; the meters of the command line are such objects."""

    def stage(self, name: str, total: int) -> None:
        """Begin a stage of `total` parts, 0 if their number is not known."""
        ...

    def advance(self, count: int, note: str = "") -> None:
        """Count parts of the stage that are done; the note describes the newest one."""
        ...


class NoProgress:
    """A `Progress` that shows nothing."""

    def stage(self, name: str, total: int) -> None:
        """Do nothing."""

    def advance(self, count: int, note: str = "") -> None:
        """Do nothing."""


SILENT: Progress = NoProgress()
