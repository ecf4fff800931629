"""Train the networks that the scripts of analysis/paper need, and read the command line of a script.

A script that draws given runs needs no cluster. The modules that need Dask are therefore imported only when something
is trained.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.figure import Figure

from stdpnet.errors import StdpnetError, StopRequestedError
from stdpnet.runs import Run
from stdpnet.spec.load import load_config, refuse_key
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet.stdp.spec.presets import TABLE_2
from stdpnet_analysis import figures
from stdpnet_analysis.evaluation import evaluate
from stdpnet_analysis.figures import style
from stdpnet_analysis.view import RunView

if TYPE_CHECKING:
    from stdpnet_analysis.paper.table2 import Task

FORMATS = figures.FORMATS
FOLDER = Path("runs/paper")
COMMON = ("dataset.validation=1000",)
"""Keys of all networks: they hold back validation images, which neither training nor test uses."""
CURVE = ("curve.every=500", "curve.calibration=2000")
"""Keys of a network whose learning curve on the validation images is shown."""
WITH_CURVE = ("lcsnn-100-k12", "csnn-100-k8", "fcsnn-100")
"""Presets of Table 2 whose learning curves Figure 7 shows. No other network has one: at 1000 channels the read-outs of
a curve take longer than the training."""
ROWS = {row.name: number for number, row in TABLE_2.items()}
"""Preset -> its row of Table 2."""


class Network(NamedTuple):
    """A network that a figure needs."""

    preset: str
    keys: tuple[str, ...] = ()
    """What differs from the preset."""
    name: str = ""
    """Name of its runs; default the preset's."""

    @property
    def row(self) -> int | None:
        """Its row of Table 2, whose runs are used; None for any other network."""
        return None if self.keys else ROWS.get(self.preset)


class PaperFigure(NamedTuple):
    """One figure of the thesis."""

    file: str
    """Stem of the file it writes."""
    networks: tuple[Network, ...]
    """The networks it needs, in the order in which `draw` gets them."""
    draw: Callable[[list[RunView]], Figure]
    all_seeds: bool = False
    """Whether it shows all seeds of each network, or only the first."""
    fewest_seeds: int = 1
    """Least number of seeds of a figure that shows all of them."""


LCSNN = Network("lcsnn-25-k12-steady")
LEARNED = Network(LCSNN.preset, ("competition.rule=anti_stdp",), f"{LCSNN.preset}-learned")
"""Its weights have no bounds, unlike those of the preset lcsnn-25-k12-learned."""


WEAK, STRONG = (
    Network("lcsnn-25-k12-thesis", (f"competition.c_w={c_w}",), f"lcsnn-25-k12{c_w}") for c_w in (-10, -100)
)
"""The thesis's network under weak and under strong fixed competition."""


def _regime(name: str, tau: tuple[float, float], amplitudes: tuple[float, float], *more: str) -> Network:
    keys = zip(("tau_plus", "tau_minus", "A_plus", "A_minus"), (*tau, *amplitudes), strict=True)
    words = (*(f"competition.{key}={value}" for key, value in keys), *more)
    return Network("lcsnn-25-k12-learned-thesis", words, f"lcsnn-25-k12-{name}-competition")


REGIMES = (
    _regime("weakest", (14.7, 14.2), (-1.5, -0.5), "competition.drift=0.5"),
    _regime("weak", (5.4, 15.1), (-0.6, -1.2)),
    _regime("medium", (17.6, 24.5), (-1.6, -1.9)),
    _regime("strong", (17.2, 16.4), (-1.6, -0.1)),
)
"""Anti-STDP of four networks of the thesis, from weak to strong. The weakest has a drift, whose size we chose."""


def from_registry(name: str) -> Callable[[list[RunView]], Figure]:
    """Return a function that draws the figure of this name of the first run, which may compare it with the others."""

    def draw(views: list[RunView]) -> Figure:
        first, others = views[0], [view.run for view in views[1:]]
        return figures.draw(RunView(first.run, first.settings, others=others), name)

    return draw


def trained(path: Path, spec: STDPExperiment, *, threads: int | None = None, baselines: bool = True) -> Run:
    """Return the finished run of an experiment, trained and scored on the test split as far as that is missing.

    Parameters
    ----------
    path : the run's directory
    spec : the experiment
    threads : how many threads may compute; default all cores
    baselines : whether the untrained network and the pixels are scored too

    Raises
    ------
    RunError
        If there is a run of another experiment at this path.
    """
    from stdpnet_analysis.cluster.jobs import complete

    run = complete(spec, path, threads=threads)
    scores = run.load_scores()
    if scores is None or scores["protocol"]["training_images"] != run.images:
        evaluate(run, baselines=baselines, threads=threads)
    return run


def table_tasks(rows: Sequence[int], options: argparse.Namespace, seeds: int) -> list[Task]:
    """Return the tasks of rows of Table 2 with a number of seeds, as `stdpnet reproduce table2` computes them."""
    from stdpnet_analysis.paper import table2

    tasks = []
    for row in rows:
        curve = CURVE if TABLE_2[row].name in WITH_CURVE else ()
        overrides = (*COMMON, *curve, *options.keys, *image_keys(options))
        tasks += table2.plan([row], seeds, "best", options.folder / "table2", overrides)
    return tasks


def computed(tasks: Sequence[Task]) -> list[Run]:
    """Return the runs of tasks of Table 2; missing results are computed with one process per core."""
    if any(task.result() is None for task in tasks):
        from stdpnet_analysis.cluster.pool import pool
        from stdpnet_analysis.paper.computing import compute

        with pool() as client:
            compute(tasks, client, lambda task: _announce(task.run))
    return [Run.open(task.run) for task in tasks]


def prepare(figure: PaperFigure, options: argparse.Namespace) -> list[Run]:
    """Return the runs of a figure's networks, trained and scored."""
    seeds = max(options.seeds, figure.fewest_seeds) if figure.all_seeds else 1
    rows = [network.row for network in figure.networks if network.row is not None]
    tasks = table_tasks(rows, options, seeds)
    of_table = dict(zip(((task.row, task.seed) for task in tasks), computed(tasks), strict=True))
    runs = []
    for network in figure.networks:
        for seed in range(seeds):
            if network.row is not None:
                runs.append(of_table[network.row, seed])
                continue
            keys = [*COMMON, *network.keys, *options.keys, *image_keys(options), f"seed={seed}"]
            path = options.folder / "runs" / f"{network.name or network.preset}-{seed}"
            runs.append(trained(path, load_config(network.preset, keys)))
    for run in runs:
        _announce(run.path)
    return runs


def image_keys(options: argparse.Namespace) -> list[str]:
    """Return the override for --images; none without that option."""
    return [] if options.images is None else [f"training.images={options.images}"]


def _announce(path: Path) -> None:
    print(path, file=sys.stderr, flush=True)


def write(figure: PaperFigure, options: argparse.Namespace, runs: Sequence[Run] | None = None) -> Path:
    """Draw a figure from its networks, or from the given runs, and write it."""
    chosen = prepare(figure, options) if runs is None else runs
    with style.context():
        drawn = figure.draw([RunView(run) for run in chosen])
    options.folder.mkdir(parents=True, exist_ok=True)
    path: Path = options.folder / f"{figure.file}.{options.form}"
    figures.save(drawn, path, dpi=300)
    print(path, flush=True)
    return path


def options_of(description: str, arguments: Sequence[str] | None = None, runs: bool = True) -> argparse.Namespace:
    """Parse the command line of a script.

    Parameters
    ----------
    description : the script's docstring
    arguments : default those of the process
    runs : whether the script takes runs or, if not, a sweep

    Raises
    ------
    ConfigError
        If --set names a key that another option chooses.
    """
    parser = argparse.ArgumentParser(description=description)
    if runs:
        parser.add_argument("runs", nargs="*", metavar="RUN", help="runs to use; default: trains what it needs")
    else:
        parser.add_argument("--sweep", help="a sweep for Figure 12; default: the search of its script")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where runs and results are")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each network, with seeds 0, 1, ...")
    parser.add_argument("--images", type=int, help="training images; default as the presets have it")
    parser.add_argument("--trials", type=int, default=60, help="trials of the search of Figure 12")
    parser.add_argument("--format", dest="form", choices=FORMATS, default="png")
    add_set_option(parser)
    options = parser.parse_args(arguments)
    refuse_key("seed", options.keys, "--seeds")
    if options.images is not None:
        refuse_key("training.images", options.keys, f"--images {options.images}")
    return options


def add_set_option(parser: argparse.ArgumentParser) -> None:
    """Add --set KEY=VALUE to a script's command line."""
    parser.add_argument("--set", dest="keys", action="append", default=[], metavar="KEY=VALUE", help="of all networks")


def guarded(work: Callable[[], object]) -> None:
    """Run a script: exit code 2 and one line on stderr for a user's error, 128 + n after signal n."""
    try:
        work()
    except StopRequestedError as stop:
        print(stop, file=sys.stderr)
        sys.exit(128 + stop.signal)
    except StdpnetError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def main(figure: PaperFigure, description: str) -> None:
    """Run the script of a figure."""

    def work() -> None:
        options = options_of(description)
        write(figure, options, [Run.open(name) for name in options.runs] or None)

    guarded(work)
