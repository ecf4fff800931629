"""One repeat of a trial, as a worker computes it: trained, resumed or found finished, then scored on validation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from stdpnet.errors import HealthError, StopRequestedError
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.cluster.jobs import Stopper, complete, finish_reason
from stdpnet_analysis.evaluation import evaluate
from stdpnet_analysis.readouts.scores import accuracies, best_vote
from stdpnet_analysis.sweeps.spec import Objective


class Repeat(NamedTuple):
    """What a worker is asked."""

    spec: STDPExperiment
    run: Path
    """The run's directory, on a file system that all workers share."""
    prune: Path
    """See Stopper."""
    leave: Path


class Outcome(NamedTuple):
    """What it answers."""

    state: str
    """finished, pruned (by the pruner, or unhealthy) or stopped (with a checkpoint)."""
    accuracy: dict[str, float] | None = None
    """Validation accuracy of each read-out, a fraction."""
    reason: str = ""


def run_repeat(repeat: Repeat) -> Outcome:
    """Bring one repeat to its end, from wherever an earlier attempt was lost."""
    stopper = Stopper(repeat.prune, repeat.leave)
    try:
        run = complete(repeat.spec, repeat.run, observers=[stopper])
    except StopRequestedError:
        return Outcome("stopped")
    except HealthError as error:
        return Outcome("pruned", reason=str(error))
    if finish_reason(run) == "pruned":
        return Outcome("pruned", reason="pruned by its learning curve")
    scores: dict[str, Any] = evaluate(run, "validation", baselines=False, threads=1)
    return Outcome("finished", accuracies(scores))


def objective(accuracy: dict[str, float], readout: Objective) -> float:
    """Return the accuracy that a study maximises."""
    vote = accuracy[best_vote(accuracy)]
    return {**accuracy, "vote": vote, "mean": (vote + accuracy["linear"]) / 2}[readout]
