"""Does learned competition beat fixed competition? Paired seeds, the same tuning budget for each kind of competition.

    python analysis/paper/competition.py [--networks lcsnn-25-k12,...] [--trials 24] [--folder runs/competition]

For each network and each kind of competition: a search of --trials trials on validation images (the first with the
preset's values), which varies the competition and the same three keys of the rest; then the best trial's parameters
with fresh seeds, scored on the test images. Writes competition.md, .json and .png into the folder. An interrupted study
goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from distributed import Client
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial, TrialState
from shared import guarded

import stdpnet
from stdpnet.errors import ConfigError, RunError
from stdpnet.runs import Run
from stdpnet.runs.files import write_text
from stdpnet.stdp.spec.experiment import ExperimentSpec
from stdpnet_analysis import evaluate, figures
from stdpnet_analysis.cluster.jobs import complete
from stdpnet_analysis.cluster.pool import gathered, pool
from stdpnet_analysis.competition import off_diagonal
from stdpnet_analysis.figures import style
from stdpnet_analysis.readouts.votes import RULES
from stdpnet_analysis.statistics import PairedTest, Summary, holm, paired_test, summarise
from stdpnet_analysis.sweeps import StudyDirectory, StudySpec, sweep
from stdpnet_analysis.sweeps.space import applied
from stdpnet_analysis.sweeps.spec import DimensionSpec

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
"""What differs from the presets, which go on changing: parameters found for fixed competition and 5000 images once."""
ONCE = ("training.images=5000", "training.pool=0")
KINDS = {
    "fixed": (),
    "none": ("competition.c_w=0",),
    "anti-STDP": ("competition.learned=true",),
    "anti-STDP, two-step": ("competition.learned=true",),
    "rate target": ("competition.learned=true", "competition.rule=rate_target"),
    "anti-Hebbian": ("competition.learned=true", "competition.rule=anti_hebbian"),
}
"""Kinds of competition; all are compared with the first."""
FROM_CONSTANT = {
    f"{kind} from c_w": (*KINDS[kind], "competition.initial=constant")
    for kind in ("anti-STDP", "rate target", "anti-Hebbian")
}
"""Kinds that begin where fixed competition stays, for the small networks."""
SMALL = ("lcsnn-25-k12", "lcsnn-100-k12")
TUNING = ("dataset.validation=5000", "dataset.calibration=5000")
FIRST_TEST_SEED = 100
"""Seeds of the test are none of the search's."""
READOUTS = ("vote", "linear")


class Result(NamedTuple):
    """A kind of competition in a network."""

    kind: str
    parameters: dict[str, Any]
    """Of the best trial."""
    validation: float
    """Its mean of vote and linear, a fraction."""
    trials: int
    """Trials that were finished."""
    accuracy: dict[str, dict[int, float]]
    """Read-out -> seed -> test accuracy, a fraction; the voting rule is the one best on validation images."""
    weights: np.ndarray | None
    """Learned weights of the first seed, mV."""


def kinds(network: str) -> dict[str, tuple[str, ...]]:
    """Return the kinds of competition that are compared in a network, with their keys."""
    return KINDS | FROM_CONSTANT if network in SMALL else KINDS


def space(kind: str, base: ExperimentSpec) -> dict[str, DimensionSpec]:
    """Return what a search varies: three keys for all, and those of the competition, around the base's values."""
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
        rate = 60.0 / base.topology.channels  # Hz, if a position answers an image with 15 spikes
        eta = {"rate target": (5e-4, 5e-2), "anti-Hebbian": (1e-5, 1e-2)}[kind.removesuffix(" from c_w")]
        dimensions["competition.eta"] = DimensionSpec(low=eta[0] * c_w, high=eta[1] * c_w, log=True)
        dimensions["competition.target_rate"] = DimensionSpec(low=rate / 5, high=10 * rate, log=True)
    return dimensions


def search(network: str, kind: str, options: argparse.Namespace, client: Client) -> tuple[StudyDirectory, FrozenTrial]:
    """Return the search of a kind of competition, brought to its end, and its best trial."""
    own = (*ONCE, *BASES[network])
    keys = (*own, *TUNING, *kinds(network)[kind], *options.keys)
    base = stdpnet.load_config(network, keys)
    dimensions = space(kind, stdpnet.load_config(network, (*own, *options.keys)))
    study = StudySpec(
        base={"config": network, "set": keys},
        space={key: dimension.model_dump() for key, dimension in dimensions.items()},
        objective={"readout": "mean"},
        budget={"trials": options.trials or NETWORKS[network][0]},
        checkpoint=5000,
    )
    folder = options.folder / "searches" / f"{network}-{slug(kind)}"
    directory = StudyDirectory.join(study, base.replace(checkpoint=base.checkpoint.replace(every=5000)), folder)
    trials = directory.study()
    if not trials.get_trials(deepcopy=False):
        trials.enqueue_trial({key: value for key, value in _start(base, dimensions).items() if value is not None})
    sweep(directory, client)
    if not trials.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        raise RunError(f"{folder}: no trial was finished; `stdpnet study {folder}` says why")
    return directory, directory.study().best_trial


def _start(base: ExperimentSpec, dimensions: Iterable[str]) -> dict[str, Any]:
    """Return the base's values where a search has them too; what the base has not is left to the sampler."""
    shared = ("plasticity.mean_weight", "plasticity.A_plus", "neuron.theta_plus", "competition.c_w")
    tables = base.model_dump()
    return {key: tables[key.split(".")[0]][key.split(".")[1]] for key in dimensions if key in shared}


def slug(kind: str) -> str:
    """Return a kind's name as a part of a file name."""
    return kind.lower().replace(", ", "-").replace(" ", "-")


def score(spec: ExperimentSpec, path: Path) -> dict[str, float]:
    """Return the test accuracies of an experiment, trained and scored as far as that is missing."""
    run = complete(spec, path)
    scores = run.load_scores() or evaluate(run, "test", baselines=False, threads=1)
    return {name: each["accuracy"] for name, each in scores["readouts"].items()}


def test(network: str, kind: str, options: argparse.Namespace, client: Client) -> Result:
    """Return what a kind of competition reaches, at the parameters that were best on validation images."""
    directory, best = search(network, kind, options, client)
    keys = (*ONCE, *BASES[network], *kinds(network)[kind], *options.keys, "checkpoint.every=5000")
    base = stdpnet.load_config(network, keys)
    spec = applied(base, best.params)
    count = options.seeds or NETWORKS[network][1]
    seeds = range(FIRST_TEST_SEED, FIRST_TEST_SEED + count)
    paths = [options.folder / "runs" / f"{network}-{slug(kind)}-{seed}" for seed in seeds]
    jobs = [
        client.submit(score, spec.replace(seed=seed), path, pure=False) for seed, path in zip(seeds, paths, strict=True)
    ]
    scores = dict(zip(seeds, gathered(client, jobs), strict=True))
    validation = best.user_attrs["accuracy"]["0"]
    rule = max(RULES, key=validation.__getitem__)
    accuracy = {
        name: {seed: scores[seed][key] for seed in seeds} for name, key in (("vote", rule), ("linear", "linear"))
    }
    learned = Run.open(paths[0]).load_state().network.competition if spec.competition.learned else None
    done = directory.study().get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    weights = None if learned is None else off_diagonal(learned).ravel()
    return Result(kind, best.params, best.value or 0.0, len(done), accuracy, weights)


def compared(results: Sequence[Result]) -> dict[str, dict[str, PairedTest | None]]:
    """Return kind -> read-out -> paired test against the first kind."""
    first, *others = results
    return {
        each.kind: {name: paired_test(each.accuracy[name], first.accuracy[name]) for name in READOUTS}
        for each in others
    }


def table(network: str, results: Sequence[Result]) -> str:
    """Return the Markdown table of a network."""
    label = stdpnet.load_config(network).topology.label
    tests = compared(results)
    corrected = {
        name: dict(
            zip(tests, holm([each[name].t_test if each[name] else None for each in tests.values()]), strict=True)
        )
        for name in READOUTS
    }
    lines = [
        f"### {label}, {len(results[0].accuracy['vote'])} seeds, {results[0].trials} trials each",
        "",
        "| competition | validation | vote | − fixed [95 %] | p | linear | − fixed [95 %] | p |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in results:
        cells = [each.kind, f"{100 * each.validation:.2f}"]
        for name in READOUTS:
            cells.append(_accuracy(summarise([100 * value for value in each.accuracy[name].values()])))
            paired = tests.get(each.kind, {}).get(name)
            cells += _difference(paired, corrected[name].get(each.kind)) if paired else ["–", "–"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "Parameters of the best trials:", ""]
    for each in results:
        values = ", ".join(f"{key} {_plain(value)}" for key, value in each.parameters.items())
        lines.append(f"- {each.kind}: {values}{_distribution(each.weights)}")
    return "\n".join(lines) + "\n"


def _accuracy(summary: Summary) -> str:
    return f"{summary.mean:.2f}" if summary.sd is None else f"{summary.mean:.2f} ± {summary.sd:.2f}"


def _difference(paired: PairedTest, p: float | None) -> list[str]:
    low, high = paired.interval
    interval = f"{100 * paired.difference:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"
    return [interval, "–" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"]


def _plain(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _distribution(weights: np.ndarray | None) -> str:
    if weights is None:
        return ""
    low, median, high = np.quantile(weights, (0.05, 0.5, 0.95))
    return (
        f"; learned weights: median {median:.3g} mV, 5 % to 95 % from {low:.3g} to {high:.3g}, "
        f"{np.mean(weights == 0):.0%} at 0"
    )


def _plot_differences(axes: Axes, tests: dict[str, dict[str, PairedTest | None]], rows: int) -> None:
    """Draw the paired differences to fixed competition in a panel of some rows; none lies far out, and is written."""
    near = [
        bound
        for kind, each in tests.items()
        if kind != "none"
        for test in each.values()
        if test
        for bound in test.interval
    ]
    left = 100 * min(near) - 1
    for row, (kind, each) in enumerate(tests.items()):
        far = [
            f"{100 * test.difference:.0f}".replace("-", "−") for name, test in each.items() if test and kind == "none"
        ]
        axes.text(left, -row, ("← " if far else "") + ", ".join(far), fontsize=6, va="center")
        for number, (name, test) in enumerate(each.items()):
            if test is None or kind == "none":
                continue
            middle, (low, high) = 100 * test.difference, test.interval
            axes.errorbar(
                middle,
                -row + 0.12 - 0.24 * number,
                xerr=[[middle - 100 * low], [100 * high - middle]],
                fmt="os"[number],
                color=style.colour(number),
                capsize=2,
                label=name if row == len(tests) - 1 else None,
            )
    axes.axvline(0, color=style.GREY, linewidth=0.6)
    axes.set(xlabel="difference, points", xlim=(left, max(100 * max(near), 0) + 0.5))
    axes.set_yticks([-row for row in range(len(tests))], list(tests))
    axes.set_ylim(0.5 - rows, 0.5)


def _plot_strengths(axes: Axes, result: Result) -> None:
    """Draw the cumulative distribution of the learned weights: a colour for each rule, dashed where it began at c_w."""
    strengths = -np.asarray(result.weights, np.float64)
    edges = np.geomspace(1.0, max(10.0, strengths.max()), 60)
    kind = result.kind.removesuffix(" from c_w")
    look = {"color": style.colour(list(KINDS).index(kind)), "linestyle": "-" if kind == result.kind else "--"}
    weaker = [100 * np.mean(strengths <= edge) for edge in edges]
    axes.plot(edges, weaker, label=result.kind, **look)


def plot(figure: Figure, networks: dict[str, Sequence[Result]]) -> None:
    """Draw the paired differences with their intervals, and below them the distributions of the learned weights."""
    rows = max(len(results) for results in networks.values()) - 1
    panels = figure.subplots(2, len(networks), squeeze=False, gridspec_kw={"height_ratios": (1.4, 1)})
    for (network, results), (above, below) in zip(networks.items(), panels.T, strict=True):
        _plot_differences(above, compared(results), rows)
        if above is not panels[0, 0]:
            above.set_yticklabels([])
        above.set_title(stdpnet.load_config(network).topology.label)
        for each in results:
            if each.weights is not None:
                _plot_strengths(below, each)
        below.set(xscale="log", xlabel="strength, mV", ylim=(0, 103))
    panels[0, 0].set_ylabel("competition, less fixed")
    panels[1, 0].set_ylabel("learned weights\nthat are weaker, %")
    for panel, place in ((panels[0, 0], "upper left"), (panels[1, 0], "lower right")):
        handles, labels = panel.get_legend_handles_labels()
        figure.legend(handles, labels, loc=f"outside {place.split()[0]} center", ncols=4)


def main() -> None:
    """Search, test, tabulate, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", default=",".join(NETWORKS), help="presets, with commas")
    parser.add_argument("--trials", type=int, help="of each search; default 24, 12 or 6 by size")
    parser.add_argument("--seeds", type=int, help="seeds of each test; default 10, 5 of 1000 channels")
    parser.add_argument("--workers", type=int, help="processes; default one per core")
    parser.add_argument("--folder", type=Path, default=Path("runs/competition"))
    parser.add_argument("--set", dest="keys", action="append", default=[], metavar="KEY=VALUE", help="of all networks")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    if unknown := set(options.networks.split(",")) - set(NETWORKS):
        raise ConfigError(
            f"--networks {', '.join(sorted(unknown))}: not in this study, which has {', '.join(NETWORKS)}"
        )
    networks: dict[str, Sequence[Result]] = {}
    with pool(workers=options.workers) as client:
        for network in options.networks.split(","):
            networks[network] = []
            for kind in kinds(network):
                networks[network] = [*networks[network], test(network, kind, options, client)]
                print(f"{network}, {kind}: validation {100 * networks[network][-1].validation:.2f} %", file=sys.stderr)
            write(networks, options.folder)


def write(networks: dict[str, Sequence[Result]], folder: Path) -> None:
    """Write the tables, the figure and the numbers of the networks that are done."""
    write_text(folder / "competition.md", "\n".join(table(*item) for item in networks.items()))
    numbers = {
        network: [{**each._asdict(), "weights": None} for each in results] for network, results in networks.items()
    }
    write_text(folder / "competition.json", json.dumps(numbers, indent=2) + "\n")
    with style.context():
        figure = style.new_figure(style.DOUBLE, 120)
        plot(figure, networks)
        figures.save(figure, folder / "competition.png", dpi=300)
    print(folder / "competition.md", flush=True)


if __name__ == "__main__":
    guarded(main)
