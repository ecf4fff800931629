"""Trained networks for other software: every number is the run's, and every spike is the one that it answers with."""

import h5py
import numpy as np
import pytest

import stdpnet
from stdpnet.model import open_model
from stdpnet.random import Stream
from stdpnet.runs import Run
from stdpnet.spec.load import load_config

TINY = ["training.images=20", "topology.channels=4", "simulation.duration=50", "dataset.calibration=60"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return stdpnet.train(load_config("digits", [*TINY, "dataset.test=20"]), tmp_path_factory.mktemp("runs") / "run")


def test_numbers_and_configuration_come_back_from_an_npz_file(run, tmp_path, stdpnet_command):
    stdpnet_command("export", run.path, tmp_path / "network.npz")
    state, geometry = run.load_state(), run.spec.geometry
    with np.load(tmp_path / "network.npz") as file:
        assert set(file) == {*state.arrays, "pixels", "config"}
        for name, array in state.arrays.items():
            np.testing.assert_array_equal(file[name], array)
        (tmp_path / "network.toml").write_text(str(file["config"]))
        for position, pixels in enumerate(file["pixels"]):
            rows, columns = np.divmod(pixels, geometry.side)
            assert (rows.min(), columns.min()) == geometry.origin(position)
            assert len(set(pixels)) == geometry.fan_in
    assert load_config(str(tmp_path / "network.toml")) == run.spec


def test_spikes_in_a_sonata_file_are_those_of_the_answers(run, tmp_path, stdpnet_command):
    stdpnet_command("export", run.path, tmp_path / "spikes.h5", "--images", "5")
    test = stdpnet.load_dataset(run.spec.dataset).test
    answered = open_model(run.spec).respond(run.spec, run.load_state(), test, Stream.TEST).counts[:5]
    assert answered.sum() > 0
    with h5py.File(tmp_path / "spikes.h5") as file:
        assert file.attrs["magic"] == 0x0A7A
        for name, nodes in (("input", 20 * 20), ("neurons", answered.shape[1])):
            group = file[f"spikes/{name}"]
            times, ids = group["timestamps"][()], group["node_ids"][()]
            assert group["timestamps"].attrs["units"] == "milliseconds"
            assert h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)["by_time"] == group.attrs["sorting"]
            assert (np.diff(times) >= 0).all()
            assert ids.max() < nodes
        counts = np.zeros_like(answered)
        np.add.at(counts, ((times // run.spec.simulation.duration).astype(int), ids.astype(int)), 1)
        np.testing.assert_array_equal(counts, answered)


@pytest.mark.parametrize(
    ("file", "more", "sentence"),
    [
        ("network.mat", [], "FILE network.mat: '.mat' is unknown; choose among .npz, .h5, .nir"),
        ("spikes.h5", ["--images", "21"], "--images 21: the run's dataset has 20 test images; choose at most as many"),
        ("there.npz", [], "FILE there.npz: exists already and is never overwritten; choose another name"),
    ],
)
def test_wrong_files_are_one_sentence(run, tmp_path, monkeypatch, stdpnet_command, file, more, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.npz").touch()
    result = stdpnet_command("export", run.path, file, *more, code=2)
    assert sentence in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["there.npz"]


def test_other_models_export_their_arrays_only(tmp_path, stdpnet_command):
    spec = load_config("rate-conversion-digits", ["training.images=40", "dataset.test=20"])
    run = stdpnet.train(spec, tmp_path / "run")
    stdpnet_command("export", run.path, tmp_path / "network.npz")
    with np.load(tmp_path / "network.npz") as file:
        assert set(file) == {*Run.open(run.path).load_state().arrays, "config"}
    assert "has no spike times" in stdpnet_command("export", run.path, tmp_path / "spikes.h5", code=2).stderr
