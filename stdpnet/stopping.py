"""A request to stop a training, made at any moment and answered at the next image boundary."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from functools import partial
from signal import SIGINT, Signals
from typing import NoReturn, TypeVar

Result = TypeVar("Result")
MOST_NESTED = 16
"""Largest number of interrupts that may arrive within microseconds of each other."""


class StopRequest:
    """A request to stop; on the command line, signals make it (stdpnet.cli.signals)."""

    def __init__(self) -> None:
        self.received: Signals | None = None
        """The signal to which the job responds as if the process had received it; None: there is no request."""

    def ask(self, number: Signals = SIGINT) -> None:
        """Ask the job to stop at the next image boundary."""
        if self.received is None:
            self.received = number


def interruptible(work: Callable[[], Result], stop: StopRequest) -> Result:
    """Return work(), which ends early, at an image boundary, if Ctrl-C or a notebook's stop button interrupts it.

    Python raises KeyboardInterrupt in the main thread at any moment, also between two arrays that belong together.
    So the work is done in another thread, and the interrupt only asks it to stop: no state is ever half changed, and
    no signal handler of the process is replaced. Outside the main thread, where no interrupt arrives, it calls work().
    When this returns or raises, the work has ended.

    Parameters
    ----------
    work : checks `stop` between images, and raises StopRequestedError when it is asked to stop
    stop : the request that an interrupt makes; if the work is already done, it is only recorded there
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: list[Callable[[], Result]] = []
    ended = threading.Lock()  # implemented in C: it is acquired or not; an interrupted Future may stay locked
    ended.acquire()
    context = contextvars.copy_context()

    def do() -> None:
        try:
            result = context.run(work)
            outcome.append(lambda: result)
        except BaseException as error:
            outcome.append(partial(_throw, error))
        finally:
            ended.release()

    def wait() -> None:
        while not outcome:
            ended.acquire(timeout=1)

    thread = threading.Thread(target=do, name="stdpnet-training")
    try:
        thread.start()
        _wait_through_interrupts(wait, stop)
    finally:
        if not outcome and thread.is_alive():  # interrupted between two lines of this function
            stop.ask()
            thread.join()
    return outcome[0]()


def _throw(error: BaseException) -> NoReturn:
    raise error


def _wait_through_interrupts(wait: Callable[[], None], stop: StopRequest, nested: int = MOST_NESTED) -> None:
    """Wait; an interrupt asks to stop, and another one during its handling is caught by the calling level."""
    while True:
        try:
            return _wait_through_interrupts(wait, stop, nested - 1) if nested else wait()
        except KeyboardInterrupt:
            stop.ask()
