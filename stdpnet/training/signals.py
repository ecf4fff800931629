"""A wish to stop a training, noted now and answered at the next image boundary."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from signal import SIGINT, Signals
from typing import TypeVar

Result = TypeVar("Result")


class StopRequest:
    """A wish to stop; the command line has a subclass that signals make (stdpnet.cli.signals)."""

    def __init__(self) -> None:
        self.received: Signals | None = None
        """The signal that a job answers as if the process had got it; None: go on."""

    def ask(self, number: Signals = SIGINT) -> None:
        """Ask the job to stop at the next image boundary."""
        if self.received is None:
            self.received = number


def interruptible(work: Callable[[], Result], stop: StopRequest) -> Result:
    """Return work(), which ends early, at an image boundary, if Ctrl-C or a notebook's stop button interrupts it.

    Python raises KeyboardInterrupt in the main thread at any moment, also between two arrays that belong together.
    So the work is done in another thread, and the interrupt only asks it to stop: no state is ever half changed, and
    no signal handler of the process is replaced. Outside the main thread, where no interrupt arrives, nothing differs.

    Parameters
    ----------
    work : looks at `stop` between images, and raises StopRequestedError where it is asked to stop
    stop : what to ask
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="stdpnet-training") as executor:
        future = executor.submit(contextvars.copy_context().run, work)
        while True:
            try:
                return future.result()
            except KeyboardInterrupt:
                if future.done():
                    raise
                stop.ask()
