"""Times of the stages by pytest-benchmark: `make benchmark`; not collected by `make test`."""

import functools

import numpy as np
import pytest

import stdpnet
from stdpnet_analysis.benchmark.workload import BLOCK, Workload
from stdpnet_analysis.readouts import DEFAULT, ReadoutSettings, make_readouts

PRESETS = ("lcsnn-100-k12-steady", "csnn-100-k8", "fcsnn-100")
READOUTS = DEFAULT


@functools.cache
def workload(preset):
    return Workload(stdpnet.load_config(preset, ["encoder.max_rate=127.5"]), threads=1, warm_up=256)


def timed(benchmark, work, action):
    """Time an action on a block of images, each time from the same state."""
    benchmark.extra_info["images"] = BLOCK
    benchmark.group = benchmark.name.partition("[")[0]
    return benchmark.pedantic(action, setup=work.restore, rounds=10, warmup_rounds=1)


@pytest.mark.parametrize("preset", PRESETS)
def test_encode(benchmark, preset):
    trains = timed(benchmark, workload(preset), workload(preset).encode)
    assert len(trains.offsets) == BLOCK


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("action", ["simulate", "learn", "infer"])
def test_present(benchmark, preset, action):
    outcome = timed(benchmark, workload(preset), getattr(workload(preset), action))
    assert outcome.counts.sum() > 0


@pytest.mark.parametrize("preset", PRESETS)
def test_train(benchmark, preset):
    timed(benchmark, workload(preset), workload(preset).train)


@pytest.mark.parametrize("preset", PRESETS)
def test_normalise(benchmark, preset):
    timed(benchmark, workload(preset), workload(preset).normaliser())


@pytest.mark.parametrize("preset", PRESETS)
def test_add_loop(benchmark, preset):
    timed(benchmark, workload(preset), workload(preset).adder())


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("stage", ["fit", "predict"])
def test_readout(benchmark, preset, name, stage):
    work = workload(preset)
    counts = work.simulate().counts.reshape(BLOCK, -1).astype(np.uint16)
    readout = make_readouts([name], ReadoutSettings(work.network.geometry.positions))[name].fit(counts, work.labels())
    action = {"fit": lambda: readout.fit(counts, work.labels()), "predict": lambda: readout.predict(counts)}[stage]
    timed(benchmark, work, action)
