"""Labels needed: the accuracy of read-outs against the number of calibration labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet import operating
from stdpnet.errors import ConfigError
from stdpnet.model import Responses, State
from stdpnet.parallel import limited_algebra
from stdpnet.random import Purpose, generator
from stdpnet.runs import Run
from stdpnet.runs.schema import LabelsFile
from stdpnet_analysis.evaluation import Evaluator, name_of
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.readouts import READOUTS, check_columns
from stdpnet_analysis.readouts.base import CountsClassifier
from stdpnet_analysis.readouts.reader import Reader, pixels_of, read_by
from stdpnet_analysis.results import ResultsFile
from stdpnet_analysis.statistics import student_interval, summarise

SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
"""Default numbers of labels, up to the number of calibration images, which is always the last one."""
EVERY = tuple(
    name
    for name, readout in READOUTS.items()
    if readout.make is not None and readout.reads == "counts" and name != "linear_cv"
)
"""The read-outs that are scored by default: all that read counts but `linear_cv`, which would take hours."""
MOST_DRAWS = 10_000
"""Largest number of sets of labels of each size, as every read-out is fitted to each set."""
LABELS = ResultsFile("labels", LabelsFile, "no accuracies with few labels yet", ("validation", "test"))
"""The files in which accuracies are written."""

Points = dict[str, list[dict[str, Any]]]
"""Read-out -> its accuracy with each number of labels."""


def label_curve(
    run: Run,
    split: Literal["test", "validation"] = "validation",
    *,
    sizes: Sequence[int] | None = None,
    draws: int = 10,
    readouts: Sequence[str] | None = None,
    baselines: bool = True,
    snapshot: str = "last",
    at: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Score read-outs that are calibrated on few labels, and write the results into the run.

    Each draw is a seeded order of the calibration images in which every class comes once, then all in proportion to
    their numbers; n labels are its first n images.

    Parameters
    ----------
    run : the run
    split : the images that are scored: validation; test only for a final figure
    sizes : numbers of labels, from one of each class to all calibration images; default `SIZES`
    draws : how many sets of each number are drawn
    readouts : which read-outs; default `EVERY`
    baselines : also score the untrained model, and the linear read-out of the pixels
    snapshot : which state: "last", or "best"
    at : what differs from the training while the images are answered, as for `evaluate`
    threads : how many threads may compute; default all cores
    progress : called at each stage, and with the number of further fits

    Returns
    -------
    What labels-validation.json (labels.json of the test split) then holds: `trained`, `untrained` and `pixels`, each
    read-out -> a list of points with `labels`, `accuracy` (a fraction for each draw), `mean`, `sd` (sample standard
    deviation) and `interval` (95 %, of the mean over draws, Student's).

    Raises
    ------
    ConfigError
        If a number of labels or of draws is impossible, or a read-out is unknown.
    """
    if not 1 <= draws <= MOST_DRAWS:
        raise ConfigError(f"--draws {draws}: must be from 1 to {MOST_DRAWS}")
    reader = Reader(EVERY if readouts is None else check_columns(readouts), threads=threads, progress=progress)
    evaluator = Evaluator.of(run, split, reader, point=at or {})
    point = evaluator.point
    state, labels = run.load_snapshot(snapshot), evaluator.dataset.calibration.labels
    drawn = _Draws.of(sizes, draws, labels, run.spec.seed)
    result: dict[str, Any] = {
        "protocol": {
            **evaluator.protocol(state),
            "snapshot": snapshot,
            "draws": draws,
            **({"at": point} if point else {}),
        },
        "trained": _of_counts(evaluator, drawn, name_of(snapshot), state),
    }
    if baselines:
        result["untrained"] = _of_counts(evaluator, drawn, "untrained", evaluator.initial)
        calibration, scored = (pixels_of(evaluator.images(part)) for part in ("calibration", split))
        make = partial(reader.pixel_readouts, run.spec)
        result["pixels"] = drawn.points("pixels", make, calibration, scored, reader)
    LABELS.write(run, split, snapshot, result, operating.label(point))
    return result


def _of_counts(evaluator: Evaluator, drawn: _Draws, name: str, state: State) -> Points:
    """Return the accuracy of the read-outs of a state's responses."""
    found, reader = evaluator.responses(name, state), evaluator.reader
    make = partial(reader.readouts, evaluator.run.spec, evaluator.facts.positions)
    return drawn.points(name, make, found["calibration"], found[evaluator.split], reader)


def numbers_of_labels(sizes: Sequence[int] | None, labels: NDArray[np.int64]) -> list[int]:
    """Return the numbers of labels in order, each once.

    Parameters
    ----------
    sizes : the numbers of labels; None: `SIZES` as far as they are possible, and all labels
    labels : (N,) of the calibration images

    Raises
    ------
    ConfigError
        If one is not possible.
    """
    fewest, most = len(np.unique(labels)), len(labels)
    if sizes is None:
        return [*(size for size in SIZES if fewest <= size < most), most]
    for size in sizes:
        if not fewest <= size <= most:
            raise ConfigError(
                f"--sizes {size}: choose from {fewest}, one label of each class, to the {most} calibration images"
            )
    if not sizes:
        raise ConfigError("--sizes: names no number of labels, such as 10,100,1000")
    return sorted(set(sizes))


def stratified_order(labels: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.intp]:
    """Return an order (N,) of images whose beginnings have all classes in proportion, and each class at least once.

    Parameters
    ----------
    labels : (N,) class of each image
    random : decides which images come first, and the order of the classes
    """
    shuffled = random.permutation(len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels[shuffled] == label)
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
        place[members[0]] = 0
    return shuffled[np.argsort(place, kind="stable")]


class _Draws(NamedTuple):
    """Which images are drawn for each number of labels."""

    sizes: list[int]
    orders: list[NDArray[np.intp]]
    """An order of all calibration images for each draw."""

    @classmethod
    def of(cls, sizes: Sequence[int] | None, draws: int, labels: NDArray[np.int64], seed: int) -> _Draws:
        """Return the draws from calibration images with these labels (N,)."""
        orders = [stratified_order(labels, generator(seed, Purpose.LABELS, draw)) for draw in range(draws)]
        return cls(numbers_of_labels(sizes, labels), orders)

    def rows(self, size: int) -> list[NDArray[np.intp]]:
        """Return the images of each draw of `size` labels; a single draw if these are all labels."""
        return [order[:size] for order in (self.orders if size < len(self.orders[0]) else self.orders[:1])]

    def points(
        self,
        name: str,
        make: Callable[[], Mapping[str, CountsClassifier]],
        calibration: Responses,
        scored: Responses,
        reader: Reader,
    ) -> Points:
        """Return the accuracy of each read-out with each number of labels.

        Parameters
        ----------
        name : name of the responses, for the display of progress
        make : returns unfitted read-outs by name
        calibration, scored : responses to the images whose labels are drawn, and to the scored images
        reader : gives threads and progress
        """
        found: Points = {readout: [] for readout in make()}
        reader.progress.stage(f"{name}: fits", len(found) * sum(len(self.rows(size)) for size in self.sizes))
        for size in self.sizes:
            accuracy: dict[str, list[float]] = {readout: [] for readout in found}
            for rows in self.rows(size):
                for readout, classifier in make().items():
                    with limited_algebra(reader.threads):
                        classifier.fit(read_by(readout, calibration)[rows], calibration.labels[rows])
                        right = classifier.predict(read_by(readout, scored)) == scored.labels
                    accuracy[readout].append(float(np.mean(right)))
                    reader.progress.advance(1, f"{size} labels, {readout}")
            for readout, values in accuracy.items():
                summary, interval = summarise(values).mean_sd, student_interval(values)
                found[readout].append({"labels": size, **summary, "interval": interval, "accuracy": values})
        return found
