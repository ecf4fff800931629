import json

import h5py
import numpy as np
import pytest

from stdpnet.errors import RunError
from stdpnet.network import initial_network
from stdpnet.runs import Responses, Run, TrainingState, network_digest
from tests.engines.networks import lively


@pytest.fixture
def run(tmp_path):
    return Run.create(lively(competition={"learned": True}), tmp_path / "run", "unused", dataset_sha256="abc")


def state_of(run, images=3):
    return TrainingState(initial_network(run.spec), images, images + 1)


def test_a_checkpoint_reads_back_bit_by_bit_and_the_previous_one_is_kept(run):
    first, second = state_of(run), state_of(run, 5)
    second.network.theta += 0.25
    run.save_state(first)
    run.save_state(second)
    loaded = run.load_state()
    assert (loaded.images, loaded.presentations) == (5, 6)
    assert loaded.network.changed_arrays(second.network) == []
    assert loaded.network.dtype == second.network.dtype
    with h5py.File(run.path / "checkpoint.previous.h5") as file:
        assert file.attrs["images"] == 3
        assert (file.attrs["format"], file.attrs["version"]) == ("stdpnet-checkpoint", 1)
    assert not [path for path in run.path.iterdir() if path.name.startswith(".")]


def test_theta_is_part_of_the_state(run):
    state = state_of(run)
    before = network_digest(state.network)
    state.network.theta[0, 0] += 1e-12
    assert network_digest(state.network) != before


def test_a_fixed_competition_reads_back_as_one_number(tmp_path):
    run = Run.create(lively(), tmp_path / "run", "unused")
    run.save_state(state_of(run))
    assert run.load_state().network.competition.shape == ()


def test_a_damaged_checkpoint_is_one_clear_error(run):
    run.save_state(state_of(run))
    path = run.path / "checkpoint.h5"
    whole = path.read_bytes()
    with h5py.File(path, "r+") as file:
        file["weights"][0, 0, 0] += 1
    with pytest.raises(RunError, match=r"checkpoint\.h5: damaged, its contents do not match their checksum"):
        run.load_state()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match=r"checkpoint\.h5: damaged, cannot be read"):
        run.load_state()


def test_a_file_of_a_later_format_is_refused(run):
    run.save_state(state_of(run))
    with h5py.File(run.path / "checkpoint.h5", "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(RunError, match="stdpnet-checkpoint 99, this stdpnet reads stdpnet-checkpoint 1"):
        run.load_state()


def test_a_run_without_a_checkpoint_says_so(run):
    with pytest.raises(RunError, match="has no checkpoint yet"):
        run.load_state()


def test_opening_what_is_no_run_says_so(tmp_path):
    with pytest.raises(RunError, match="no run here"):
        Run.open(tmp_path / "absent")


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


def test_a_torn_last_line_of_progress_is_left_out_and_a_bad_one_within_is_an_error(run):
    run.append_progress({"images": 1})
    run.append_progress({"images": 2})
    path = run.path / "progress.jsonl"
    path.write_text(path.read_text() + '{"images": 3')
    assert [row["images"] for row in run.read_progress()] == [1, 2]
    path.write_text('{"ima\n{"images": 2}\n')
    with pytest.raises(RunError, match="line 1 is not JSON"):
        run.read_progress()


def test_responses_are_kept_under_their_key(run):
    responses = Responses(np.arange(12, dtype=np.uint16).reshape(3, 4), np.arange(3), np.arange(3) + 100)
    run.save_responses("trained-test", responses, "key")
    loaded = run.load_responses("trained-test", "key")
    for name in ("counts", "labels", "indices"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(responses, name))
    assert loaded.counts.dtype == np.uint16
    assert run.load_responses("trained-test", "another key") is None
    assert run.load_responses("absent", "key") is None


def test_scores_of_test_and_validation_do_not_overwrite_each_other(run):
    assert run.load_scores() is None
    run.save_scores({"a": 1})
    run.save_scores({"a": 2}, "validation")
    assert (run.load_scores(), run.load_scores("validation")) == ({"a": 1}, {"a": 2})
    assert json.loads((run.path / "scores.json").read_text()) == {"a": 1}
