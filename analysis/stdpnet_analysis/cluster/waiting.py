"""Tasks that workers compute: submit them, poll which of them have ended, ask all of them to stop."""

from __future__ import annotations

import contextlib
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

from distributed import Client, Future, wait

from stdpnet.errors import RunError
from stdpnet.runs.files import REPEAT, unwritable

POLL_SECONDS = 0.25
"""Seconds between two checks of the workers."""
STOP_SECONDS = 60.0
"""Seconds that workers get to write checkpoints when they are asked to stop."""

Label = TypeVar("Label")


def ask(file: Path) -> None:
    """Make the file whose presence asks a task for something; RunError if it cannot be made."""
    try:
        file.touch()
    except OSError as error:
        raise unwritable(file, error, REPEAT) from None


class RunningTasks(Generic[Label]):
    """The tasks of one command, each with a label that says what it computes.

    Parameters
    ----------
    client : the workers
    folder : where the results go; errors name it
    """

    def __init__(self, client: Client, folder: Path) -> None:
        self._client, self._folder = client, folder
        self._labels: dict[Future[Any], Label] = {}

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def labels(self) -> list[Label]:
        """Labels of the tasks that have not ended."""
        return list(self._labels.values())

    def submit(self, label: Label, function: Callable[..., Any], *arguments: Any) -> None:
        """Have a worker call a function."""
        self._labels[self._client.submit(function, *arguments, pure=False)] = label

    def ended(self) -> list[tuple[Label, Future[Any]]]:
        """Wait until a task ends, POLL_SECONDS at most, then return those that have ended and forget them.

        Raises
        ------
        RunError
            If the scheduler is gone.
        """
        if self._labels:
            with contextlib.suppress(TimeoutError, CancelledError):
                wait(list(self._labels), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
        else:
            time.sleep(POLL_SECONDS)
        found = [(self._labels.pop(future), future) for future in list(self._labels) if future.done()]
        if any(future.cancelled() or future.status == "lost" for _, future in found):
            raise RunError(f"{self._folder}: the scheduler is gone; the same command goes on with another")
        return found

    def stop(self, files: Iterable[Path]) -> None:
        """Make the files by which tasks are asked to write checkpoints and stop; cancel what has not begun in time."""
        for file in files:
            ask(file)
        end = time.monotonic() + STOP_SECONDS
        while any(not future.done() for future in self._labels) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
        for future in self._labels:
            future.cancel()
