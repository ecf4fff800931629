"""Measure how the time of an image grows with channels, kernel, duration, input rate and threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stdpnet.errors import ConfigError
from stdpnet.parallel import available_cores
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.benchmark.workload import BLOCK, USUAL, Timing, Workload, best_seconds
from stdpnet_analysis.progress import SILENT, Progress

QUANTITIES = ("channels", "kernel", "duration", "rate", "threads")
KEYS = {
    "channels": "topology.channels",
    "kernel": "topology.kernel",
    "duration": "simulation.duration",
    "rate": "encoder.max_rate",
}


def parse_growth(options: Sequence[str]) -> dict[str, list[float] | None]:
    """Return the quantities of `--grow` options with their values; None stands for default values.

    An option is `all`, or quantities separated by commas, or one quantity with its values: `channels=25,100`.
    """
    quantities: dict[str, list[float] | None] = {}
    for option in options:
        names, equals, values = option.partition("=")
        for name in QUANTITIES if names == "all" else names.split(","):
            if name not in QUANTITIES:
                raise ConfigError(f"--grow {option}: '{name}' is unknown; choose from {', '.join(QUANTITIES)}, or all")
            quantities[name] = _numbers(option, values) if equals else None
    return quantities


def _numbers(option: str, values: str) -> list[float]:
    """Return the positive numbers of a comma-separated list."""
    try:
        numbers = [float(value) for value in values.split(",")]
    except ValueError:
        numbers = []
    if not numbers or not all(0 < number < float("inf") for number in numbers):
        raise ConfigError(f"--grow {option}: '{values}' is no list of positive numbers, such as channels=25,50,100")
    return numbers


def growth_plan(spec: STDPExperiment, quantities: Mapping[str, list[float] | None]) -> list[tuple[str, float]]:
    """Return the (quantity, value) pairs to measure, all of which fit the spec.

    Raises
    ------
    ConfigError
        If one does not.
    """
    plan = [(name, value) for name, values in quantities.items() for value in values or _default_values(spec, name)]
    for name, value in plan:
        _grown(spec, name, value)
    return plan


def _default_values(spec: STDPExperiment, name: str) -> list[float]:
    """Return values that fit the spec and are about evenly spaced on a logarithmic axis."""
    side, stride = spec.dataset.crop, spec.topology.stride
    values: dict[str, list[float]] = {
        "channels": [25, 50, 100, 200, 400, 800],
        "kernel": [k for k in range(4, side + 1) if (side - k) % stride == 0],
        "duration": [factor * spec.simulation.dt for factor in (50, 100, 200, 400, 800)],
        "rate": [32, 64, 128, 255],
        "threads": sorted({1, *(n for n in (2, 4, 8, 16, 32) if n < available_cores()), available_cores()}),
    }
    return values[name]


def _grown(spec: STDPExperiment, name: str, value: float) -> STDPExperiment:
    """Return the spec with one quantity changed."""
    if name in ("channels", "kernel", "threads") and value != int(value):
        raise ConfigError(f"--grow {name}: {value:g} is not whole; give whole numbers")
    if name == "threads":
        return spec
    changed = value if name in ("duration", "rate") else int(value)
    return spec.updated({KEYS[name]: changed})


def growth(
    spec: STDPExperiment,
    plan: Sequence[tuple[str, float]],
    timing: Timing = USUAL,
    *,
    progress: Progress = SILENT,
) -> list[dict[str, Any]]:
    """Measure the speed of networks that differ from that of a spec in one quantity.

    Parameters
    ----------
    spec : the experiment
    plan : quantities and their values (see growth_plan)
    timing, progress : as for `benchmark`; timing.threads is not used where threads are the quantity

    Returns
    -------
    A row for each value: `quantity`, `value`, `threads`, wall times per image in microseconds including the encoding,
    the time of the add loop on one thread, and the synaptic events that the input causes per image.
    """
    rows = []
    for name, value in plan:
        count = int(value) if name == "threads" else timing.threads
        work = Workload(_grown(spec, name, value), count, timing.warm_up, progress)
        actions = {"train": work.train, "inference": work.infer, "add_loop": work.adder()}
        times = best_seconds(work, actions, timing.rounds, progress)
        rows.append(
            {
                "quantity": name,
                "value": value,
                "threads": work.threads,
                **{f"{action}_microseconds_per_image": 1e6 * values[0] for action, values in times.items()},
                "train_images_per_s": 1 / times["train"][0],
                "inference_images_per_s": 1 / times["inference"][0],
                "synaptic_events_per_image": work.input_events(),
                "spikes_per_image": int(work.learn().counts.sum()) / BLOCK,
            }
        )
    return rows
