"""Compute the trainings of a table on a cluster: those whose results are missing, the longest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from stdpnet.errors import RunError, StdpnetError, StopRequestedError
from stdpnet.runs import Run
from stdpnet.training import StopRequest
from stdpnet_analysis.cluster.jobs import Stopper, complete
from stdpnet_analysis.cluster.pool import warm_up
from stdpnet_analysis.cluster.waiting import RunningTasks

if TYPE_CHECKING:
    from distributed import Client


class Work(Protocol):
    """A training with its scores."""

    @property
    def spec(self) -> Any:
        """The experiment."""
        ...

    @property
    def run(self) -> Path:
        """Directory of the run."""
        ...

    @property
    def leave(self) -> Path:
        """See stdpnet_analysis.cluster.jobs.Stopper."""
        ...

    @property
    def cost(self) -> int:
        """A rough measure of the time it takes."""
        ...

    @property
    def title(self) -> str:
        """Its name in a progress display."""
        ...

    def result(self) -> Any:
        """Return the result, None if there is none yet."""
        ...

    def perform(self) -> bool:
        """Train, score and write the result; return whether it was brought to its end."""
        ...


W = TypeVar("W", bound=Work)


def compute(
    tasks: Sequence[W],
    client: Client,
    computed: Callable[[W], None] = lambda _: None,
    stop: StopRequest | None = None,
) -> None:
    """Compute the missing results of tasks, which stay in their runs.

    Parameters
    ----------
    tasks : what to compute
    client : the workers; they share the file system of the runs
    computed : called with each task after it has been computed
    stop : a request to stop, such as one made by a signal

    Raises
    ------
    StopRequestedError
        If a signal asked for it; unfinished trainings have written checkpoints.
    RunError, EngineError
        If a task fails; the others are finished first.
    """
    missing = sorted((task for task in tasks if task.result() is None), key=lambda task: -task.cost)
    if not missing:
        return
    warm_up(client, *(task.spec for task in missing))
    folder, errors = missing[0].run.parent, []
    running = RunningTasks[W](client, folder)
    stop = stop or StopRequest()
    for task in missing:
        task.leave.unlink(missing_ok=True)
        running.submit(task, task.perform)
    while len(running):
        for task, future in running.ended():
            error = future.exception()
            if error is not None:
                errors.append(error)
            elif future.result():
                computed(task)
        if (number := stop.received) is not None:
            files = {task.leave for task in running.labels}
            running.stop(files)
            for file in files:
                file.unlink(missing_ok=True)
            raise StopRequestedError(f"{folder}: stopped by {number.name}; the same command goes on", number)
    if errors:
        raise errors[0] if isinstance(errors[0], StdpnetError) else RunError(f"a task failed: {errors[0]!r}")


def finished_run(task: Work) -> Run | None:
    """Return the finished run of a task, trained as far as needed; None if the task was asked to stop."""
    if task.leave.exists():
        return None
    try:
        return complete(task.spec, task.run, observers=[Stopper(None, task.leave)])
    except StopRequestedError:
        return None
