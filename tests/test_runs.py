import hashlib
import io
import json
import os
import platform
from pathlib import Path

import h5py
import numpy as np
import pytest

import stdpnet
from stdpnet.errors import RunError
from stdpnet.model import Responses, State
from stdpnet.runs import Run, find_runs
from stdpnet.runs.files import write_sealed
from stdpnet.runs.rows import RowFollower, append_row, first_row, last_rows, read_rows, without_repeated
from stdpnet.runs.scores import scored_state
from stdpnet.spec.load import dump_config
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.statistics import Interval
from tests.stdp.engines.networks import lively


@pytest.fixture
def run(tmp_path):
    return Run.create(lively(competition={"rule": "anti_stdp"}), tmp_path / "run", "unused", dataset_sha256="abc")


def state_of(run, images=3):
    network = initial_network(run.spec)
    interval = vars(Interval.begin(network))
    return State(arrays=network.arrays(), images=images, presentations=images + 1, interval=interval)


def test_a_checkpoint_reads_back_bit_by_bit_and_the_previous_one_is_kept(run):
    first, second = state_of(run), state_of(run, 5)
    second.arrays["theta"] += 0.25
    run.save_state(first)
    run.save_state(second)
    loaded = run.load_state()
    assert (loaded.images, loaded.presentations) == (5, 6)
    assert loaded.changed_arrays(second) == []
    assert loaded.arrays["theta"].dtype == second.arrays["theta"].dtype
    for name, value in second.interval.items():
        np.testing.assert_array_equal(loaded.interval[name], value)
    with h5py.File(run.path / "checkpoint.previous.h5") as file:
        assert file.attrs["images"] == 3
        assert (file.attrs["format"], file.attrs["version"]) == ("stdpnet-checkpoint", 3)
    assert not [path for path in run.path.iterdir() if path.name.startswith(".")]


def test_theta_is_part_of_the_state(run):
    state = state_of(run)
    before = state.digest()
    state.arrays["theta"][0, 0] += 1e-12
    assert state.digest() != before


def test_a_fixed_competition_reads_back_as_one_number(tmp_path):
    run = Run.create(lively(), tmp_path / "run", "unused")
    run.save_state(state_of(run))
    assert run.load_state().arrays["competition"].shape == ()


def damages(whole):
    """Yield damaged copies of a file: cut anywhere, or with one bit flipped anywhere."""
    rng = np.random.default_rng(0)
    for length in [0, 1, 100, 511, 512, 513, len(whole) - 1, *rng.integers(0, len(whole), 40)]:
        yield whole[:length]
    for place in [0, 20, 200, 511, 512, 520, len(whole) - 1, *rng.integers(0, len(whole), 60)]:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        yield bytes(flipped)


def test_a_checkpoint_cut_or_flipped_anywhere_is_noticed_and_the_previous_one_serves(run):
    run.save_state(state_of(run))
    run.save_state(state_of(run, 5))
    path = run.path / "checkpoint.h5"
    for damaged in damages(path.read_bytes()):
        path.write_bytes(damaged)
        with pytest.warns(UserWarning, match=r"checkpoint\.h5: (damaged|is of format).* at image 3"):
            assert run.load_state().images == 3
    (run.path / "checkpoint.previous.h5").write_bytes(b"")
    with pytest.raises(RunError, match=r"checkpoint\.previous\.h5: damaged"):
        run.load_state()


def test_a_crash_between_the_two_renames_leaves_the_previous_checkpoint(run):
    run.save_state(state_of(run))
    (run.path / "checkpoint.h5").rename(run.path / "checkpoint.previous.h5")
    with pytest.warns(UserWarning, match=r"going on from checkpoint\.previous\.h5 at image 3"):
        assert run.load_state().images == 3


def test_a_file_of_a_later_format_is_refused(run):
    run.save_state(state_of(run))
    path = run.path / "checkpoint.h5"
    path.write_bytes(path.read_bytes().replace(b"stdpnet-checkpoint 3 ", b"stdpnet-checkpoint 9 ", 1))
    with pytest.raises(RunError, match="stdpnet-checkpoint 9, this stdpnet reads stdpnet-checkpoint 3"):
        run.load_state()


def test_a_checkpoint_of_another_configuration_is_refused_with_the_key(run):
    run.save_state(state_of(run))
    path = run.path / "config.toml"
    path.write_text(path.read_text().replace("tau_v = 30.0", "tau_v = 31.0"))
    with pytest.raises(RunError, match=r"was trained with neuron\.tau_v = 30\.0, config\.toml now says 31\.0"):
        Run.open(run.path).load_state()


def test_a_wrong_seed_names_the_key_and_the_newest_checkpoint(run):
    run.save_state(state_of(run))
    run.save_state(state_of(run, 5))
    path = run.path / "config.toml"
    path.write_text(path.read_text().replace(f"seed = {run.spec.seed}\n", "seed = 77\n", 1))
    with pytest.raises(RunError, match=r"/checkpoint\.h5: was trained with seed = \d+, config\.toml now says 77"):
        Run.open(run.path).load_state()


def test_a_checkpoint_from_before_a_key_existed_is_read_with_the_key_s_default(run, monkeypatch):
    key = 'initial = "uniform"\n'
    assert key in dump_config(run.spec)
    monkeypatch.setattr("stdpnet.runs.checkpoint.dump_config", lambda spec: dump_config(spec).replace(key, ""))
    run.save_state(state_of(run))
    monkeypatch.undo()
    assert run.load_state().images == 3


def test_a_checkpoint_of_version_2_is_read(run):
    state = state_of(run)

    def fill(file):
        file.attrs["config"] = dump_config(run.spec).replace('model = "stdp"\n', "")
        file.attrs["images"], file.attrs["presentations"] = state.images, state.presentations
        for name, array in state.arrays.items():
            file[name] = array
        group = file.create_group("interval")
        for name, value in state.interval.items():
            group[name] = value

    write_sealed(run.path / "checkpoint.h5", ("stdpnet-checkpoint", 2), fill)
    loaded = run.load_state()
    assert (loaded.images, loaded.presentations) == (state.images, state.presentations)
    assert list(loaded.arrays) == list(state.arrays)
    assert loaded.changed_arrays(state) == []
    assert set(loaded.interval) == set(state.interval)
    assert loaded.digest() == state.digest(), "cached responses of the run stay valid"


def resealed(path, change):
    """Change the contents of a checkpoint; its seal stays right."""
    buffer = io.BytesIO()
    with h5py.File(path, "r") as source, h5py.File(buffer, "w", userblock_size=512) as file:
        for key, value in source.attrs.items():
            file.attrs[key] = value
        for key in source:
            source.copy(key, file)
        change(file)
    content = buffer.getvalue()[512:]
    seal = f"stdpnet-checkpoint 3 sha256 {hashlib.sha256(content).hexdigest()}\n".encode()
    path.write_bytes(seal.ljust(512, b"\0") + content)


def replaced(name, value):
    def change(file):
        del file[name]
        if value is not None:
            file[name] = value

    return change


def elsewhere(file):
    weights = file["arrays/weights"]
    shape = weights.shape
    del file["arrays/weights"]
    file.create_dataset("arrays/weights", shape, np.float64, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced("arrays/weights", np.ones((9, 1, 3))), "weights has the shape"),
        (replaced("arrays/theta", np.ones((4, 3), np.float32)), "theta is of type float32"),
        (replaced("arrays/theta", np.full((4, 3), np.nan)), "not finite numbers"),
        (replaced("arrays/competition", None), "it has the arrays"),
        (replaced("arrays/weights", h5py.ExternalLink("other.h5", "/weights")), "links to it elsewhere"),
        (replaced("arrays/weights", h5py.SoftLink("/nowhere")), "links to it elsewhere"),
        (replaced("interval/counts", np.ones(3, np.int64)), "counts has the shape"),
        (replaced("interval/counts", None), "its interval has"),
        (elsewhere, "lie in another file"),
        (lambda file: file.attrs.__setitem__("images", "many"), "images is no whole number"),
        (lambda file: file.attrs.__setitem__("config", 3), "config is no text"),
    ],
)
def test_a_checkpoint_of_another_layout_is_refused_and_the_previous_one_serves(run, change, message):
    run.save_state(state_of(run))
    run.save_state(state_of(run, 5))
    good = (run.path / "checkpoint.previous.h5").read_bytes()
    resealed(run.path / "checkpoint.h5", change)
    with pytest.warns(UserWarning, match=f"({message}).* at image 3"):
        assert run.load_state().images == 3
    run.set_damaged_aside()
    run.save_state(state_of(run, 7))
    assert (run.path / "checkpoint.previous.h5").read_bytes() == good


def test_responses_are_whole_or_not_used_and_those_of_an_older_version_are_read(run):
    responses = Responses(np.ones((3, 12), np.uint16), np.arange(3), np.arange(3), cost={"events": 2.0})
    run.save_responses("test", responses, "key")
    path = run.path / "responses" / "test.h5"
    for damaged in damages(path.read_bytes()):
        path.write_bytes(damaged)
        with pytest.warns(UserWarning, match="computing the responses again"):
            assert run.load_responses("test", "key") is None
    path.unlink()
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": "stdpnet-responses", "version": 1, "key": "key", "cost": '{"events": 2.0}'})
        file.create_dataset("counts", data=responses.counts, chunks=(3, 12), compression=1, fletcher32=True)
        file["labels"], file["indices"] = responses.labels, responses.indices
    assert run.load_responses("test", "key").cost == {"events": 2.0}
    np.testing.assert_array_equal(run.load_responses("test", "key", sparse=True).counts.toarray(), responses.counts)


def test_a_run_without_a_checkpoint_says_so(run):
    with pytest.raises(RunError, match="has no checkpoint yet"):
        run.load_state()


def test_opening_what_is_no_run_says_so(tmp_path):
    with pytest.raises(RunError, match=r"no run here; `stdpnet runs` lists the runs"):
        Run.open(tmp_path / "absent")


def test_a_misspelt_name_is_answered_with_the_nearest_one(run):
    with pytest.raises(RunError, match=r"rnu: no run here; did you mean 'run'\?"):
        Run.open(run.path.with_name("rnu"))


def test_a_path_of_one_part_stays_a_path(run, monkeypatch):
    monkeypatch.chdir(run.path.parent)
    again = Run.open("./run")
    assert Run.open(again.path).spec == run.spec
    assert [found.path.name for found in find_runs(Path("."))] == ["run"]
    monkeypatch.chdir(run.path.parent.parent)
    assert [found.path for found in find_runs(Path(run.path.parent.name))] == [Path(run.path.parent.name, "run")]
    monkeypatch.chdir(run.path.parent)
    with pytest.raises(RunError, match="runs/run: no run here"):
        Run.open("run")


def test_an_edited_config_is_refused_with_its_key(run):
    path = run.path / "config.toml"
    path.write_text(path.read_text().replace("channels = 3", "chanels = 3"))
    with pytest.raises(RunError, match=r"topology\.chanels: unknown key"):
        Run.open(run.path)


def test_provenance_tells_versions_machine_and_engine(run):
    provenance = run.provenance
    assert provenance["dataset_sha256"] == "abc"
    assert provenance["engine"] == "numba"
    assert provenance["dtype"] == "float64"
    assert set(provenance["versions"]) >= {"python", "numpy", "numba", "brian2", "stdpnet"}


def test_a_torn_last_line_is_left_out_and_repaired_and_a_bad_one_within_is_skipped_with_a_warning(run):
    run.append_row("progress", {"images": 1})
    run.append_row("progress", {"images": 2})
    path = run.path / "progress.jsonl"
    path.write_text(path.read_text() + '{"images": 3')
    assert [row["images"] for row in run.rows("progress")] == [1, 2]
    run.append_row("progress", {"images": 4})
    assert [row["images"] for row in run.rows("progress")] == [1, 2, 4]
    path.write_text('{"ima\n{"images": 2}\n')
    with pytest.warns(UserWarning, match=r"progress\.jsonl: 1 row does not fit and is left out \(Invalid JSON"):
        assert [row["images"] for row in run.rows("progress")] == [2]


def test_rows_written_again_after_going_back_to_a_checkpoint_count_once(run):
    for images in (1, 2, 3, 4, 3, 4, 5):
        run.append_row("curve", {"images": images, "accuracy": {"linear": 0.5}})
    assert [row["images"] for row in run.rows("curve")] == [1, 2, 3, 4, 5]


def test_a_second_process_is_refused_and_a_dead_one_is_recognised(run):
    with run.locked() as died:
        assert died is None
        assert run.status == "running"
        with pytest.raises(RunError, match=f"is being written by process {os.getpid()}"), run.locked():
            pass
    lock = run.path / "lock"
    lock.write_text(json.dumps({"pid": 999_999_999, "host": platform.node()}))
    with run.locked() as died:
        assert "process 999999999 died" in died
    lock.write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    with pytest.raises(RunError, match="left by process 1 on elsewhere; if that process is dead, remove"), run.locked():
        pass


def test_responses_are_kept_under_their_key(run):
    responses = Responses(np.arange(36, dtype=np.uint16).reshape(3, 12), np.arange(3), np.arange(3) + 100)
    run.save_responses("trained-test", responses, "key")
    loaded = run.load_responses("trained-test", "key")
    for name in ("counts", "labels", "indices"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(responses, name))
    assert loaded.counts.dtype == np.uint16
    assert run.load_responses("trained-test", "another key") is None
    assert run.load_responses("absent", "key") is None


def test_rows_are_read_from_either_end_however_they_lie_across_blocks(tmp_path):
    rng = np.random.default_rng(0)
    for number, sizes in enumerate([(), (3,), (20_000,), *rng.integers(0, 9000, (20, 7))]):
        path = tmp_path / f"{number}.jsonl"
        rows = [{"images": place, "text": "x" * size} for place, size in enumerate(sizes)]
        for row in rows:
            append_row(path, row)
        for torn in ("", '{"images": 9'):
            with path.open("a") as file:
                file.write(torn)
            assert read_rows(path) == rows
            assert first_row(path) == (rows[0] if rows else None)
            for most in (1, 2, 5, 9):
                assert last_rows(path, most) == rows[-most:]


def test_rows_that_do_not_fit_are_passed_over_from_either_end(tmp_path):
    path = tmp_path / "progress.jsonl"
    bad = ["nonsense", '{"images": -1}', "[]", '{"images": 1e999}', "\0" * 100, '{"images": "7"}', "{" * 5000]
    path.write_text("\n".join([*bad, '{"images": 1}', "x" * 2_000_000, '{"images": 2}', *bad * 300]) + "\n")
    with pytest.warns(UserWarning, match="2100 rows do not fit"):
        assert last_rows(path) == [{"images": 2}]
    with pytest.warns(UserWarning, match="7 rows do not fit"):
        assert first_row(path) == {"images": 1}
    with pytest.warns(UserWarning, match="2108 rows do not fit"):
        assert read_rows(path) == RowFollower(path).read() == [{"images": 1}, {"images": 2}]


def test_a_follower_reads_what_was_added_also_after_a_step_back_and_in_a_new_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    follower = RowFollower(path)
    assert follower.read() == []
    for images in (1, 2, 3, 2, 3):
        append_row(path, {"images": images})
        assert follower.read() == without_repeated(read_rows(path))
    with path.open("a") as file:
        file.write('{"images": 4')
    assert [row["images"] for row in follower.read()] == [1, 2, 3]
    append_row(path, {"images": 5})
    assert [row["images"] for row in follower.read()] == [1, 2, 3, 5]
    path.rename(tmp_path / "old")
    append_row(path, {"images": 7})
    assert follower.read() == [{"images": 7}]
    path.unlink()
    assert follower.read() == []


def scores(images=60, linear="logistic", C=0.01, accuracy=0.9, untrained=True, split="test"):
    """Scores as an evaluation hands them over: the settings of the linear read-out are in the protocol."""
    protocol = {"split": split, "training_images": images, "snapshot": "last", "linear": linear, "C": C}
    readouts = {"all": {"accuracy": 0.7}, "patch": {"accuracy": 0.8}, "linear": {"accuracy": accuracy}}
    baselines = {"untrained": {"readouts": readouts}, "pixels": {"readouts": {"linear": {"accuracy": 0.5}}}}
    return {"protocol": protocol, "readouts": readouts} | (baselines if untrained else {})


def test_scores_of_test_and_validation_do_not_overwrite_each_other(run):
    assert run.load_scores() is None
    run.save_scores(scores(10))
    run.save_scores(scores(20, split="validation"), "validation")
    assert run.load_scores()["protocol"]["training_images"] == 10
    assert run.load_scores("validation")["protocol"]["training_images"] == 20


def test_a_read_out_with_other_settings_gets_an_entry_of_its_own(run):
    run.save_scores(scores(accuracy=0.9))
    held = run.save_scores(scores(linear="sgd", accuracy=0.6))
    held = run.save_scores(scores(C=0.1, accuracy=0.8, untrained=False))
    assert run.load_scores() == held
    assert {name: score["accuracy"] for name, score in held["readouts"].items()} == {
        "all": 0.7,
        "patch": 0.8,
        "linear": 0.9,
        "linear-sgd": 0.6,
        "linear-C0.1": 0.8,
    }
    assert scored_state(held, "test", "last", 60).best == {
        "vote": 0.8, "linear": 0.9, "linear-sgd": 0.6, "linear-C0.1": 0.8}  # fmt: skip
    assert held["readouts"]["linear"]["settings"] == {"kind": "logistic", "C": 0.01}
    assert held["readouts"]["linear-sgd"]["settings"] == {"kind": "sgd"}
    assert set(held["untrained"]["readouts"]) == {"all", "patch", "linear", "linear-sgd"}
    assert set(held["pixels"]["readouts"]) == {"linear", "linear-sgd"}


def test_an_evaluation_that_is_repeated_writes_the_same_bytes(run):
    made = {"spikes_per_image": 5.0, **scores()}
    run.save_scores(made)
    first = run.scores_path().read_bytes()
    run.save_scores(made)
    assert run.scores_path().read_bytes() == first


def test_scores_of_another_state_or_of_a_damaged_file_are_replaced(run):
    run.save_scores(scores(linear="sgd"))
    assert set(run.save_scores(scores(images=70))["readouts"]) == {"all", "patch", "linear"}
    run.scores_path().write_text('{"prot')
    assert run.save_scores(scores())["protocol"]["training_images"] == 60


def test_scores_of_an_older_version_are_read_with_the_settings_of_their_read_out(run):
    run.scores_path().write_text(json.dumps(scores(linear="sgd")))
    assert set(run.load_scores()["readouts"]) == {"all", "patch", "linear-sgd"}
    run.save_scores(scores())
    assert set(run.load_scores()["readouts"]) == {"all", "patch", "linear-sgd", "linear"}


def test_sparse_responses_are_read_a_chunk_at_a_time(run, monkeypatch):
    counts = np.random.default_rng(0).poisson(0.1, (600, 12)).astype(np.uint16)
    run.save_responses("test", Responses(counts, np.zeros(600, np.int64), np.arange(600)), "key")
    read, most = h5py.Dataset.__getitem__, []

    def watched(dataset, place):
        result = read(dataset, place)
        if dataset.name == "/counts":
            most.append(len(result))
        return result

    monkeypatch.setattr(h5py.Dataset, "__getitem__", watched)
    found = run.load_responses("test", "key", sparse=True)
    assert sum(most) == 600
    assert max(most) == 256
    assert found.counts.dtype == np.uint16
    np.testing.assert_array_equal(found.counts.toarray(), counts)


def test_responses_of_several_chunks_come_back_whole_and_to_the_limit_of_uint16(run):
    counts = np.random.default_rng(0).integers(0, 2**16, (600, 12)).astype(np.uint16)  # chunks of 256 images
    counts[299, 3] = 65535
    run.save_responses("many", Responses(counts, np.arange(600), np.arange(600)), "key")
    loaded = run.load_responses("many", "key").counts
    assert loaded.dtype == np.uint16
    np.testing.assert_array_equal(loaded, counts)
    with h5py.File(run.path / "responses" / "many.h5") as file:
        assert (file["counts"].chunks, file["counts"].compression) == ((256, 12), "gzip")
        np.testing.assert_array_equal(np.concatenate([file["counts"][i : i + 100] for i in range(0, 600, 100)]), counts)


def test_rows_of_older_versions_have_named_quantiles_too(run):
    run.append_row("progress", {"images": 1, "theta": [0, 1, 2, 3, 4, 5, 6], "spikes_per_neuron": [0] * 7})
    run.append_row("progress", {"images": 2, "theta": {"p50": 7}})
    first, second = run.rows("progress")
    assert (first["theta"]["min"], first["theta"]["p50"], first["theta"]["max"]) == (0, 3, 6)
    assert second["theta"] == {"p50": 7}


def test_a_run_without_a_key_that_is_younger_than_it_has_what_was_meant_then(tmp_path):
    run = Run.create(stdpnet.load_config("digits"), tmp_path / "run", "run", dataset_sha256="")
    config = run.path / "config.toml"
    assert Run.open(run.path).spec.dataset.subsets == "jittered"
    config.write_text(config.read_text().replace('subsets = "jittered"\n', ""))
    assert Run.open(run.path).spec.dataset.subsets == "ends"
