import csv
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

import stdpnet
from stdpnet.data.registry import SETS
from stdpnet.model import open_model
from stdpnet.random import Stream
from stdpnet_analysis import evaluate
from stdpnet_analysis.prediction import predict
from stdpnet_analysis.readouts.linear import LinearReadout
from stdpnet_analysis.readouts.votes import VoteClassifier

TINY = ["training.images=40", "topology.channels=4", "simulation.duration=100", "dataset.calibration=60"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    spec = stdpnet.load_config("digits", [*TINY, "dataset.test=40"])
    return stdpnet.train(spec, tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def supervised(tmp_path_factory):
    spec = stdpnet.load_config("rate-conversion-digits", ["training.images=40", "dataset.test=40"])
    return stdpnet.train(spec, tmp_path_factory.mktemp("runs") / "run")


def whole_images(run, split):
    """Return images of a split as their source has them, not cropped."""
    return SETS[run.spec.dataset.name].read(run.spec.dataset).images[split.indices]


@pytest.mark.parametrize("readout", ["log_evidence", "linear", "all"])
def test_answers_are_those_of_the_readout_that_an_evaluation_calibrates(run, readout):
    dataset = stdpnet.load_dataset(run.spec.dataset)
    found = predict(run, dataset.test.images, readout=readout)
    state, model = run.load_state(), open_model(run.spec)
    known = model.respond(run.spec, state, dataset.calibration, Stream.CALIBRATE)
    asked = stdpnet.respond(run.spec, state, dataset.test.images)
    classifier = LinearReadout() if readout == "linear" else VoteClassifier(readout, 9)
    classifier.fit(known.counts, known.labels)
    np.testing.assert_array_equal(found.answers, classifier.predict(asked.counts))
    np.testing.assert_array_equal(found.spikes, asked.counts.sum(axis=1))
    if readout == "all":
        assert found.probabilities is None
    else:
        np.testing.assert_allclose(found.probabilities, classifier.predict_proba(asked.counts))


def test_calibration_responses_are_shared_with_evaluations(run):
    predict(run, np.zeros((1, 20, 20), np.uint8))
    kept = run.path / "responses/trained-calibration.h5"
    before = kept.stat().st_mtime_ns
    evaluate(run, baselines=False)
    assert kept.stat().st_mtime_ns == before


def test_a_black_image_has_no_answer(run, stdpnet_command, tmp_path):
    np.save(tmp_path / "black.npy", np.full((28, 28), 0.0))
    assert "no answer: no neuron spiked" in stdpnet_command("predict", run.path, "black.npy", "--readout", "all").stdout


def test_a_model_that_classifies_itself_answers_as_in_its_evaluation(supervised):
    split = stdpnet.load_dataset(supervised.spec.dataset).test
    found = predict(supervised, split.images)
    scores = evaluate(supervised, baselines=False)
    assert found.readout == "own"
    assert np.mean(found.answers == split.labels) == pytest.approx(scores["readouts"]["own"]["accuracy"], abs=0.15)


def test_files_of_every_kind_hold_the_same_images(run, stdpnet_command, tmp_path):
    split = stdpnet.load_dataset(run.spec.dataset).test.at(np.arange(3))
    images = whole_images(run, split)
    np.save(tmp_path / "images.npy", images)
    np.savez(tmp_path / "images.npz", X=images / np.float64(255))
    (tmp_path / "images-idx3-ubyte").write_bytes(struct.pack(">I3I", 0x803, *images.shape) + images.tobytes())
    for number, image in enumerate(images):
        Image.fromarray(255 - image).save(tmp_path / f"{number}.png")
    found = [
        json.loads(stdpnet_command("predict", run.path, *files, "--json").stdout)["images"]
        for files in (["images.npy"], ["images.npz"], ["images-idx3-ubyte"], ["--invert", "0.png", "1.png", "2.png"])
    ]
    expected = predict(run, split.images)
    for rows in found:
        assert [row["answer"] for row in rows] == [str(answer) for answer in expected.answers]
        assert [list(row["probabilities"].values()) for row in rows] == expected.probabilities.tolist()
    assert [row["image"] for row in found[0]] == ["images.npy[0]", "images.npy[1]", "images.npy[2]"]
    assert [row["image"] for row in found[3]] == ["0.png", "1.png", "2.png"]


def test_csv_has_a_row_for_each_image(run, stdpnet_command, tmp_path):
    np.save(tmp_path / "images.npy", np.full((2, 28, 28), 200, np.uint8))
    rows = list(csv.DictReader(io.StringIO(stdpnet_command("predict", run.path, "images.npy", "--csv").stdout)))
    assert [row["image"] for row in rows] == ["images.npy[0]", "images.npy[1]"]
    assert sum(float(rows[0][f"p:{digit}"]) for digit in range(10)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.png", None, "no such file"),
        ("damaged.png", b"no image", "not a readable PNG"),
        ("damaged.npy", b"\x93NUMPY", "not a readable .npy"),
        ("text.txt", b"7", "no known kind"),
        ("damaged-idx3-ubyte", b"\0\0\x08\x03", "header promises"),
        ("damaged-idx3-ubyte.gz", b"none", "unreadable as gzip"),
    ],
)
def test_a_bad_image_is_one_sentence(run, stdpnet_command, tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    seen = stdpnet_command("predict", run.path, name, code=2)
    assert sentence in seen.stderr
    assert name in seen.stderr
    assert seen.stderr.count("\n") == 1


def test_what_cannot_answer_is_one_sentence(run, stdpnet_command, tmp_path):
    np.save(tmp_path / "image.npy", np.full((28, 28), 200, np.uint8))
    ask = ("predict", run.path, "image.npy", "--readout")
    assert "choose among all, patch" in stdpnet_command(*ask, "votes", code=2).stderr
    assert "does not classify by itself" in stdpnet_command(*ask, "own", code=2).stderr
