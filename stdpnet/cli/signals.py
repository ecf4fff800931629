"""Signals that ask a command to stop: the first one at the next image boundary, a second Ctrl-C at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

from stdpnet.stopping import StopRequest

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
"""Ctrl-C, what a scheduler sends to end a job, what a closed terminal sends, and what a cluster sends before it takes a
machine back."""


class SignalCatcher(StopRequest):
    """A context in which signals are noted instead of ending the process; only the main thread can catch any."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[int, Any] = {}
        self._stderr: int | None = None
        """A duplicate of standard error, which Brian2 redirects while it compiles."""

    def __enter__(self) -> SignalCatcher:
        if threading.current_thread() is threading.main_thread():
            # a signal that is ignored stays ignored, such as SIGHUP under nohup
            caught = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]
            with contextlib.suppress(OSError, ValueError):  # standard error may be no file
                self._stderr = os.dup(sys.stderr.fileno())
            self._before = {number: signal.signal(number, self._catch) for number in caught}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._stderr is not None:
            os.close(self._stderr)
            self._stderr = None

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None and number != signal.SIGINT:
            return  # a scheduler may send SIGTERM after SIGUSR1, which asks for the same
        if self.received is not None:
            os._exit(128 + number)  # checkpoints appear whole or not at all: there is nothing to tidy up
        self.ask(signal.Signals(number))
        self._print(
            f"{signal.Signals(number).name}: finishing the image and writing a checkpoint; once more stops at once"
        )

    def _print(self, sentence: str) -> None:
        if self._stderr is None:
            print(sentence, file=sys.stderr, flush=True)
        else:
            with contextlib.suppress(OSError):  # dropped, as in stdpnet.cli.streams
                os.write(self._stderr, f"{sentence}\n".encode())
