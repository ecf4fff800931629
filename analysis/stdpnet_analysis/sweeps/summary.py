"""Summarise a study: best trials, importance of the parameters, table of all trials."""

from __future__ import annotations

import warnings
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from stdpnet.errors import RunError
from stdpnet_analysis.sweeps.directory import StudyDirectory
from stdpnet_analysis.sweeps.driver import DRIVER

FEWEST_TRIALS = 4
"""Fewest complete trials from which the importance is computed."""


def summarise(directory: StudyDirectory, best: int = 10) -> dict[str, Any]:
    """Return a study in numbers, JSON-serialisable; accuracies are fractions.

    Parameters
    ----------
    directory : the study
    best : how many of the best trials to list
    """
    study = directory.study(create=False)
    complete, trials = ranked(study), study.get_trials(deepcopy=False)
    return {
        "study": str(directory.path),
        "objective": f"{directory.spec.objective.readout}, {directory.spec.objective.split}",
        "repeats": directory.spec.repeats,
        "trials": {state.name.lower(): sum(trial.state == state for trial in trials) for state in TrialState},
        "best": [describe(directory, trial) for trial in complete[:best]],
        "importance": importance(study),
        "failures": [
            {"trial": trial.number, "state": trial.state.name.lower(), "reason": trial.user_attrs["reason"]}
            for trial in trials
            if trial.state == TrialState.FAIL and "reason" in trial.user_attrs
        ],
        "all": [describe(directory, trial) for trial in trials],
    }


def ranked(study: optuna.Study) -> list[FrozenTrial]:
    """Return the complete trials, best first; ties go to the earlier one."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted(complete, key=lambda trial: (-(trial.value or 0.0), trial.number))


def best_trial(directory: StudyDirectory, number: int | None = None) -> tuple[dict[str, Any], Any]:
    """Return the best complete trial of a study, or the one of a number, and its experiment.

    The experiment has the training seed of the study's base, and the learning curve of the base.

    Raises
    ------
    RunError
        If no trial is complete, or that one is not.
    """
    found = [each for each in ranked(directory.study(create=False)) if number is None or each.number == number]
    if not found:
        which = "no trial is" if number is None else f"trial {number} is not"
        raise RunError(f"{directory.path}: {which} complete; `stdpnet study {directory.path}` lists the trials")
    return describe(directory, found[0]), directory.base.updated(found[0].params)


def describe(directory: StudyDirectory, trial: FrozenTrial) -> dict[str, Any]:
    """Return one trial in numbers."""
    seconds = trial.duration.total_seconds() if trial.duration is not None else None
    return {
        "trial": trial.number,
        "state": trial.state.name.lower(),
        "accuracy": trial.value if trial.state == TrialState.COMPLETE else None,
        "accuracies": trial.user_attrs.get("accuracy"),
        "parameters": trial.params,
        "seconds": seconds,
        "driver": trial.user_attrs.get(DRIVER),
        "runs": [str(directory.run_folder(trial.number, seed)) for seed in directory.seeds],
    }


def importance(study: optuna.Study) -> dict[str, float]:
    """Return each parameter's share of the importance (PED-ANOVA, Watanabe et al. 2023), largest first.

    Empty where too few trials are complete, or all have the same accuracy.
    """
    complete = ranked(study)
    if len(complete) < FEWEST_TRIALS or complete[0].value == complete[-1].value:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.importance.get_param_importances(study)
