"""Features of image patches: what they learn, how they answer, and every command on their runs."""

import json
import signal
import time

import numpy as np
import pytest

import stdpnet
from stdpnet.api import as_split
from stdpnet.baselines.features.kinds import features_of
from stdpnet.baselines.features.patches import patches
from stdpnet.errors import RunError
from stdpnet.model import facts_of, open_model
from stdpnet.runs import Run
from stdpnet_analysis.report import content
from stdpnet_analysis.report.content import changed_keys
from tests.models.cases import features, images, labels
from tests.processes import Program


def cut(spec, pictures):
    return patches(pictures, spec.geometry, spec.features)


def test_patches_are_those_of_the_geometry():
    spec, pictures = features("kmeans", features={"normalise": False}), images(3)
    found = cut(spec, pictures)
    assert found.shape == (3, 4, 16)
    for position in range(4):
        row, column = spec.geometry.origin(position)
        expected = pictures[2, row : row + 4, column : column + 4].reshape(-1) / 255 / 4
        np.testing.assert_allclose(found[2, position], expected)


def test_a_normalised_patch_does_not_depend_on_brightness_and_hardly_on_contrast():
    spec = features("kmeans", features={"contrast": 1e-6})
    pictures = images(3) // 4
    np.testing.assert_allclose(cut(spec, pictures), cut(spec, 3 * pictures + 20), atol=1e-6)
    np.testing.assert_allclose(np.square(cut(spec, pictures)).sum(axis=2), 1, rtol=1e-6)
    assert not cut(features("kmeans"), np.full((1, 6, 6), 9, np.uint8)).any()


def naive_kmeans(points, channels):
    """MacQueen 1967: the first different points are the centroids; later ones move the nearest to its mean."""
    centroids, members = [], []
    for point in points:
        distances = [np.linalg.norm(point - centroid) for centroid in centroids]
        if len(centroids) < channels and min(distances, default=np.inf) > 1e-6:
            centroids.append(point)
            members.append([point])
        else:
            nearest = int(np.argmin(distances))
            members[nearest].append(point)
            centroids[nearest] = np.mean(members[nearest], axis=0)
    return np.array(centroids)


@pytest.mark.parametrize("architecture", ["locally_connected", "convolutional"])
def test_centroids_are_the_means_of_what_they_win(architecture):
    spec = features("kmeans", architecture, training={"images": 0})
    learner = open_model(spec).learner(spec, pair(), open_model(spec).initial(spec))
    pictures = np.concatenate([images(2)[:1], images(30)])  # the first one twice
    learner.show(pictures)
    found, state = cut(spec, pictures), learner.state
    for place in range(spec.geometry.weight_sets):
        points = found[:, place] if architecture == "locally_connected" else found.reshape(-1, 16)
        np.testing.assert_allclose(state.arrays["centroids"][place].T, naive_kmeans(points, 5), atol=1e-12)
    assert state.arrays["wins"].sum() == 31 * 4


def pair():
    return as_split(images(2))


def test_the_triangle_activation_is_what_a_centroid_is_nearer_than_the_mean():
    spec = features("kmeans")
    state = stdpnet.fit(spec.updated({"training.images": 30}), images())
    answered = features_of(spec).responses(spec, state.arrays)(cut(spec, images(4, seed=1)))
    found = cut(spec, images(4, seed=1))
    distances = np.linalg.norm(found[:, :, :, np.newaxis] - state.arrays["centroids"], axis=2)
    np.testing.assert_allclose(answered, np.maximum(distances.mean(axis=2, keepdims=True) - distances, 0), atol=1e-7)
    counts = stdpnet.respond(spec, state, images(4, seed=1)).counts
    np.testing.assert_array_equal(counts, np.rint(1000 * answered).reshape(4, -1))


@pytest.mark.parametrize("architecture", ["locally_connected", "convolutional"])
def test_principal_components_are_those_of_all_patches(architecture):
    spec = features("pca", architecture, training={"images": 40})
    pictures = images(40)
    state = stdpnet.fit(spec, pictures)
    found = cut(spec, pictures)
    for place in range(spec.geometry.weight_sets):
        points = found[:, place] if architecture == "locally_connected" else found.reshape(-1, 16)
        np.testing.assert_allclose(state.arrays["mean"][place], points.mean(axis=0), atol=1e-12)
        covariance = state.arrays["scatter"][place] / len(points)
        np.testing.assert_allclose(covariance, np.cov(points.T, bias=True), atol=1e-8)
    answered = features_of(spec).responses(spec, state.arrays)(found)
    on, off = answered[:, :, :3], answered[:, :, 3:]
    assert not (on[:, :, :2] * off).any()  # five units: three components, the last without an off unit
    if architecture == "locally_connected":
        variance = np.square(on[:, :, :2] - off).mean(axis=0)
        largest = np.linalg.eigvalsh(np.cov(found[:, 0].T, bias=True))[::-1][:2]
        np.testing.assert_allclose(variance[0], largest, rtol=1e-6)
        white = features("pca", features={"whiten": True}, training={"images": 40})
        answered = features_of(white).responses(white, state.arrays)(found)
        variance = np.square(answered[:, :, :2] - answered[:, :, 3:]).mean(axis=0)
        np.testing.assert_allclose(variance, 1 / 16, rtol=1e-6)


def test_winners_are_the_largest_of_each_position():
    spec = features("kmeans", training={"images": 30})
    state = stdpnet.fit(spec, images())
    everything = stdpnet.respond(spec, state, images(5)).counts.reshape(5, 4, 5)
    few = stdpnet.respond(spec.updated({"features.winners": 2}), state, images(5)).counts.reshape(5, 4, 5)
    assert (np.count_nonzero(few, axis=2) <= 2).all()
    np.testing.assert_array_equal(few.max(axis=2), everything.max(axis=2))


def test_counts_are_limited_to_16_bits():
    spec = features("random", features={"gain": 1e9})
    assert stdpnet.respond(spec, open_model(spec).initial(spec), images(2)).counts.max() == 65535


def test_more_units_than_components_are_refused():
    with pytest.raises(stdpnet.ConfigError, match=r"topology\.channels: .*got 33, choose at most 32"):
        features("pca", topology={"channels": 33})


def test_blank_images_teach_nothing_and_leave_units_without_a_patch():
    spec = features("kmeans", training={"images": 40}, progress={"every": 40})
    with pytest.warns(UserWarning, match="dead units"):
        stdpnet.fit(spec, np.zeros((40, 6, 6), np.uint8))
    with pytest.warns(UserWarning, match="nothing learned"):
        stdpnet.fit(features("pca", training={"images": 40}, progress={"every": 40}), np.zeros((40, 6, 6), np.uint8))


@pytest.mark.parametrize(
    ("kind", "architecture", "label"),
    [
        ("kmeans", "locally_connected", "k-means 5/4"),
        ("pca", "convolutional", "PCA shared 5/4"),
        ("random", "fully_connected", "random features global 5"),
    ],
)
def test_a_label_says_the_kind(kind, architecture, label):
    assert facts_of(features(kind, architecture)).label == label


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two evaluated runs of features, and where they are."""
    folder = tmp_path_factory.mktemp("features")
    np.savez(folder / "noise.npz", X=images(200) // 2 + 60 * labels(200)[:, None, None].astype(np.uint8), y=labels(200))
    return folder


def train_arguments(folder, name, kind):
    keys = {
        "dataset.name": "npz",
        "dataset.path": folder / "noise.npz",
        "dataset.resize": 6,
        "dataset.crop": 6,
        "dataset.validation": 20,
        "topology.kernel": 4,
        "topology.stride": 2,
        "topology.channels": 6,
        "features.kind": kind,
        "training.images": 100,
        "progress.every": 50,
        "curve.every": 50,
        "curve.validation": 20,
    }
    return [
        "train",
        "features-digits",
        "--run",
        name,
        *(part for k, v in keys.items() for part in ("--set", f"{k}={v}")),
    ]


def test_every_command_works_on_a_run_of_features(runs, stdpnet_command, tmp_path, monkeypatch):
    for name, kind in (("centroids", "kmeans"), ("components", "pca")):
        assert "with features" in stdpnet_command(*train_arguments(runs, name, kind)).stdout
        assert "counts per image" in stdpnet_command("evaluate", name).stdout
    said = stdpnet_command("info", "centroids").stdout
    assert "k-means 6/4" in said
    assert not any(word in said for word in ("competition", "engine", "dtype"))
    assert "k-means 6/4" in stdpnet_command("runs").stdout
    assert "dead units" in stdpnet_command("watch", "centroids", "--once").stdout
    rows = json.loads(stdpnet_command("compare", "centroids", "components", "--json").stdout)["groups"]
    assert {row["spikes_per_image"]["mean"] if row["spikes_per_image"] else None for row in rows} == {None}
    drawn = stdpnet_command("figures", "centroids", "--dpi", "50").stdout
    for name in ("votes", "confusion", "class-accuracy", "channels-kept", "learning-curve", "progress"):
        assert f"{name}.png" in drawn
    assert "receptive-fields.png" not in drawn
    for arguments in (("membrane",), ("receptive-fields",), ("plasticity-window",), ("--neuron", "3")):
        error = stdpnet_command("figures", "centroids", *arguments, code=2).stderr
        assert "needs a network with model = 'stdp', and this one is 'features'" in error
        assert error.count("\n") == 1
    monkeypatch.setattr(content, "planned_figures", lambda view: ["votes"])  # the others are drawn above
    stdpnet_command("report", "centroids", "components")
    page = (tmp_path / "runs" / "report.html").read_text()
    assert "k-means 6/4" in page
    assert "PCA 6/4" in page
    assert "by the linear read-out" in page
    assert "needs a network with model" in page
    stdpnet_command("resume", "components", "--images", "120")


@pytest.mark.parametrize("arguments", [("verify",), ("benchmark",), ("train", "--engine", "brian2")])
def test_what_needs_spikes_says_so(arguments, stdpnet_command):
    command, *options = arguments
    error = stdpnet_command(command, "features-digits", *options, code=2).stderr
    assert "needs a network with model = 'stdp', and this one is 'features'" in error


def test_features_can_be_searched(runs, stdpnet_command, tmp_path):
    arguments = train_arguments(runs, "unused", "kmeans")
    keys = [part for part in arguments if "=" in part and "curve" not in part]
    (tmp_path / "study.toml").write_text(
        f"""
[base]
config = "features-digits"
set = {json.dumps(keys)}
[space.features]
kind = {{ choices = ["random", "kmeans", "pca"] }}
[sampler]
kind = "grid"
[budget]
trials = 3
"""
    )
    stdpnet_command("sweep", "study.toml", "--workers", "1")
    assert len(list((tmp_path / "runs" / "sweep-study" / "trials").iterdir())) == 3


def test_a_killed_job_goes_on_byte_for_byte(held, tmp_path):
    keys = ["training.images=500", "checkpoint.every=50", "features.kind=kmeans"]
    options = [part for key in keys for part in ("--set", key)]

    def start(*arguments):
        return Program(["stdpnet", *arguments], tmp_path)

    def images_of(name):
        try:
            return Run.open(tmp_path / "runs" / name).images
        except RunError:
            return 0

    commands = (["train", "features-digits", "--run", "killed", *options], ["resume", "killed"])
    for arguments, number in zip(commands, (signal.SIGKILL, signal.SIGTERM), strict=True):
        process, before = start(*arguments), images_of("killed")
        while process.poll() is None and images_of("killed") <= before:
            time.sleep(0.02)
        process.send_signal(number)
        if number == signal.SIGTERM:
            held.unlink()
        process.wait(60)
    assert 0 < images_of("killed") < 500
    assert start("resume", "killed").wait(120) == 0
    assert start("train", "features-digits", "--run", "straight", *options).wait(120) == 0
    one, other = (Run.open(tmp_path / "runs" / name).load_state() for name in ("straight", "killed"))
    assert one.digest() == other.digest()
    assert one.images == other.images == 500


def test_a_report_names_the_model_and_the_kind_of_features():
    rows = {key: value for key, value, _ in changed_keys(features("kmeans"))}
    assert (rows["model"], rows["features.kind"]) == ("features", "kmeans")
