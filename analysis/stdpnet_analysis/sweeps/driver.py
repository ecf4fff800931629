"""Drive a study: ask Optuna for trials, have workers run them, report their results to Optuna.

Several drivers may share a study, and any of them may die at any moment. A trial that runs carries its driver's name; a
driver lives as long as it holds the lock of that name. Another driver (or the next command) adopts the trials that a
dead driver left, under the same numbers, and their runs go on from their checkpoints.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import optuna
from distributed import Client, Future
from optuna.trial import FrozenTrial, TrialState

from stdpnet.errors import ConfigError, DataError, EngineError, RunError, StopRequestedError
from stdpnet.runs.rows import read_rows
from stdpnet.spec.experiment import Experiment
from stdpnet.training import StopRequest
from stdpnet_analysis.cluster.pool import slots
from stdpnet_analysis.cluster.waiting import RunningTasks, ask
from stdpnet_analysis.sweeps.directory import StudyDirectory
from stdpnet_analysis.sweeps.samplers import make_pruner, make_sampler
from stdpnet_analysis.sweeps.space import grid, suggest
from stdpnet_analysis.sweeps.trial import Outcome, Repeat, objective, run_repeat

DRIVER = "driver"
FAULTS_OUTSIDE = (RunError, DataError, EngineError)
"""Errors that do not come from the values of a trial, such as a full disk: every trial would have them."""


@dataclass
class _ActiveTrial:
    """A trial that this driver is running."""

    trial: optuna.Trial
    spec: Experiment
    reported: set[int]
    """Training images at which the learning curve has been reported."""
    accuracy: dict[int, dict[str, float]] = field(default_factory=dict)
    """Validation accuracies by training seed."""


class Driver:
    """Runs a study until its budget is spent and no trial is running any more, neither here nor in another driver.

    Parameters
    ----------
    directory : the study
    client : the workers
    ended : called with every trial that ends
    stop : a request to stop, such as one made by a signal
    """

    def __init__(
        self,
        directory: StudyDirectory,
        client: Client,
        ended: Callable[[FrozenTrial], None] = lambda _: None,
        stop: StopRequest | None = None,
    ) -> None:
        self._directory, self._client, self._ended, self._stop = directory, client, ended, stop or StopRequest()
        self._study = directory.study()
        self._study.pruner = make_pruner(directory.spec, directory.base.training.images)
        self._active: dict[int, _ActiveTrial] = {}
        self._queue: list[tuple[int, int]] = []
        self._tasks = RunningTasks[tuple[int, int]](client, directory.path)
        self._name = ""

    def go(self) -> None:
        """Drive until the budget is spent and no trial is running.

        Raises
        ------
        StopRequestedError
            If a signal asked for it; its trials have checkpoints and wait to be adopted.
        RunError
            If the scheduler is gone.
        """
        hours = self._directory.spec.budget.hours
        deadline = time.monotonic() + 3600 * hours if hours else float("inf")
        with self._directory.driving() as self._name:
            if self._directory.spec.sampler.kind == "grid":
                self._fill_grid()
            while True:
                self._adopt()
                while time.monotonic() < deadline and self._has_room() and self._ask():
                    pass
                self._submit()
                if not len(self._tasks) and not self._running():
                    return
                self._prune()
                for (number, seed), future in self._tasks.ended():
                    self._take(number, seed, future)
                if self._stop.received is not None:
                    self._tasks.stop([self._directory.leave_file(self._name)])
                    study, number = self._directory.path, self._stop.received
                    raise StopRequestedError(f"{study}: stopped by {number.name}; the same command goes on", number)

    def _has_room(self) -> bool:
        return len(self._queue) + len(self._tasks) < slots(self._client)

    def _running(self) -> list[FrozenTrial]:
        """Return the trials, of any driver, that have begun and not ended."""
        return self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def _fill_grid(self) -> None:
        """Put the combinations of a grid that no trial has yet into Optuna's queue."""
        with self._directory.alone():
            trials = self._study.get_trials(deepcopy=False)
            known = [trial.system_attrs.get("fixed_params", trial.params) for trial in trials]
            for values in grid(self._directory.spec):
                if values not in known:
                    self._study.enqueue_trial(values)

    def _adopt(self) -> None:
        """Take over the running trials of drivers that have died, and those that carry no driver's name yet."""
        if not any(self._is_orphan(trial) for trial in self._running()):
            return
        with self._directory.alone():
            for orphan in filter(self._is_orphan, self._running()):
                self._begin(optuna.Trial(self._study, orphan._trial_id), set(orphan.intermediate_values))

    def _is_orphan(self, trial: FrozenTrial) -> bool:
        driver = trial.user_attrs.get(DRIVER)
        return driver != self._name and not self._directory.is_alive(driver)

    def _ask(self) -> bool:
        """Ask for one trial; return whether there is one within the budget."""
        with self._directory.alone():
            trials = self._study.get_trials(deepcopy=False)
            waiting = sum(trial.state == TrialState.WAITING for trial in trials)
            asked, spec = len(trials) - waiting, self._directory.spec
            if asked >= spec.budget.trials or (spec.sampler.kind == "grid" and not waiting):
                return False
            self._study.sampler = make_sampler(spec, asked)
            self._begin(self._study.ask(), set())
        return True

    def _begin(self, trial: optuna.Trial, reported: set[int]) -> None:
        """Mark a trial as this driver's, and queue its first repeat; the caller holds `alone`."""
        trial.set_user_attr(DRIVER, self._name)
        try:
            spec = self._directory.base.updated(suggest(self._directory.spec, trial))
        except ConfigError as error:  # such as a threshold below the resting potential
            self._tell(trial, TrialState.FAIL, reason=str(error))
            return
        self._active[trial.number] = _ActiveTrial(trial, spec, reported)
        self._queue.append((trial.number, self._directory.seeds[0]))

    def _submit(self) -> None:
        """Give queued repeats to workers that have nothing to do."""
        while self._queue and len(self._tasks) < slots(self._client):
            number, seed = self._queue.pop(0)
            repeat = Repeat(
                spec=self._active[number].spec.updated({"seed": seed}),
                run=self._directory.run_folder(number, seed),
                prune=self._directory.prune_file(number),
                leave=self._directory.leave_file(self._name),
            )
            self._tasks.submit((number, seed), run_repeat, repeat)

    def _prune(self) -> None:
        """Report the learning curves of first repeats, and end those that the pruner rejects."""
        if self._directory.spec.pruner.kind == "none":
            return
        for number, seed in self._tasks.labels:
            if number in self._active and seed == self._directory.seeds[0]:
                self._report(number)

    def _report(self, number: int) -> None:
        live, aim = self._active[number], self._directory.spec.objective
        folder = self._directory.run_folder(number, self._directory.seeds[0])
        for row in read_rows(folder / "curve.jsonl"):
            if row["images"] > 0 and row["images"] not in live.reported:
                live.reported.add(row["images"])
                with contextlib.suppress(RunError):  # the row lacks this read-out
                    live.trial.report(objective(row["accuracy"], aim), step=row["images"])
                if live.trial.should_prune():
                    ask(self._directory.prune_file(number))

    def _take(self, number: int, seed: int, future: Future[Any]) -> None:
        """Take the result of a repeat: queue the next repeats, or end the trial."""
        if number not in self._active:  # another repeat has ended the trial
            return
        error = future.exception()
        if isinstance(error, FAULTS_OUTSIDE):
            self._tasks.stop([self._directory.leave_file(self._name)])
            raise RunError(
                f"{self._directory.path}: trial {number} failed, but not by its values ({error}); mend that, and the "
                "same command goes on with this trial"
            )
        if error is not None:
            self._end(number, TrialState.FAIL, f"{type(error).__name__}: {error}")
            return
        outcome: Outcome = future.result()
        if outcome.state == "pruned":
            self._end(number, TrialState.PRUNED, outcome.reason)
        elif outcome.state == "finished":
            self._finish(number, seed, outcome)

    def _finish(self, number: int, seed: int, outcome: Outcome) -> None:
        """Keep the accuracy of a repeat; after the first repeat queue the others, after the last one end the trial."""
        live, seeds = self._active[number], self._directory.seeds
        live.accuracy[seed] = outcome.accuracy or {}
        if seed == seeds[0]:
            if self._directory.spec.pruner.kind != "none":
                self._report(number)
            self._queue += [(number, other) for other in seeds[1:]]
        if len(live.accuracy) == len(seeds):
            self._end(number, TrialState.COMPLETE)

    def _end(self, number: int, state: TrialState, reason: str = "") -> None:
        """End a trial, and those of its repeats that are still queued or running."""
        live = self._active.pop(number)
        self._queue = [job for job in self._queue if job[0] != number]
        value = None
        if state == TrialState.COMPLETE:
            aim, accuracy = self._directory.spec.objective, live.accuracy
            values = [objective(accuracy[seed], aim) for seed in self._directory.seeds]
            value = sum(values) / len(values)
            live.trial.set_user_attr("accuracy", {str(seed): accuracy[seed] for seed in self._directory.seeds})
        elif any(label[0] == number for label in self._tasks.labels):
            ask(self._directory.prune_file(number))
        self._tell(live.trial, state, value, reason)

    def _tell(self, trial: optuna.Trial, state: TrialState, value: float | None = None, reason: str = "") -> None:
        if reason:
            trial.set_user_attr("reason", reason)
        self._ended(self._study.tell(trial, value, state))
