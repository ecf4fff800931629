"""Measure one network: stages, images per second, ratios to the add loop, to Brian2 and to other simulators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from stdpnet.spikes import SpikeTrains
from stdpnet.stdp.engines.compiled.stages import STAGES
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import FROZEN
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.benchmark.machine import machine
from stdpnet_analysis.benchmark.peers import Peer, check_comparable, run_peer
from stdpnet_analysis.benchmark.workload import (
    BLOCK,
    USUAL,
    Timing,
    Workload,
    best_seconds,
    double_precision,
    seconds_of,
)
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.readouts.base import CountsClassifier


def benchmark(
    spec: STDPExperiment,
    timing: Timing = USUAL,
    *,
    brian2_images: int = 0,
    readouts: Mapping[str, CountsClassifier] | None = None,
    peers: Sequence[Peer] = (),
    peer_images: int = 10,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Measure training and inference of a network on the compiled engine; the best of several rounds counts.

    Parameters
    ----------
    spec : the experiment; simulation.engine is not used
    timing : threads, rounds and warm-up; the stages and the add loop always have one thread
    brian2_images : images to show to the Brian2 engine in the same run; 0: none
    readouts : unfitted read-outs; the time of their answers is measured
    peers : other simulators that get the same network and the same input spikes in the same run
    peer_images : how many images they are shown
    progress : advances by the images of each block

    Returns
    -------
    A dictionary. `*_images_per_s`: wall time of the whole pipeline, encoding included. `microseconds_per_image`: the
    stages of training on one thread, timed inside compiled code (STAGES of stdpnet.stdp.engines.compiled.stages; those
    that take less time than reading the clock are a part of `other`), and of answering. `stage_noise_microseconds`: by
    how much the mean round of each exceeds the best. `present_microseconds_per_image`: the best round of all stages
    from `map` to `other` together; their sum is at most that, and with their noise at least that. `*_to_add_loop`:
    ratios of times, to the loop that only adds weights on one thread (below 1: faster than it). `train_to_<simulator>`:
    ratios of training speeds (above 1: faster than it). `noise`: by how much the median round exceeds the best.
    """
    if peers:
        check_comparable(spec)
    work = Workload(spec, timing.threads, timing.warm_up, progress)
    answers = _fitted(work, readouts or {})
    times = best_seconds(work, _actions(work) | answers, timing.rounds, progress)
    best = {name: values[0] for name, values in times.items()}
    stages = _stage_times(work, times, list(answers))
    result: dict[str, Any] = {
        "network": spec.topology.label,
        "competition": spec.competition.rule,
        "dtype": spec.simulation.dtype,
        "threads": work.threads,
        **_speeds(work, best),
        **stages,
        "read_out_microseconds_per_image": {name: 1e6 * best[name] for name in answers},
        "peak_memory_mb": work.peak_memory_mb,
        "noise": float(np.median(times["train"])) / best["train"] - 1,
        "rounds": timing.rounds,
        "machine": machine(),
        "simulators": {},
    }
    if brian2_images:
        _compare(result, "brian2", _brian2(work, brian2_images))
    for peer in peers:
        _compare(result, peer.name, run_peer(peer, work, peer_images))
    return result


def _actions(work: Workload) -> dict[str, Callable[[], Any]]:
    """Return what is timed, by name."""
    return {
        "train": work.train,
        "infer": work.infer,
        "encode": work.encode,
        "stages": work.time_stages,
        "add_loop": work.adder(),
    }


def _stage_times(work: Workload, times: Mapping[str, Sequence[float]], readouts: Sequence[str]) -> dict[str, Any]:
    """Return the best time of each stage and its noise, microseconds per image, from all rounds but the first.

    A stage that is not timed by itself in every round counts as `other`.
    """
    rounds = work.stages[1:]
    names = [name for name in STAGES if name != "other" and all(name in seconds for seconds in rounds)]
    values = {"encode": np.array(times["encode"])}
    values |= {name: np.array([seconds[name] for seconds in rounds]) / BLOCK for name in names}
    rest = [sum(seconds.values()) - sum(seconds[name] for name in names) for seconds in rounds]
    values["other"] = np.array(rest) / BLOCK
    names.append("other")
    if readouts:
        values["read_out"] = np.sum([times[name] for name in readouts], axis=0)
    present = sum(values[name] for name in names)
    return {
        "microseconds_per_image": {name: 1e6 * float(value.min()) for name, value in values.items()},
        "stage_noise_microseconds": {name: 1e6 * float(value.mean() - value.min()) for name, value in values.items()},
        "present_microseconds_per_image": 1e6 * float(np.min(present)),
    }


def _speeds(work: Workload, best: Mapping[str, float]) -> dict[str, Any]:
    """Return speeds and counts per image from the best time of each action, seconds per image."""
    spikes = int(work.learn().counts.sum()) / BLOCK
    events = work.input_events() + spikes * (work.network.geometry.channels - 1)
    return {
        "train_images_per_s": 1 / best["train"],
        "inference_images_per_s": 1 / best["infer"],
        "train_to_add_loop": best["train"] / best["add_loop"],
        "inference_to_add_loop": best["infer"] / best["add_loop"],
        "add_loop_microseconds_per_image": 1e6 * best["add_loop"],
        "synaptic_events_per_image": events,
        "synaptic_events_per_s": events / best["train"],
        "spikes_per_image": spikes,
    }


def _fitted(work: Workload, readouts: Mapping[str, CountsClassifier]) -> dict[str, Callable[[], Any]]:
    """Return for each read-out, fitted to the block, the action that answers the block."""
    if not readouts:
        return {}
    counts, labels = work.simulate().counts.reshape(BLOCK, -1).astype(np.uint16), work.labels()
    return {name: partial(readout.fit(counts, labels).predict, counts) for name, readout in readouts.items()}


def _compare(result: dict[str, Any], name: str, measured: dict[str, Any]) -> None:
    """Add the measurements of another simulator, and the ratios of its speeds."""
    result["simulators"][name] = measured
    result[f"train_to_{name}"] = result["train_images_per_s"] / measured["train_images_per_s"]
    result[f"inference_to_{name}"] = result["inference_images_per_s"] / measured["inference_images_per_s"]


def _brian2(work: Workload, images: int) -> dict[str, Any]:
    """Return the speeds of the Brian2 engine after its code has been compiled, and its spikes per image."""
    spec = work.spec.updated({"simulation.engine": "brian2"})
    trains = work.encode(images)
    engine = make_engine(spec, double_precision(work.network))
    for switches in (FROZEN, work.switches):
        engine.present(SpikeTrains(trains.pixels, trains.offsets[:1]), switches)
    frozen_seconds = min(seconds_of(engine.present, trains, FROZEN)[1] for _ in range(2))
    outcome, seconds = seconds_of(engine.present, trains, work.switches)
    seconds = min(seconds, seconds_of(engine.present, trains, work.switches)[1])
    return {
        "target": spec.simulation.brian2_target,
        "images": images,
        "train_images_per_s": images / seconds,
        "inference_images_per_s": images / frozen_seconds,
        "spikes_per_image": int(outcome.counts.sum()) / images,
    }
