"""One repeat of a trial, as a worker computes it: trained, resumed or found finished, then scored on validation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from stdpnet.errors import HealthError, RunError, StopRequestedError
from stdpnet.spec.experiment import Experiment
from stdpnet_analysis.cluster.jobs import Stopper, complete
from stdpnet_analysis.evaluation import evaluate
from stdpnet_analysis.readouts.scores import accuracies, best_of
from stdpnet_analysis.sweeps.spec import ObjectiveSpec


class Repeat(NamedTuple):
    """Task of a worker: one repeat of a trial."""

    spec: Experiment
    run: Path
    """The run's directory, on a file system that all workers share."""
    prune: Path
    """File that ends it (see Stopper)."""
    leave: Path
    """File that stops it with a checkpoint."""


class Outcome(NamedTuple):
    """Result of a repeat."""

    state: str
    """finished, pruned (by the pruner, or unhealthy) or stopped (with a checkpoint)."""
    accuracy: dict[str, float] | None = None
    """Validation accuracy of each read-out, a fraction."""
    reason: str = ""


def run_repeat(repeat: Repeat) -> Outcome:
    """Train and score one repeat; it goes on where an earlier attempt was lost."""
    stopper = Stopper(repeat.prune, repeat.leave)
    try:
        run = complete(repeat.spec, repeat.run, observers=[stopper])
    except StopRequestedError:
        return Outcome("stopped")
    except HealthError as error:
        return Outcome("pruned", reason=str(error))
    if run.events()[-1].get("reason") == "pruned":
        return Outcome("pruned", reason="pruned by its learning curve")
    scores: dict[str, Any] = evaluate(run, "validation", baselines=False, threads=1)
    return Outcome("finished", accuracies(scores))


def objective(accuracy: dict[str, float], spec: ObjectiveSpec) -> float:
    """Return the accuracy that a study maximises.

    Raises
    ------
    RunError
        If a read-out that it needs was not scored.
    """
    names = [best_of(column, accuracy) for column in spec.columns]
    if None in names:
        raise RunError(f"objective.readout: '{spec.readout}' was not scored; evaluation.readouts of the base lacks it")
    return sum(accuracy[name] for name in names if name is not None) / len(names)
