"""The conversion of a trained ReLU network into spikes: accuracy and rates against the time step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stdpnet.baselines.rate_conversion.model import answer, output, respond
from stdpnet.baselines.rate_conversion.network import softmax
from stdpnet.baselines.rate_conversion.spec import RateConversionExperiment
from stdpnet.data import Split
from stdpnet.errors import ConfigError, RunError
from stdpnet.model import Responses, State
from stdpnet.operating import at_point
from stdpnet.random import Stream
from stdpnet.runs import Run
from stdpnet.runs.schema import CheckedConversionFile
from stdpnet_analysis.evaluation import STREAMS, Evaluator
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.readouts.reader import Reader
from stdpnet_analysis.readouts.scores import score
from stdpnet_analysis.results import ResultsFile

DTS = (0.001, 0.01, 0.1, 1.0)
"""Time steps that are tried, seconds."""
CONVERSION = ResultsFile("conversion", CheckedConversionFile, "no accuracies at other time steps yet")
"""The files in which accuracies are written."""
TRAINING = "training"
"""Name of the scores on the training images."""
RATE: dict[str, Any] = {"spiking.activation": "rate"}
"""The operating point of a network whose units do not spike."""


def conversion(
    run: Run,
    split: Literal["test", "validation"] = "test",
    *,
    dts: Sequence[float] = DTS,
    stop: bool = False,
    training: bool = True,
    snapshot: str = "last",
    threads: int | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Score the units without spikes, then with spikes at one time step after the other, and write it into the run.

    Parameters
    ----------
    run : a run of a rate-conversion network
    split : the images that are scored
    dts : time steps, seconds, in this order; repetitions are ignored
    stop : end at the first time step whose accuracy on `split` exceeds that of the units without spikes
    training : also score the training images, as a set of its own
    snapshot : which state: "last", or "best"
    threads : how many threads may compute
    progress : called with the number of further images answered

    Returns
    -------
    What conversion.json then holds: `rate` (units without spikes) has the scores by images (`test`, `training`), and
    so has `images` of each entry of the list `spiking`, with its `dt`. Scores are accuracy, interval (95 %, Wilson), n,
    loss (cross-entropy), and of spiking units `rates` in Hz (min, mean, max over images and units). `stops_at` is the
    dt at which `stop` ends, or None.

    Raises
    ------
    RunError, ConfigError
        If the run is of another model, or there is no time step.
    """
    if not isinstance(run.spec, RateConversionExperiment):
        raise RunError(f"{run.path}: is no rate-conversion network; name a run of model = 'rate_conversion'")
    if not dts:
        raise ConfigError("--dt: names no time step, such as 0.001,0.01,0.1,1")
    dts = list(dict.fromkeys(dts))
    for dt in dts:
        at_point(run.spec, State(arrays={}), {"spiking.dt": dt})
    evaluator = Evaluator.of(run, split, Reader(("own",), threads=threads, progress=progress))
    state, dataset = run.load_snapshot(snapshot), evaluator.dataset
    images: dict[str, tuple[Split, Stream]] = {split: (dataset.split(split), STREAMS[split])}
    if training:
        images[TRAINING] = (dataset.train, Stream.TRAIN)

    def scores(point: dict[str, Any]) -> dict[str, Any]:
        spec, changed = at_point(run.spec, state, point)
        found = {}
        for name, (part, stream) in images.items():
            progress.stage(f"{name} images, {', '.join(f'{key} = {value}' for key, value in point.items())}", len(part))
            answered = respond(spec, changed, part, stream, threads=threads, progress=progress.advance)
            found[name] = scored(spec, answered, len(dataset.classes))
        return found

    rate, spiking, stops_at = scores(RATE), list[dict[str, Any]](), None
    for dt in dts:
        spiking.append({"dt": dt, "images": scores({"spiking.dt": dt, "spiking.activation": "spiking"})})
        if stops_at is None and spiking[-1]["images"][split]["accuracy"] > rate[split]["accuracy"]:
            stops_at = dt
            if stop:
                break
    result: dict[str, Any] = {
        "protocol": {
            "dataset": run.spec.dataset.name,
            "split": split,
            "images": len(dataset.split(split)),
            "training_images": state.images,
            "snapshot": snapshot,
            "steps": run.spec.spiking.steps,
        },
        "rate": rate,
        "spiking": spiking,
        "stops_at": stops_at,
    }
    CONVERSION.write(run, split, snapshot, result)
    return result


def scored(spec: RateConversionExperiment, responses: Responses, classes: int) -> dict[str, Any]:
    """Return accuracy, interval, number of images, loss, and rates of spiking units in Hz, as in conversion.json."""
    outputs = np.asarray(responses.scores)
    found = score(responses.labels, outputs.argmax(axis=1), classes)
    chances = softmax(outputs)[np.arange(len(outputs)), responses.labels]
    loss = -float(np.log(np.maximum(chances, np.finfo(float).tiny)).mean())
    scores: dict[str, Any] = {"accuracy": found.accuracy, "interval": list(found.interval), "n": found.n, "loss": loss}
    if spec.spiking.activation == "spiking":
        rates = responses.counts / (spec.spiking.steps * spec.spiking.dt)
        scores["rates"] = {name: float(getattr(rates, name)()) for name in ("min", "mean", "max")}
    return scores


class StepByStep(NamedTuple):
    """Spikes and answers of a network step by step; T steps, N images, H hidden units, K classes."""

    spikes: NDArray[np.float64]
    """(T, N, H) spikes in each step."""
    alone: NDArray[np.float64]
    """(T, N, K) probabilities of the classes, the softmax of the output to the spikes of each step alone."""
    so_far: NDArray[np.float64]
    """(T, N, K) the same of the mean output up to the end of each step; those of the last step are the answer."""


def step_by_step(spec: RateConversionExperiment, state: State, split: Split, stream: Stream) -> StepByStep:
    """Return spikes and answers of a network while images of a split are shown, without a low-pass filter."""
    steps = answer(spec, state, split.images, split.indices, stream)
    outputs = np.stack([output(state, rates) for rates in steps.rates])
    numbers = np.arange(1, len(outputs) + 1)[:, np.newaxis, np.newaxis]
    return StepByStep(
        spikes=steps.rates * spec.spiking.dt, alone=softmax(outputs), so_far=softmax(outputs.cumsum(axis=0) / numbers)
    )
