"""Search and test each kind of competition: the same tuning budget for all, then fresh seeds on the test images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from distributed import Client

from stdpnet.errors import RunError
from stdpnet.runs import Run
from stdpnet.spec.load import load_config
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.cluster.pool import gathered
from stdpnet_analysis.competition_weights import off_diagonal
from stdpnet_analysis.paper.harness import trained
from stdpnet_analysis.readouts.scores import accuracies, best_vote
from stdpnet_analysis.sweeps import StudyDirectory, StudySpec, sweep
from stdpnet_analysis.sweeps.spec import DimensionSpec
from stdpnet_analysis.sweeps.summary import ranked

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

NETWORKS = {"lcsnn-25-k12": (24, 10), "lcsnn-100-k12": (24, 10), "csnn-81-k12": (12, 10), "lcsnn-1000-k12": (4, 5)}
"""Presets, with the trials of each search and the seeds of its test."""
BASES = {
    "lcsnn-25-k12": ("plasticity.A_plus=0.00281",),
    "lcsnn-100-k12": (
        "neuron.v_thresh=8.13",
        "neuron.tau_v=638.0",
        "neuron.theta_plus=0.794",
        "neuron.tau_theta=1.1e7",
        "encoder.max_rate=411.0",
        "plasticity.A_plus=0.00376",
        "plasticity.tau_plus=223.0",
        "plasticity.mean_weight=0.122",
        "competition.c_w=-438.0",
    ),
    "csnn-81-k12": (),
    "lcsnn-1000-k12": (
        "neuron.v_thresh=-5.0",
        "neuron.tau_v=638.0",
        "neuron.theta_plus=3.0",
        "neuron.tau_theta=1.1e7",
        "neuron.tau_refrac=3.0",
        "encoder.max_rate=205.0",
        "plasticity.A_plus=0.02",
        "plasticity.tau_plus=223.0",
        "plasticity.mean_weight=0.122",
        "competition.c_w=-150.0",
    ),
}
"""Keys that differ from the presets: parameters found for fixed competition and 5000 images shown once. They are
written out because the presets change."""
ONCE = ("training.images=5000", "training.pool=0")
"""Keys of all networks: 5000 images, each shown once."""
KINDS = {
    "fixed": (),
    "none": ("competition.rule=none",),
    "anti-STDP": ("competition.rule=anti_stdp",),
    "anti-STDP, two-step": ("competition.rule=anti_stdp",),
    "rate target": ("competition.rule=rate_target",),
    "anti-Hebbian": ("competition.rule=anti_hebbian",),
}
"""Kinds of competition; all are compared with the first."""
FROM_CONSTANT = {
    f"{kind} from c_w": (*KINDS[kind], "competition.initial=constant")
    for kind in ("anti-STDP", "rate target", "anti-Hebbian")
}
"""Kinds whose weights all begin at c_w, where those of fixed competition stay; for the small networks."""
SMALL = ("lcsnn-25-k12", "lcsnn-100-k12")
"""Networks in which the kinds of FROM_CONSTANT are compared, too."""
TUNING = ("dataset.validation=5000", "dataset.calibration=5000")
"""Keys of the searches."""
FIRST_TEST_SEED = 100
"""The searches have lower seeds, so that the test has fresh ones."""


class Options(NamedTuple):
    """The options of the comparison."""

    folder: Path
    """Where searches, runs and results are."""
    trials: int | None = None
    """Trials of each search; default as in NETWORKS."""
    seeds: int | None = None
    """Seeds of each test; default as in NETWORKS."""
    keys: tuple[str, ...] = ()
    """Overrides for all networks, each like "training.images=2000"."""


class Result(NamedTuple):
    """Result of a kind of competition in a network."""

    kind: str
    parameters: dict[str, Any]
    """Values of the best trial."""
    validation: float
    """Mean of vote and linear accuracy of the best trial, a fraction."""
    trials: int
    """Number of finished trials."""
    accuracy: dict[str, dict[int, float]]
    """Read-out -> seed -> test accuracy, a fraction; the voting rule is the one best on validation images."""
    weights: np.ndarray | None
    """Learned weights of the first seed, mV."""


def kinds(network: str) -> dict[str, tuple[str, ...]]:
    """Return the kinds of competition that are compared in a network, with their keys."""
    return KINDS | FROM_CONSTANT if network in SMALL else KINDS


def space(kind: str, base: STDPExperiment) -> dict[str, DimensionSpec]:
    """Return the dimensions of a search around the values of `base`: three keys of all kinds, and those of one."""
    xy, c_w = base.plasticity, abs(base.competition.c_w)

    def around(value: float, factor: float) -> DimensionSpec:
        return DimensionSpec(low=value / factor, high=value * factor, log=True)

    dimensions = {
        "plasticity.mean_weight": around(xy.mean_weight, 3),
        "plasticity.A_plus": around(xy.A_plus, 2),
        "neuron.theta_plus": around(base.neuron.theta_plus, 6),
    }
    if kind != "none":
        dimensions["competition.c_w"] = DimensionSpec(low=-3 * c_w, high=-0.1 * c_w)
    if kind.startswith("anti-STDP"):
        dimensions["competition.A_plus"] = DimensionSpec(low=-0.05 * c_w, high=0.0)
        dimensions["competition.A_minus"] = DimensionSpec(low=-0.005 * c_w, high=0.0)
    if kind == "anti-STDP, two-step":
        third = base.training.images // 4
        dimensions["training.two_step"] = DimensionSpec(choices=(third, 2 * third, 3 * third))
    if kind.startswith(("rate target", "anti-Hebbian")):
        rate = 60.0 / base.topology.channels  # Hz, if a position responds to an image with 15 spikes
        eta = {"rate target": (5e-4, 5e-2), "anti-Hebbian": (1e-5, 1e-2)}[kind.removesuffix(" from c_w")]
        dimensions["competition.eta"] = DimensionSpec(low=eta[0] * c_w, high=eta[1] * c_w, log=True)
        dimensions["competition.target_rate"] = DimensionSpec(low=rate / 5, high=10 * rate, log=True)
    return dimensions


def search(network: str, kind: str, options: Options, client: Client) -> list[FrozenTrial]:
    """Finish the search for a kind of competition; return its complete trials, the best first."""
    common = (*ONCE, *BASES[network])
    keys = (*common, *TUNING, *kinds(network)[kind], *options.keys)
    base = load_config(network, keys)
    dimensions = space(kind, load_config(network, (*common, *options.keys)))
    study = StudySpec(
        base={"config": network, "set": keys},
        space={key: dimension.model_dump() for key, dimension in dimensions.items()},
        objective={"readout": "mean"},
        budget={"trials": options.trials or NETWORKS[network][0]},
        checkpoint=5000,
    )
    folder = options.folder / "searches" / f"{network}-{slug(kind)}"
    directory = StudyDirectory.join(study, base.updated({"checkpoint.every": 5000}), folder)
    trials = directory.study()
    if not trials.get_trials(deepcopy=False):
        trials.enqueue_trial({key: value for key, value in _start(base, dimensions).items() if value is not None})
    sweep(directory, client)
    complete = ranked(directory.study())
    if not complete:
        raise RunError(f"{folder}: no trial was finished; `stdpnet study {folder}` says why")
    return complete


def _start(base: STDPExperiment, dimensions: Iterable[str]) -> dict[str, Any]:
    """Return the values of `base` for the dimensions that all kinds share; the sampler chooses the others."""
    shared = ("plasticity.mean_weight", "plasticity.A_plus", "neuron.theta_plus", "competition.c_w")
    tables = base.model_dump()
    return {key: tables[key.split(".")[0]][key.split(".")[1]] for key in dimensions if key in shared}


def slug(kind: str) -> str:
    """Return a kind's name as a part of a file name."""
    return kind.lower().replace(", ", "-").replace(" ", "-")


def _test_accuracies(path: Path, spec: STDPExperiment) -> dict[str, float]:
    """Return the test accuracies of an experiment; a worker trains and scores it if that is missing."""
    return accuracies(trained(path, spec, threads=1, baselines=False).load_scores() or {})


def compare_on_test(network: str, kind: str, options: Options, client: Client) -> Result:
    """Return the result of a kind of competition with the parameters that were best on validation images."""
    complete = search(network, kind, options, client)
    best = complete[0]
    keys = (*ONCE, *BASES[network], *kinds(network)[kind], *options.keys, "checkpoint.every=5000")
    base = load_config(network, keys)
    spec = base.updated(best.params)
    count = options.seeds or NETWORKS[network][1]
    seeds = range(FIRST_TEST_SEED, FIRST_TEST_SEED + count)
    paths = [options.folder / "runs" / f"{network}-{slug(kind)}-{seed}" for seed in seeds]
    jobs = [
        client.submit(_test_accuracies, path, spec.updated({"seed": seed}), pure=False)
        for seed, path in zip(seeds, paths, strict=True)
    ]
    scores = dict(zip(seeds, gathered(client, jobs), strict=True))
    validation = best.user_attrs["accuracy"]["0"]
    rule = best_vote(validation)
    accuracy = {
        name: {seed: scores[seed][key] for seed in seeds} for name, key in (("vote", rule), ("linear", "linear"))
    }
    learned = Run.open(paths[0]).load_state().arrays["competition"] if spec.competition.is_learned else None
    weights = None if learned is None else off_diagonal(learned).ravel()
    return Result(
        kind=kind,
        parameters=best.params,
        validation=best.value or 0.0,
        trials=len(complete),
        accuracy=accuracy,
        weights=weights,
    )
