"""The Brian2 engine by itself: the order of its operations, its compiler flags, its clock, its preferences."""

import subprocess
import sys

import brian2
import numpy as np
import pytest
from brian2.codegen.runtime.cython_rt import CythonCodeObject
from brian2.codegen.runtime.cython_rt.extension_manager import cython_extension_manager

from stdpnet.errors import EngineError
from stdpnet.stdp.engines.brian import process
from stdpnet.stdp.engines.brian.engine import BrianEngine
from stdpnet.stdp.engines.brian.groups import check_order
from stdpnet.stdp.engines.protocol import FROZEN, Switches
from tests.processes import completed
from tests.stdp.engines.networks import ARCHITECTURES, ENGINES, TRAINING, as_trains, build, lively, random_trains, show

NUMPY, CYTHON = ENGINES["brian2-numpy"], ENGINES["brian2-cython"]


@pytest.mark.parametrize("version", ["2.10.1", "2.11.0", "3.0"])
def test_versions_of_brian2_whose_cython_target_computes_otherwise_are_refused(monkeypatch, version):
    monkeypatch.setattr(brian2, "__version__", version)
    with pytest.raises(EngineError, match=rf"'cython' of Brian2 {version} computes other currents .*brian2<2\.10"):
        build(lively(), CYTHON)
    build(lively(), NUMPY)


@pytest.mark.parametrize(
    ("architecture", "rule", "traces"),
    [
        *((architecture, "fixed", "nearest") for architecture in ARCHITECTURES),
        *((architecture, "anti_stdp", "all_to_all") for architecture in ARCHITECTURES),
        ("locally_connected", "rate_target", "all_to_all"),
        ("convolutional", "anti_hebbian", "all_to_all"),
    ],
)
def test_numpy_and_cython_targets_are_equal_to_the_last_bit(architecture, rule, traces):
    """Learned competition has nearest traces in all cases but one, so that they share compiled code."""
    of_competition = "all_to_all" if rule == "anti_hebbian" else "nearest"
    competition = {"rule": rule, "drift": 0.05, "traces": of_competition}
    spec = lively(architecture, competition=competition, plasticity={"traces": traces})
    trains = random_trains(np.random.default_rng(6), 3, 40, 36, 0.15)
    one, other = build(spec, NUMPY), build(spec, CYTHON)
    (outcome, seen), (expected, wanted) = show(one, trains), show(other, trains)
    assert expected.counts.sum() > 20
    np.testing.assert_array_equal(outcome.counts, expected.counts)
    for mine, theirs in zip(seen, wanted, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert one.network.changed_arrays(other.network) == []


def test_an_operation_out_of_order_is_refused():
    engine = build(lively(competition={"rule": "anti_stdp"}), NUMPY)
    check_order(engine._brian)
    engine._groups.by_name["XY"].depress.order = -40  # before transmit
    with pytest.raises(EngineError, match=r"XY_depress.*docs/model.md asks for"):
        check_order(engine._brian)


def test_an_unknown_operation_is_refused():
    engine = build(lively(), NUMPY)
    engine._brian.add(brian2.NetworkOperation(lambda: None, name="stranger"))
    with pytest.raises(EngineError, match="stranger"):
        check_order(engine._brian)


def test_every_flag_set_has_its_own_cache_folder_in_which_the_code_is_kept(tmp_path, monkeypatch):
    assert process.cache_folder(("-O3",)) != process.cache_folder(("-O3", "-ffast-math"))
    assert "-ffp-contract=off" in process.COMPILER_FLAGS
    monkeypatch.setattr(process, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(cython_extension_manager, "_code_cache", {})  # of this process
    with process.preferences("cython"):
        assert brian2.prefs["codegen.cpp.extra_compile_args_gcc"] == list(process.COMPILER_FLAGS)
        assert CythonCodeObject.is_available()
    assert len(list(tmp_path.glob("_cython_magic_*"))) > 0


def test_the_users_brian2_preferences_and_clock_are_left_alone():
    names = ("codegen.target", "codegen.cpp.extra_compile_args_gcc", "codegen.runtime.cython.cache_dir")
    before = [brian2.prefs[name] for name in names], float(brian2.defaultclock.dt)
    build(lively(), NUMPY).present(as_trains(np.zeros((1, 40, 36))), FROZEN)
    assert ([brian2.prefs[name] for name in names], float(brian2.defaultclock.dt)) == before


@pytest.mark.parametrize(("dt", "images"), [(1.0, 60), (0.5, 60), (0.1, 300)])
def test_no_spike_slips_a_step_over_many_images_in_one_run(dt, images):
    steps = 50
    spec = lively(
        "fully_connected",
        dataset={"crop": 3},
        topology={"channels": 2},
        neuron={"v_thresh": -55.0, "theta_plus": 0.0, "tau_refrac": 3 * dt},
        competition={"rule": "none"},
        simulation={"dt": dt, "duration": steps * dt},
    )
    rng = np.random.default_rng(8)
    raster = rng.random((images, steps, 9)) < 0.02
    raster[:, [0, -1]] |= rng.random((images, 2, 9)) < 0.5  # at both ends of an image most of all
    raster[:, :, 4:] = True
    engine = build(spec, NUMPY)
    silent, busy = engine.network.weights[0].T
    silent[:], busy[:] = [1.0, 2.0, 4.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0] * 4 + [10.0] * 5
    engine.network.theta[0, 0] = 1e6
    _, recording = show(engine, as_trains(raster), FROZEN)
    np.testing.assert_array_equal(recording.current[:, :, 0, 0], raster @ silent)
    as_often_as_possible = np.arange(steps) % 4 == 1
    np.testing.assert_array_equal(recording.spikes[:, :, 0, 1], np.tile(as_often_as_possible, (images, 1)))


def test_many_images_in_one_run_equal_a_run_for_each():
    spec = lively("convolutional", competition={"rule": "anti_stdp", "drift": -0.01})
    trains = random_trains(np.random.default_rng(7), 12, 40, 36, 0.15)
    together, single = build(spec, NUMPY), build(spec, NUMPY)
    counts = together.present(trains, TRAINING).counts
    order = [single.present(trains._replace(offsets=row[None]), TRAINING).counts[0] for row in trains.offsets]
    np.testing.assert_array_equal(counts, order)
    assert together.network.changed_arrays(single.network) == []


def test_one_engine_serves_all_switches_in_turn():
    spec = lively(competition={"rule": "anti_stdp"})
    rng = np.random.default_rng(9)
    turns = [TRAINING, FROZEN, Switches(True, False, True), FROZEN, Switches(False, True, False), TRAINING]
    trains = [random_trains(rng, 2, 40, 36, 0.2) for _ in turns]
    engine, network = build(spec, NUMPY), build(spec, NUMPY).network
    for switches, shown in zip(turns, trains, strict=True):
        fresh = build(spec, NUMPY)
        for name, array in fresh.network.arrays().items():
            array[...] = network.arrays()[name]
        np.testing.assert_array_equal(engine.present(shown, switches).counts, fresh.present(shown, switches).counts)
        network = fresh.network
        assert engine.network.changed_arrays(network) == []


def test_fixed_competition_equals_synapses_of_that_weight():
    keys = {"c_w": -1.7, "A_plus": 0.0, "A_minus": 0.0}
    fixed = build(lively(competition=keys), NUMPY)
    synapses = build(lively(competition={**keys, "rule": "anti_stdp"}), NUMPY)
    synapses.network.weights[:] = fixed.network.weights
    synapses.network.competition[:] = np.where(np.eye(3, dtype=bool), 0.0, fixed.network.competition)
    trains = random_trains(np.random.default_rng(10), 3, 40, 36, 0.25)
    (one, seen), (other, wanted) = show(fixed, trains), show(synapses, trains)
    assert (one.counts.sum(axis=2) > 1).any()
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_array_equal(seen.current, wanted.current)


def test_presentations_may_be_any_rows_of_the_offsets():
    spec = lively()
    trains = random_trains(np.random.default_rng(11), 4, 40, 36, 0.2)
    all_four = build(spec, NUMPY).present(trains, FROZEN).counts
    chosen = build(spec, NUMPY).present(trains._replace(offsets=trains.offsets[[3, 1]]), FROZEN).counts
    np.testing.assert_array_equal(chosen, all_four[[3, 1]])
    assert build(spec, NUMPY).present(trains._replace(offsets=trains.offsets[:0]), TRAINING).counts.shape[0] == 0


def test_float32_is_refused():
    spec = lively(simulation={"engine": "brian2"})
    network = build(lively(simulation={"dtype": "float32"}), ENGINES["numba"]).network
    with pytest.raises(EngineError, match="float64"):
        BrianEngine(spec, network)


def test_a_missing_compiler_is_an_error_that_names_the_remedy(tmp_path, monkeypatch):
    for name, value in {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "CC": "", "CXX": ""}.items():
        monkeypatch.setenv(name, value)
    program = tmp_path / "program.py"
    program.write_text("from tests.stdp.engines.networks import *; build(lively(), ENGINES['brian2-cython'])")
    done = completed([program], tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("stdpnet.errors.EngineError")
    assert "install g++" in last
    assert "simulation.brian2_target = 'numpy'" in last
    assert "Brian 2 encountered" not in done.stderr


def test_brian2_does_not_talk_to_the_user():
    code = (
        "from tests.stdp.engines.networks import *\n"
        "for arch, rule in (('locally_connected', 'fixed'), ('convolutional', 'anti_stdp')):\n"
        "    spec = lively(arch, competition={'rule': rule})\n"
        "    show(build(spec, ENGINES['brian2-numpy']), random_trains(np.random.default_rng(0), 2, 40, 36, 0.2))\n"
        "    build(spec, ENGINES['brian2-numpy'])  # never used\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""
