"""Recordings of event cameras: in memory, from files, as pictures, and simulated."""

import numpy as np
import pytest

from stdpnet.data import saccades
from stdpnet.data.inspection import examine, spec_of
from stdpnet.data.recordings import read_bin, read_recordings
from stdpnet.data.registry import load_dataset
from stdpnet.errors import ConfigError, DataError
from stdpnet.events import Events
from stdpnet.spec.dataset import DatasetSpec

TYPE = [("x", "i2"), ("y", "i2"), ("t", "i8"), ("p", "i1")]


def structured(*events):
    return np.array(list(events), TYPE)


def five_bytes(*events):
    """Return events (x, y, t, p) as N-MNIST's files have them."""
    return b"".join(bytes([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255]) for x, y, t, p in events)


def random_recordings(count, side=10, seed=0):
    rng = np.random.default_rng(seed)
    recordings = []
    for size in rng.integers(5, 40, count):
        each = np.empty(size, TYPE)
        each["x"], each["y"] = rng.integers(side, size=(2, size))
        each["t"], each["p"] = np.sort(rng.integers(30_000, size=size)), rng.integers(2, size=size)
        recordings.append(each)
    return recordings


def same(events, recordings):
    """Return whether recordings have the events of structured arrays."""
    pairs = zip(events, recordings, strict=True)
    return all((a[name] == b[name]).all() and len(a) == len(b) for a, b in pairs for name in "xytp")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a folder as N-MNIST's, with four training and two test recordings of each of two classes."""
    root = tmp_path_factory.mktemp("n-mnist")
    for part, first, count in (("Train", 1, 4), ("Test", 9, 2)):
        for label in (0, 1):
            folder = root / part / str(label)
            folder.mkdir(parents=True)
            for number in range(first + label, first + label + 2 * count, 2):
                (folder / f"{number:05}.bin").write_bytes(five_bytes((number, 3, 1000 * number, 1), (4, 5, 70000, 0)))
    return root


def test_a_set_is_indexed_like_an_array():
    recordings = random_recordings(7)
    events = Events.of(recordings, (10, 10))
    assert len(events) == 7
    assert events.shape == (7, 10, 10)
    assert same(events, recordings)
    assert same(events[2:5], recordings[2:5])
    assert same(events[np.array([5, 0, 5])], [recordings[5], recordings[0], recordings[5]])
    assert same(events[np.arange(7) % 2 == 1], recordings[1::2])
    assert same(events[3:3], [])
    assert same(events[2:][1:3], recordings[3:5])


def test_events_that_a_shift_moves_out_are_lost():
    recordings, by = random_recordings(3, side=9), np.array([(2, -1), (0, 0), (-3, 9)])
    expected = []
    for each, (down, right) in zip(recordings, by, strict=True):
        moved = each.copy()
        moved["x"] += right
        moved["y"] += down
        expected.append(moved[np.all([(moved[name] >= 0) & (moved[name] < 9) for name in "xy"], axis=0)])
    assert same(Events.of(recordings, (9, 9)).shifted(by), expected)


def test_a_crop_keeps_the_events_of_the_centre():
    recordings = random_recordings(5, side=9)
    for side in (9, 6, 5):
        first = (9 - side) // 2
        expected = []
        for each in recordings:
            inside = np.all([(each[name] >= first) & (each[name] < first + side) for name in "xy"], axis=0)
            kept = each[inside].copy()
            kept["x"] -= first
            kept["y"] -= first
            expected.append(kept)
        assert same(Events.of(recordings, (9, 9)).cropped(side), expected)


def test_the_plane_of_a_camera_is_centred_in_a_square():
    events = Events.of([structured((0, 0, 0, 1), (7, 3, 5, 0))], (8, 4))
    assert events.side == 8
    assert (events[0]["x"].tolist(), events[0]["y"].tolist()) == ([0, 7], [2, 5])


def test_a_picture_counts_events():
    events = Events.of([structured((1, 0, 0, 1), (1, 0, 5, 0), (0, 1, 9, 1)), structured()], (2, 2))
    assert events.pictures().tolist() == [[[0, 255], [128, 0]], [[0, 0], [0, 0]]]


@pytest.mark.parametrize(
    ("recording", "pieces"),
    [
        (np.zeros((3, 4)), ("shape (3, 4)", "fields x, y, t and p")),
        (np.zeros(3, TYPE[:3]), ("fields x, y, t",)),
        (np.zeros(3, [*TYPE[:2], ("t", "f8"), TYPE[3]]), ("its t is float64", "microseconds")),
        (structured((10, 0, 0, 1)), ("its x goes from 10 to 10", "dataset.sensor")),
        (structured((0, -1, 0, 1)), ("its y goes from -1 to -1",)),
        (structured((0, 0, -5, 1)), ("its t goes from -5",)),
        (structured((0, 0, 2**40, 1)), (str(2**40), "from the beginning of the recording")),
        (structured((0, 0, 0, 2)), ("its p goes from 2 to 2", "1 for brighter")),
        (structured((0, 0, 9, 1), (0, 0, 8, 1)), ("event 1 is at 8 us, after one at 9 us", "sort")),
    ],
)
def test_a_damaged_recording_is_refused(recording, pieces, one_clear_error):
    with one_clear_error("recording 1", *pieces):
        Events.of([structured((0, 0, 0, 1)), recording], (10, 10))


def test_events_of_a_file_are_as_published(tmp_path):
    file = tmp_path / "00001.bin"
    file.write_bytes(five_bytes((33, 0, 0, 1), (0, 33, 2**23 - 1, 0)))
    events = Events.joined([read_bin(file, (34, 34))], 34)
    assert same(events, [structured((33, 0, 0, 1), (0, 33, 2**23 - 1, 0))])


def test_an_event_in_row_240_moves_the_clock_of_those_after_it(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(five_bytes((1, 2, 50, 1), (0, 240, 0, 0), (3, 4, 60, 0), (0, 240, 0, 1), (5, 6, 70, 1)))
    events = Events.joined([read_bin(file, (34, 34))], 34)
    assert same(events, [structured((1, 2, 50, 1), (3, 4, 60 + 2**13, 0), (5, 6, 70 + 2**14, 1))])


def test_damaged_files_are_refused(tmp_path, one_clear_error):
    file = tmp_path / "a.bin"
    file.write_bytes(five_bytes((1, 2, 3, 1))[:-1])
    with one_clear_error(file, "4 bytes"):
        read_bin(file, (34, 34))
    file.write_bytes(five_bytes((34, 2, 3, 1)))
    with one_clear_error(file, "column 34", "34 x 34", "dataset.sensor"):
        read_bin(file, (34, 34))
    with one_clear_error("b.bin", "cannot be read"):
        read_bin(tmp_path / "b.bin", (34, 34))


def test_a_published_folder_keeps_its_split_and_the_order_of_its_numbers(tree):
    spec = DatasetSpec(name="events", path=str(tree), calibration=2, crop=34, subsets="ends")
    data = load_dataset(spec)
    assert data.classes == ("0", "1")
    assert [len(data.split(name)) for name in ("train", "calibration", "test")] == [6, 2, 4]
    assert data.train.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert [each["x"][0] for each in data.train.events] == [1, 2, 3, 4, 5, 6]
    assert [each["x"][0] for each in data.test.events] == [9, 10, 11, 12]
    np.testing.assert_array_equal(data.train.images, data.train.events.pictures())
    assert data.train.at(np.array([3])).events[0]["t"].tolist() == [4000, 70000]
    cropped = load_dataset(spec.updated({"crop": 20}))
    assert cropped.sha256 != data.sha256
    assert cropped.train.events.shape == cropped.train.images.shape == (6, 20, 20)


def test_n_mnist_is_found_where_it_was_unpacked(tree, cache, monkeypatch, one_clear_error):
    with one_clear_error("n-mnist", cache / "n-mnist" / "Train", "www.garrickorchard.com", "STDPNET_DATA"):
        load_dataset(DatasetSpec(name="n-mnist"))
    monkeypatch.setenv("STDPNET_DATA", str(tree.parent))
    tree.rename(tree.parent / "n-mnist")
    try:
        data = load_dataset(DatasetSpec(name="n-mnist", calibration=2))
    finally:
        (tree.parent / "n-mnist").rename(tree)
    assert len(data.train) == 6


def test_an_event_that_moves_in_time_changes_the_digest(tmp_path):
    digests = set()
    for time in (5, 6):
        recordings = random_recordings(12)
        recordings[0]["t"][:] = time
        digests.add(load_dataset(written(tmp_path, recordings)).sha256)
    assert len(digests) == 2


def written(folder, recordings, **keys):
    """Return the description of an .npz file of recordings whose classes alternate."""
    offsets = np.cumsum([0, *map(len, recordings)])
    values = {"events": np.concatenate(recordings), "offsets": offsets, "y": np.arange(len(recordings)) % 2, **keys}
    np.savez(folder / "events.npz", **values)
    return DatasetSpec(name="events", path=str(folder / "events.npz"), sensor=(10, 10), crop=10)


def test_an_npz_file_has_all_recordings_in_a_row(tmp_path):
    recordings = random_recordings(12)
    data = load_dataset(written(tmp_path, recordings))
    assert sum(len(data.split(name)) for name in ("train", "calibration", "test")) == 12
    assert same(data.train.events, [recordings[number] for number in data.train.indices])
    assert (data.train.labels == data.train.indices % 2).all()


@pytest.mark.parametrize(
    ("keys", "pieces"),
    [
        ({"offsets": np.zeros(13)}, ("offsets is float64",)),
        ({"offsets": np.arange(13)}, ("offsets go from 0 to 12", "rise from 0 to the number of events")),
        ({"y": np.arange(3)}, ("12 recordings and y 3 labels",)),
        ({"events": np.zeros((4, 4))}, ("has the shape (4, 4)",)),
    ],
)
def test_a_wrong_npz_file_is_refused(tmp_path, keys, pieces, one_clear_error):
    with one_clear_error("events.npz", *pieces):
        load_dataset(written(tmp_path, random_recordings(12), **keys))


def test_class_folders_may_hold_structured_arrays(tmp_path, one_clear_error):
    recordings = random_recordings(12)
    for number, recording in enumerate(recordings):
        folder = tmp_path / "set" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{number}.npy", recording)
    spec = spec_of(str(tmp_path / "set"), sensor=(10, 10), crop=10)
    assert spec.name == "events"
    data = load_dataset(spec)
    assert data.classes == ("a", "b")
    assert same(data.train.events, [recordings[number] for number in data.train.indices])
    (folder / "notes.txt").write_text("")
    with one_clear_error("notes.txt", "not a recording"):
        load_dataset(spec)


def test_train_and_test_have_the_same_classes(tree, tmp_path, one_clear_error):
    for part, label in (("Train", "0"), ("Test", "1")):
        (tmp_path / part / label).mkdir(parents=True)
        (tmp_path / part / label / "1.bin").write_bytes(b"")
    with one_clear_error("Test", "class folders 1", "give both the same"):
        load_dataset(DatasetSpec(name="events", path=str(tmp_path)))


@pytest.mark.parametrize(
    ("keys", "piece"),
    [
        ({"resize": 20}, "dataset.crop"),
        ({"invert": True}, "encoder.polarity"),
        ({"distortion": {"noise": 0.1}}, "for images"),
    ],
)
def test_what_is_done_to_pictures_is_refused(keys, piece):
    with pytest.raises(ConfigError, match=rf"^{next(iter(keys))}: .*recordings of events.*{piece}"):
        DatasetSpec(name="events", path="events.npz", **keys)


def test_only_recordings_have_a_sensor():
    with pytest.raises(ConfigError, match=r"sensor: .*mnist"):
        DatasetSpec(sensor=(128, 128))
    assert DatasetSpec(name="events", path="a", sensor=(240, 180)).whole_side == 240
    for wrong in ([3], 34, "large"):
        with pytest.raises(ConfigError, match=r"^sensor: .* is not a width and a height; give two numbers"):
            DatasetSpec(name="events", path="a", sensor=wrong)
    with pytest.raises(ConfigError, match=r"^sensor.0: .*greater than or equal to 1"):
        DatasetSpec(name="events", path="a", sensor=[0, 5])


def test_single_files_are_read_as_those_of_a_set(tmp_path, one_clear_error):
    recordings = random_recordings(3)
    spec = written(tmp_path, recordings).updated({"crop": 6})
    np.save(tmp_path / "a.npy", recordings[1])
    names, events = read_recordings([tmp_path / "a.npy", tmp_path / "events.npz"], spec)
    assert names == [f"{tmp_path}/a.npy", *(f"{tmp_path}/events.npz[{number}]" for number in range(3))]
    shown = Events.of([recordings[1], *recordings], (10, 10)).cropped(6)
    assert same(events, list(shown))
    with one_clear_error("a.png", "no such file"):
        read_recordings(["a.png"], spec)
    with one_clear_error("there are none"):
        read_recordings([], spec)


def test_check_says_how_recordings_are_read(tree):
    found = examine(spec_of(str(tree), calibration=2, crop=34))
    assert any("34 x 34 pixels (width and height)" in each.message for each in found if each.kind == "note")


def test_a_simulated_camera_sees_edges_move():
    images = np.zeros((2, 12, 12), np.uint8)
    images[1, 4:8, 4:8] = 224  # the highest level: it is reached at the end of a part
    events = saccades(images)
    assert len(events[0]) == 0
    seen = events[1]
    assert (np.diff(seen["t"].astype(int)) >= 0).all()
    assert seen["t"].max() < 300_000
    # the image ends where it began: as many levels were passed upwards as downwards, at each pixel
    pixels = seen["y"].astype(int) * 12 + seen["x"]
    balance = np.bincount(pixels, np.where(seen["p"], 1, -1), minlength=144)
    assert not balance.any()
    first = seen[(seen["t"] < 100_000) & (seen["y"] == 6)]  # the image moves to the right: ink comes in on the right
    assert first["p"][first["x"] == first["x"].max()].all()
    assert not first["p"][first["x"] == first["x"].min()].any()
    assert len(seen[(seen["x"] == 5) & (seen["y"] == 5)]) == 0, "nothing changes within the square"


def test_the_simulated_digits_are_a_set(stdpnet_command):
    data = load_dataset(DatasetSpec(name="digits-events", crop=24))
    assert len(data.train) == 1079
    assert data.train.images.shape == (1079, 24, 24)
    assert "mean events" in stdpnet_command("data", "info", "digits-events", "--crop", "24").stdout
    assert "digits-events" in stdpnet_command("data", "list").stdout


def test_events_are_refused_where_they_are_no_recordings():
    with pytest.raises(DataError, match=r"dataset.crop: 11 is larger"):
        Events.of(random_recordings(2), (10, 10)).cropped(11)
