"""What the scripts of the studies share: networks trained where they are missing, and the command line of a script."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

import stdpnet
from stdpnet.errors import ConfigError, StdpnetError, StopRequestedError
from stdpnet.runs import Run
from stdpnet.runs.files import write_text
from stdpnet.stdp.spec.experiment import ExperimentSpec
from stdpnet.training import resume
from stdpnet_analysis import evaluate, figures
from stdpnet_analysis.figures import RunView, Settings, style
from stdpnet_analysis.grouping import deciding_keys

FORMATS = figures.FORMATS
COMMON = ("dataset.validation=1000", "curve.every=500", "curve.calibration=2000")
"""Keys of all networks of the studies: a learning curve, on images that neither training nor test uses."""


class Network(NamedTuple):
    """A network that a study needs."""

    preset: str
    keys: tuple[str, ...] = ()
    """What differs from the preset."""
    name: str = ""
    """Name of its runs; default the preset's."""


class Study(NamedTuple):
    """One table or figure."""

    file: str
    """Stem of the file it writes."""
    networks: tuple[Network, ...]
    """What it needs, in the order in which `make` gets them."""
    make: Callable[[list[RunView]], Figure | str]
    """Returns the figure, or the text of a table."""
    all_seeds: bool = False
    """Whether it wants all seeds of each network; else the first."""


LCSNN = Network("lcsnn-25-k12-steady")
LEARNED = Network(LCSNN.preset, ("competition.learned=true",), f"{LCSNN.preset}-learned")
"""Free to become as weak as it likes, unlike that of the preset lcsnn-25-k12-learned."""


def from_registry(name: str) -> Callable[[list[RunView]], Figure]:
    """Return what draws the figure of this name from the first run; it may compare it with the others."""

    def draw(views: list[RunView]) -> Figure:
        first, others = views[0], [view.run for view in views[1:]]
        return figures.draw(RunView(first.run, first.settings, others=others), name)

    return draw


def trained(path: Path, spec: ExperimentSpec) -> Run:
    """Return the finished run of an experiment, trained as far as needed; what was trained stays as it is.

    Raises
    ------
    ConfigError
        If there is a run of something else at this path.
    """
    if not path.exists():
        return stdpnet.train(spec, path)
    run = Run.open(path)
    there, wanted = deciding_keys(run.spec), deciding_keys(spec)
    for key, value in there.items():
        if key != "training.images" and value != wanted[key]:
            raise ConfigError(f"{path}: has {key} = {value}, this study wants {wanted[key]}; choose another --folder")
    if run.images > spec.training.images:
        raise ConfigError(
            f"{path}: has seen {run.images} images, this study wants {spec.training.images}; choose another --folder"
        )
    done = run.status == "finished" and run.images == spec.training.images
    return run if done else resume(run, spec.training.images)


def prepare(study: Study, options: argparse.Namespace) -> list[Run]:
    """Return the runs of a study's networks, trained and scored."""
    runs = []
    for network in study.networks:
        for seed in range(options.seeds if study.all_seeds else 1):
            images = [] if options.images is None else [f"training.images={options.images}"]
            spec = stdpnet.load_config(network.preset, [*COMMON, *network.keys, *options.keys, *images, f"seed={seed}"])
            run = trained(options.folder / "runs" / f"{network.name or network.preset}-{seed}", spec)
            scores = run.load_scores()
            if scores is None or scores["protocol"]["training_images"] != run.images:
                evaluate(run)
            print(run.path, file=sys.stderr, flush=True)
            runs.append(run)
    return runs


def write(study: Study, options: argparse.Namespace, runs: Sequence[Run] | None = None) -> Path:
    """Make a study's table or figure from its networks, or from the given runs, and write it."""
    chosen = prepare(study, options) if runs is None else runs
    with style.context():
        made = study.make([RunView(run, Settings(images=options.shown)) for run in chosen])
    options.folder.mkdir(parents=True, exist_ok=True)
    if isinstance(made, str):
        path = options.folder / f"{study.file}.md"
        write_text(path, made)
    else:
        path = options.folder / f"{study.file}.{options.form}"
        figures.save(made, path, dpi=300)
    print(path, flush=True)
    return path


def options_of(description: str, arguments: Sequence[str] | None = None, runs: bool = True) -> argparse.Namespace:
    """Return what the command line of a script says."""
    parser = argparse.ArgumentParser(description=description)
    if runs:
        parser.add_argument("runs", nargs="*", metavar="RUN", help="runs to use; default: trains what it needs")
    else:
        parser.add_argument("--sweep", help="a sweep for Figure 12; without one it is left out")
    parser.add_argument("--folder", type=Path, default=Path("runs/study"), help="where runs and results are")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each network, with seeds 0, 1, ...")
    parser.add_argument("--images", type=int, help="training images; default as the presets have it")
    parser.add_argument("--shown", type=int, default=1000, help="images shown to changed networks (Figure 13)")
    parser.add_argument("--format", dest="form", choices=FORMATS, default="png")
    parser.add_argument("--set", dest="keys", action="append", default=[], metavar="KEY=VALUE", help="of all networks")
    return parser.parse_args(arguments)


def guarded(work: Callable[[], object]) -> None:
    """Do something; a user's mistake is one sentence and exit code 2, a signal 128 and its number."""
    try:
        work()
    except StopRequestedError as stop:
        print(stop, file=sys.stderr)
        sys.exit(128 + stop.signal)
    except StdpnetError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def main(study: Study, description: str) -> None:
    """Be the script of a study."""
    options = options_of(description)
    guarded(lambda: write(study, options, [Run.open(name) for name in options.runs] or None))
