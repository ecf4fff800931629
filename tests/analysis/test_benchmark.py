import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import stdpnet
from stdpnet.errors import ConfigError, EngineError
from stdpnet.stdp.engines.compiled.engine import NumbaEngine
from stdpnet.stdp.engines.compiled.stages import INTEGRATE, SPIKES, STAGES, stage_seconds, stage_times
from stdpnet.stdp.network import initial_network
from stdpnet_analysis.benchmark import Peer, Timing, benchmark, growth, growth_plan, parse_growth, peers
from stdpnet_analysis.benchmark.add_loop import add_loop
from stdpnet_analysis.benchmark.figure import plot_growth
from stdpnet_analysis.benchmark.job import PARTS, Stopwatch, measure_job
from stdpnet_analysis.benchmark.workload import Workload
from stdpnet_analysis.readouts import DEFAULT, ReadoutSettings, make_readouts
from tests.processes import completed
from tests.stdp.engines.networks import ARCHITECTURES, TRAINING, lively, random_trains

KEYS = ["topology.channels=4", "simulation.brian2_target=numpy", "simulation.duration=50.0"]
QUICK = Timing(threads=1, rounds=2, warm_up=64)
PEER_SCRIPT = """
import sys
from pathlib import Path
def measure(problem, threads):
    spikes = sum(int(problem.raster(i).sum()) for i in range(len(problem.offsets)))
    return {"train_images_per_s": 2.0, "inference_images_per_s": 4.0, "version": "1", "spikes_per_image": spikes}
"""


@pytest.fixture(scope="module")
def spec():
    return stdpnet.load_config("digits", KEYS)


@pytest.fixture(scope="module")
def result(spec):
    return benchmark(
        spec, QUICK, brian2_images=2, readouts=make_readouts(settings=ReadoutSettings(spec.geometry.positions))
    )


def test_a_benchmark_reports_speeds_stages_and_ratios(result):
    times = result["microseconds_per_image"]
    assert (
        {"encode", "map", "integrate", "plasticity", "other", "read_out"}
        <= set(times)
        <= {"encode", *STAGES, "read_out"}
    )
    assert min(times.values()) >= 0
    assert set(result["stage_noise_microseconds"]) == set(times)
    add_loop_time = result["add_loop_microseconds_per_image"]
    for name in ("train", "inference"):
        expected = 1e6 / result[f"{name}_images_per_s"] / add_loop_time
        np.testing.assert_allclose(result[f"{name}_to_add_loop"], expected, rtol=1e-9)
    assert set(result["read_out_microseconds_per_image"]) == set(DEFAULT)
    assert times["read_out"] >= sum(result["read_out_microseconds_per_image"].values())
    assert result["synaptic_events_per_s"] > result["train_images_per_s"]
    assert result["noise"] >= 0
    assert result["peak_memory_mb"] > 50
    assert result["machine"]["versions"]["numba"]
    json.dumps(result)


def test_the_stages_make_up_the_whole_within_their_noise(result):
    stages = {name: value for name, value in result["microseconds_per_image"].items() if name in STAGES}
    noise, whole = (
        sum(result["stage_noise_microseconds"][name] for name in stages),
        result["present_microseconds_per_image"],
    )
    assert sum(stages.values()) <= whole * (1 + 1e-9)
    assert sum(stages.values()) + noise >= whole * (1 - 1e-9)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_timed_stages_change_nothing_and_take_the_time_of_the_call(architecture):
    spec = lively(architecture, competition={"rule": "anti_stdp"}, simulation={"dtype": "float32"})
    trains = random_trains(np.random.default_rng(0), 20, 40, 36)
    timed, usual = (NumbaEngine(spec, initial_network(spec), 1) for _ in range(2))
    timed.timed(trains, TRAINING)  # what is compiled at first use
    usual.present(trains, TRAINING)
    begin = time.perf_counter()
    outcome, seconds = timed.timed(trains, TRAINING)
    elapsed = time.perf_counter() - begin
    np.testing.assert_array_equal(outcome.counts, usual.present(trains, TRAINING).counts)
    assert timed.network.changed_arrays(usual.network) == []
    assert {"integrate", "plasticity", "other"} <= set(seconds) <= set(STAGES)
    assert min(seconds.values()) >= 0
    assert sum(seconds.values()) <= elapsed


def test_stages_that_take_less_time_than_the_clock_are_not_told_apart():
    times = stage_times(timed=True)
    times[INTEGRATE], times[SPIKES] = (10**9, 10), (1, 1000)
    seconds = stage_seconds(times)
    assert set(seconds) == {"integrate", "other"}
    np.testing.assert_allclose(seconds["integrate"], 1.0, atol=1e-3)


def test_the_stages_of_several_threads_are_refused():
    spec = lively()
    engine = NumbaEngine(spec, initial_network(spec), 2)
    with pytest.raises(EngineError, match="threads=2"):
        engine.timed(random_trains(np.random.default_rng(0), 2, 40, 36), TRAINING)


def test_the_brian2_engine_is_measured_on_the_same_images_in_the_same_run(result):
    brian2 = result["simulators"]["brian2"]
    assert (brian2["target"], brian2["images"]) == ("numpy", 2)
    ratio = result["train_images_per_s"] / brian2["train_images_per_s"]
    np.testing.assert_allclose(result["train_to_brian2"], ratio)
    assert result["train_to_brian2"] > 1


def test_every_round_does_the_same_work(spec):
    work = Workload(spec, QUICK.threads, QUICK.warm_up)
    spikes = []
    for _ in range(2):
        work.restore()
        work.train()
        spikes.append(work.learn().counts)
        assert not np.array_equal(work.network.weights, work._learner.network.weights)
    assert np.array_equal(*spikes)
    assert spikes[0].sum() > 0


def test_the_add_loop_adds_the_weights_of_all_inputs():
    network = initial_network(lively())
    trains = random_trains(np.random.default_rng(0), 2, 40, 36)
    current = np.zeros(3)
    windows = network.geometry.receptive_field_rows()
    add_loop(trains.pixels, trains.offsets, windows, network.weights, current)
    rows = windows[:, trains.pixels]
    expected = sum(network.weights[position][rows[position][rows[position] >= 0]].sum(axis=0) for position in range(4))
    np.testing.assert_allclose(current, expected, rtol=1e-12)


def test_growth_measures_a_row_for_each_value(spec):
    plan = growth_plan(spec, parse_growth(["channels=3,6", "duration=40", "threads=1,2"]))
    rows = growth(spec, plan, Timing(threads=1, rounds=1, warm_up=8))
    values = [(row["quantity"], row["value"], row["threads"]) for row in rows]
    assert values == [("channels", 3, 1), ("channels", 6, 1), ("duration", 40, 1), ("threads", 1, 1), ("threads", 2, 2)]
    assert rows[1]["synaptic_events_per_image"] == 2 * rows[0]["synaptic_events_per_image"]
    assert all(row["train_images_per_s"] > 0 and row["add_loop_microseconds_per_image"] > 0 for row in rows)
    figure = Figure()
    plot_growth(figure, rows)
    panels = figure.axes
    assert [panel.get_xlabel().split()[0] for panel in panels] == ["channels", "duration", "threads"]
    assert {panel.get_xscale() for panel in panels} == {panel.get_yscale() for panel in panels} == {"log"}
    drawn = panels[0].get_lines()[0].get_xydata()
    np.testing.assert_allclose(drawn, [(row["value"], row["train_microseconds_per_image"]) for row in rows[:2]])


def test_growth_of_all_quantities_has_values_that_fit(spec):
    plan = growth_plan(spec, parse_growth(["all"]))
    assert {name for name, _ in plan} == {"channels", "kernel", "duration", "rate", "threads"}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("colour", "'colour' is unknown"),
        ("channels=x", "'x' is no list"),
        ("channels=2.5", "2.5 is not whole"),
        ("channels=-1", "'-1' is no list"),
        ("kernel=99", "99 is larger than the image"),
    ],
)
def test_growth_refuses_what_it_cannot_measure(spec, option, words):
    with pytest.raises(ConfigError, match=words):
        growth_plan(spec, parse_growth([option]))


def test_a_peer_gets_the_network_and_the_same_input_spikes(spec, monkeypatch, tmp_path):
    runner = Path(peers.__file__).with_name("runner.py")
    (tmp_path / "bindsnet_peer.py").write_text(PEER_SCRIPT)
    (tmp_path / "runner.py").write_text(runner.read_text())
    monkeypatch.setattr(peers, "__file__", str(tmp_path / "__init__.py"))
    work = Workload(spec, 1, 64)
    measured = peers.run_peer(Peer("bindsnet", sys.executable), work, 3)
    assert measured["spikes_per_image"] == len(work.encode(3).pixels)
    assert measured["images"] == 3
    assert measured["expected_spikes_per_image"] > 0


def test_a_peer_that_fails_says_why(spec, monkeypatch, tmp_path):
    (tmp_path / "runner.py").write_text("raise SystemExit('no compiler')")
    monkeypatch.setattr(peers, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(EngineError, match=r"bindsnet: .*it says: no compiler"):
        peers.run_peer(Peer("bindsnet", sys.executable), Workload(spec, 1, 64), 1)


def test_a_missing_peer_is_one_clear_sentence(spec, tmp_path):
    with pytest.raises(ConfigError, match="'nest' is unknown; choose from bindsnet, annarchy"):
        Peer.parse("nest")
    with pytest.raises(ConfigError, match="cannot be run"):
        Peer.parse(f"bindsnet={tmp_path}/python")
    empty = tmp_path / "python"
    empty.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    empty.chmod(0o755)
    with pytest.raises(ConfigError, match=r"ANNarchy is not installed in .*pip install ANNarchy"):
        Peer.parse(f"annarchy={empty}")


def test_peers_are_compared_only_with_networks_that_they_can_have():
    for name in ("csnn-25-k12", "lcsnn-25-k12-learned"):
        with pytest.raises(ConfigError, match="--peer"):
            peers.check_comparable(stdpnet.load_config(name))


def call(folder, *arguments):
    return completed(["stdpnet", "benchmark", "digits", *arguments], folder)


def test_the_command_prints_one_object_and_writes_it_and_the_figure(tmp_path):
    small = [argument for key in KEYS for argument in ("--set", key)]
    quick = ["--threads", "1", "--rounds", "1", "--warm-up", "64", "--brian2", "0"]
    files = ["--grow", "rate=60,120", "--figure", "growth.png", "--output", "speed.json"]
    done = call(tmp_path, *small, *quick, *files, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "speed.json").read_text())
    assert [row["value"] for row in json.loads(done.stdout)["growth"]] == [60, 120]
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    again = call(tmp_path, *small, *quick, *files)
    assert again.returncode == 2
    assert "speed.json: exists already and is never overwritten" in again.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--figure", "a.png"], "add --grow all"),
        (["--grow", "rate", "--figure", "a.jpg"], "a.jpg: '.jpg' is unknown; choose among .png, .pdf, .svg"),
        (["--output", "no/a.json"], "the folder no does not exist"),
    ],
)
def test_the_command_refuses_before_it_measures(tmp_path, options, words):
    done = call(tmp_path, *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_time_of_a_whole_job_is_told_by_part(spec, stdpnet_command, tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))  # else the baselines may be known
    sizes = ["training.images=20", *(f"dataset.{part}=60" for part in ("validation", "calibration", "test"))]
    keys = [argument for key in [*KEYS, *sizes] for argument in ("--set", key)]
    printed = stdpnet_command("benchmark", "digits", "--job", "--output", "job.json", *keys).stdout
    result = json.loads((tmp_path / "job.json").read_text())
    assert list(result["seconds"]) == list(PARTS)
    assert min(result["seconds"].values()) > 0
    np.testing.assert_allclose(result["total_seconds"], sum(result["seconds"].values()))
    assert [line[:20].strip() for line in printed.splitlines()] == [*PARTS.values(), "in all"]
    assert [path.name for path in tmp_path.iterdir()] == ["job.json"], "the run is not kept"
    with pytest.raises(EngineError, match=r"the job failed: .*dataset\.validation"):
        measure_job(spec.updated({"dataset.validation": 10**6}))


def test_read_outs_belong_to_the_responses_before_them():
    watch, now = Stopwatch(time.time()), []
    for stage in ("trained-test responses", "read-out all", "untrained-test responses", "read-out all"):
        watch.stage(stage, 0)
        now.append(watch._part)
    watch.stage("read-out of pixels", 0)
    assert [*now, watch._part] == ["responses", "read_outs", "untrained", "untrained", "pixels"]
