"""Make the sampler and the pruner of Optuna that a study specifies."""

from __future__ import annotations

import warnings

import numpy as np
import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler

from stdpnet_analysis.sweeps.spec import StudySpec


def make_sampler(study: StudySpec, number: int) -> BaseSampler:
    """Return the sampler of the trial that has `number` trials before it.

    Its seed depends on that number, so that neither a restarted study nor a second driver draws the same values again.
    """
    spec = study.sampler
    seed = int(np.random.SeedSequence((spec.seed, number)).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match spec.kind:
            case "tpe":
                return TPESampler(seed=seed, n_startup_trials=spec.startup, constant_liar=True)
            case "cmaes":
                return CmaEsSampler(seed=seed, n_startup_trials=spec.startup, warn_independent_sampling=False)
            case "random" | "grid":  # a grid's combinations wait in Optuna's queue
                return RandomSampler(seed=seed)


def make_pruner(study: StudySpec, images: int) -> BasePruner:
    """Return the pruner of trials that train on so many images."""
    spec = study.pruner
    match spec.kind:
        case "none":
            return NopPruner()
        case "median":
            return MedianPruner(spec.startup, spec.warmup, spec.every)
        case "halving":
            return SuccessiveHalvingPruner(min_resource=max(spec.warmup, 1))
        case "hyperband":
            return HyperbandPruner(min_resource=max(spec.warmup, 1), max_resource=max(images, spec.warmup, 1))
