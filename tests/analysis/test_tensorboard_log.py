"""The TensorBoard log, read back: every row once, whatever interrupts the job, in every model."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

import stdpnet
from stdpnet.errors import RunError
from stdpnet.runs import Run

pytest.importorskip("tensorboardX", reason="needs the extra: pip install 'stdpnet[tensorboard]'")

from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import masked_crc32c

pytestmark = pytest.mark.filterwarnings("ignore:.* at image")
KEYS = {
    "training.images": 60,
    "topology.channels": 4,
    "simulation.duration": 25,
    "progress.every": 20,
    "progress.tensorboard": True,
    "checkpoint.every": 30,
    "dataset.validation": 60,
    "curve.every": 30,
    "curve.calibration": 60,
    "curve.validation": 60,
    "curve.readout": "all",
    "evaluation.readouts": "all",
}
OTHERS = {
    "features-digits": {"topology.channels": 4},
    "rate-conversion-digits": {"network.hidden": 4},
    "bptt-digits": {"network.hidden": 4, "simulation.steps": 10},
    "colanet-digits": {},
}


def events(run):
    """Return the events of a run as any reader of the format finds them."""
    found = []
    for path in sorted((run.path / "tensorboard").iterdir()):
        content = path.read_bytes()
        while content:
            length, check = struct.unpack("<QI", content[:12])
            assert check == masked_crc32c(content[:8])
            assert struct.unpack("<I", content[12 + length : 16 + length])[0] == masked_crc32c(
                content[12 : 12 + length]
            )
            found.append(Event.FromString(content[12 : 12 + length]))
            content = content[16 + length :]
    return found


def values(run, tag):
    """Return (step, value) of a tag."""
    return [(event.step, value) for event in events(run) for value in event.summary.value if value.tag == tag]


def scalars(run, tag):
    return [(step, value.simple_value) for step, value in values(run, tag)]


class Stop:
    """An observer that fails at an image, before the log is written there."""

    def __init__(self, at):
        self.every, self.at = 0, at

    def begin(self, job):
        """Begin."""

    def handle(self, job):
        """Fail as a process does that is killed: no checkpoint."""
        if job.images == self.at:
            job._saved_images = job.images
            raise OSError("killed")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return stdpnet.train(stdpnet.load_config("digits", KEYS), tmp_path_factory.mktemp("logged") / "run")


def test_every_row_is_there_with_its_numbers(run):
    rows = run.rows("progress")
    assert [row["images"] for row in rows] == [20, 40, 60]
    for tag, key in (("progress/spikes_per_image", "spikes_per_image"), ("progress/images_per_s", "images_per_s")):
        assert scalars(run, tag) == [(row["images"], np.float32(row[key])) for row in rows]
    assert scalars(run, "theta/p50") == [(row["images"], np.float32(row["theta"]["p50"])) for row in rows]
    assert scalars(run, "health/findings") == [(row["images"], len(row["health"])) for row in rows]
    named = [(step, value.tensor.string_val[0].decode()) for step, value in values(run, "health/names/text_summary")]
    assert named == [(row["images"], ", ".join(row["health"])) for row in rows if row["health"]]
    assert named
    curve = [(row["images"], np.float32(row["accuracy"]["all"])) for row in run.rows("curve")]
    assert scalars(run, "accuracy/all") == curve
    assert [step for step, _ in curve] == [0, 30, 60]


def test_histograms_and_the_picture_are_those_of_the_state(run):
    state = run.load_state()
    for name in ("weights", "theta"):
        step, value = values(run, name)[-1]
        assert (step, value.histo.num, sum(value.histo.bucket)) == (
            60,
            state.arrays[name].size,
            state.arrays[name].size,
        )
        assert value.histo.max == state.arrays[name].max()
        assert value.histo.sum == pytest.approx(state.arrays[name].sum(), rel=1e-5)
    step, value = values(run, "receptive_fields")[-1]
    picture = np.asarray(Image.open(io.BytesIO(value.image.encoded_image_string)))[..., 0]
    weights = state.arrays["weights"]  # (9, 144, 4): the first panel begins with the first field of the first position
    expected = 255 * weights[0, :, 0].reshape(12, 12) / weights.max()
    np.testing.assert_allclose(picture[:12, :12], expected, atol=1)


def test_a_learned_competition_has_a_histogram_without_its_diagonal(tmp_path):
    keys = {"competition.rule": "anti_stdp", "training.images": 20, "curve.every": 0}
    learned = stdpnet.train(stdpnet.load_config("digits", {**KEYS, **keys}), tmp_path / "run")
    assert values(learned, "competition")[-1][1].histo.num == 9 * 4 * 3
    assert scalars(learned, "competition/mean")[-1][0] == 20


@pytest.mark.parametrize("at", [20, 30, 40, 60])
def test_a_job_that_was_killed_has_each_row_once_when_it_is_done(run, tmp_path, monkeypatch, at):
    monkeypatch.setattr("stdpnet.training.job.Job._rescue", lambda *_: None)
    with pytest.raises(OSError, match="killed"):
        stdpnet.train(stdpnet.load_config("digits", KEYS), tmp_path / "run", observers=[Stop(at)])
    last = sorted((tmp_path / "run" / "tensorboard").iterdir())[-1]
    last.write_bytes(last.read_bytes() + b"torn")
    again = stdpnet.resume(Run.open(tmp_path / "run"))
    for tag in ("progress/spikes_per_image", "theta/p50", "accuracy/all"):
        assert scalars(again, tag) == scalars(run, tag)
    for tag in ("weights", "receptive_fields", "configuration/text_summary"):
        assert [(step, value.histo, value.image) for step, value in values(again, tag)] == [
            (step, value.histo, value.image) for step, value in values(run, tag)
        ]
    begins = [event.step for event in events(again) if event.session_log.status == SessionLog.START]
    assert len(begins) == 2


def test_a_log_that_begins_late_has_the_rows_before_it_and_goes_on_with_a_new_goal(run, tmp_path):
    made = stdpnet.train(stdpnet.load_config("digits", {**KEYS, "progress.tensorboard": False}), tmp_path / "run")
    assert not (made.path / "tensorboard").exists()
    config = made.path / "config.toml"
    config.write_text(config.read_text().replace("tensorboard = false", "tensorboard = true"))
    longer = stdpnet.resume(Run.open(made.path), images=80)
    assert [step for step, _ in scalars(longer, "theta/p50")] == [20, 40, 60, 80]
    assert scalars(longer, "accuracy/all")[:3] == scalars(run, "accuracy/all")
    assert [step for step, _ in values(longer, "weights")] == [80]


@pytest.mark.parametrize("name", OTHERS)
def test_every_model_has_its_log(tmp_path, name):
    keys = {"training.images": 64, "progress.every": 32, "progress.tensorboard": True, **OTHERS[name]}
    made = stdpnet.train(stdpnet.load_config(name, keys), tmp_path / "run")
    rows = made.rows("progress")
    assert scalars(made, "progress/weight_change") == [
        (row["images"], np.float32(row["weight_change"])) for row in rows
    ]
    assert [step for step, _ in values(made, "receptive_fields")] == [row["images"] for row in rows]
    tags = {value.tag for event in events(made) for value in event.summary.value if value.HasField("histo")}
    assert tags
    assert not any("gradient" in tag for tag in tags)


def test_a_model_without_receptive_fields_says_so(tmp_path):
    keys = {"topology.channels": 4, "features.kind": "pca", "training.images": 40, "progress.tensorboard": True}
    made = stdpnet.train(stdpnet.load_config("features-digits", keys), tmp_path / "run")
    ((_, value),) = values(made, "receptive_fields/text_summary")
    assert value.tensor.string_val == [b"PCA 4/12 keeps no receptive fields that could be shown."]
    assert not values(made, "receptive_fields")


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stdpnet_analysis.tensorboard_log._record", full)
    with pytest.raises(RunError, match=r"tensorboard/events.out.tfevents.000001: cannot be written \(No space left"):
        stdpnet.train(stdpnet.load_config("digits", KEYS), tmp_path / "run")
