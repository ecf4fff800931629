import pickle
import signal
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import stdpnet
from stdpnet.errors import ConfigError, DataError, StopRequestedError

TINY = {"channels": 8, "kernel": 2, "stride": 2, "side": 4, "simulation.duration": 10.0, "neuron.v_thresh": -64.0}
"""Settings with which everything takes milliseconds."""
DIGITS = load_digits()
IMAGES = np.rint(DIGITS.images * (255 / 16)).astype(np.uint8)


def tiny(**changes):
    return stdpnet.STDPFeatures(**{**TINY, "random_state": 1, **changes})


UNLIKE_SCIKIT_LEARN = {
    "check_do_not_raise_errors_in_init_or_set_params": "it gives a parameter that does not exist, which is an error"
}


@parametrize_with_checks([tiny()], expected_failed_checks=lambda _: UNLIKE_SCIKIT_LEARN)
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # networks of the checks are silent, and say so
        check(estimator)


@pytest.fixture(scope="module")
def trained():
    return tiny().fit(IMAGES[:60])


def test_counts_are_those_of_the_network_in_place(trained):
    counts = trained.transform(IMAGES[:7])
    assert counts.shape == (7, 4 * 8)
    assert counts.dtype == np.uint16
    assert counts.any()
    names = trained.get_feature_names_out()
    assert names[0] == "position0_channel0"
    assert names[-1] == "position3_channel7"
    assert trained.facts_.units == len(names)


def test_fit_is_stdpnet_fit_on_the_resized_images():
    from stdpnet.data.transforms import fit_square

    features = tiny().fit(IMAGES[:60])
    small = np.stack([fit_square(image, 4) for image in IMAGES[:60]])
    assert features.spec_.training.images == 60
    assert stdpnet.fit(features.spec_, small).digest() == features.state_.digest()


def test_labels_change_nothing(trained):
    assert tiny().fit(IMAGES[:60], DIGITS.target[:60]).state_.digest() == trained.state_.digest()


def test_flat_rows_and_floats_of_the_same_grey_are_the_same_images(trained):
    expected = trained.transform(IMAGES[:9])
    flat = tiny().fit(IMAGES[:60].reshape(60, -1))
    assert np.array_equal(flat.transform(IMAGES[:9].reshape(9, -1)), expected)
    floats = tiny().fit(DIGITS.data[:60])  # 0.0 to 16.0
    assert floats.value_range_ == (0.0, 16.0)
    assert np.array_equal(floats.transform(DIGITS.data[:9]), expected)
    assert np.array_equal(floats.transform(DIGITS.images[:9].tolist()), expected)


def test_an_image_is_answered_alike_whatever_is_beside_it(trained):
    together = trained.transform(IMAGES[:20])
    assert np.array_equal(np.vstack([trained.transform(IMAGES[i : i + 1]) for i in range(20)]), together)
    assert np.array_equal(trained.transform(IMAGES[:20][::-1]), together[::-1])


def test_transform_leaves_the_state_as_it_is(trained):
    before = trained.state_.digest()
    trained.transform(IMAGES[:20])
    assert trained.state_.digest() == before


def test_values_outside_the_range_of_fit_are_clipped():
    features = tiny(value_range=(0, 16)).fit(DIGITS.data[:60])
    beyond = np.where(DIGITS.data[:5] == 16, 99.0, DIGITS.data[:5])
    assert np.array_equal(features.transform(beyond), features.transform(DIGITS.data[:5]))


def test_partial_fit_goes_on_with_the_state():
    once = tiny().partial_fit(IMAGES[:60])
    twice = tiny().partial_fit(IMAGES[:25]).partial_fit(IMAGES[25:60])
    assert twice.state_.images == twice.state_.presentations == 60
    assert twice.state_.digest() == once.state_.digest()
    more = tiny().fit(IMAGES[:60])
    before, digest = more.state_, more.state_.digest()
    more.partial_fit(IMAGES[60:70])
    assert more.state_.images == 70
    assert before.digest() == digest != more.state_.digest()


def test_partial_fit_after_partial_fit_is_fit_in_the_seeded_order():
    from stdpnet.random import image_order

    fitted = tiny().fit(IMAGES[:60])
    order = image_order(fitted.spec_.seed, 60, 0, 60)
    assert tiny().partial_fit(IMAGES[:60][order]).state_.digest() == fitted.state_.digest()


def test_pickle_and_clone(trained):
    again = pickle.loads(pickle.dumps(trained))
    assert np.array_equal(again.transform(IMAGES[:9]), trained.transform(IMAGES[:9]))
    assert again.partial_fit(IMAGES[:5]).state_.images == 65
    copy = clone(trained)
    assert copy.get_params() == trained.get_params()
    assert not hasattr(copy, "state_")


def test_a_dotted_key_is_a_parameter():
    features = stdpnet.STDPFeatures(**{"plasticity.A_plus": 0.1})
    assert features.get_params()["plasticity.A_plus"] == 0.1
    assert "plasticity.A_plus=0.1" in repr(features)
    other = clone(features).set_params(**{"plasticity.A_plus": 0.2, "channels": 8, "plasticity.A_minus": 0.05})
    assert features.get_params()["plasticity.A_plus"] == 0.1
    assert other.get_params()["plasticity.A_minus"] == 0.05
    spec = other.set_params(**TINY).fit(IMAGES[:5]).spec_
    assert (spec.plasticity.A_plus, spec.plasticity.A_minus, spec.topology.channels) == (0.2, 0.05, 8)


def test_pipeline_and_grid_search_with_processes():
    pipeline = Pipeline([("features", tiny()), ("classifier", LogisticRegression(max_iter=200))])
    grid = {"features__plasticity.A_plus": [0.001, 0.1], "features__epochs": [1, 2]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise").fit(IMAGES[:80], DIGITS.target[:80])
    alone = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(IMAGES[:80], DIGITS.target[:80])
    scores = search.cv_results_["mean_test_score"]
    assert np.array_equal(scores, alone.cv_results_["mean_test_score"])
    assert len(set(scores)) > 1
    assert set(search.best_params_) == set(grid)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"plasticity.A_pluss": 1}, r"^plasticity\.A_pluss: unknown key; did you mean 'A_plus'\?"),
        ({"topology.channels": 3}, r"^topology\.channels: is the parameter channels here; give only that"),
        ({"dataset.crop": 20}, r"^dataset\.crop: is the parameter side here"),
        ({"epochs": 0}, r"^epochs: 0 is no whole number above 0"),
        ({"value_range": (1, 0)}, r"^value_range: \(1, 0\) is not \(black, white\)"),
        ({"config": "lcsnn-25-k21"}, r"^lcsnn-25-k21: neither a .toml file nor a preset; did you mean"),
        ({"kernel": 9}, r"^topology\.kernel: 9 is larger than the image"),
    ],
)
def test_a_wrong_parameter_is_a_sentence_when_it_is_used(changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        tiny(**changes).fit(IMAGES[:5])


def test_a_misspelt_parameter_is_refused_at_once():
    with pytest.raises(TypeError, match=r"^STDPFeatures: there is no parameter 'chanels'"):
        stdpnet.STDPFeatures(chanels=3)


def test_images_that_are_not_square_are_refused():
    with pytest.raises(DataError, match=r"^X: has the shape \(3, 4, 5\); give \(N, n, n\)"):
        tiny().fit(np.zeros((3, 4, 5)))


@pytest.mark.parametrize(
    ("parameters", "side"),
    [
        ({}, 20),
        ({"kernel": 24}, 24),
        ({"kernel": 12, "stride": 3}, 21),
        ({"architecture": "fully_connected"}, 20),
        ({"config": stdpnet.load_config("fcsnn-100")}, 20),
        ({"config": "csnn-100-k8", "side": 8}, 8),
    ],
)
def test_small_images_are_enlarged_until_the_receptive_fields_fit(parameters, side):
    features = stdpnet.STDPFeatures(**{"channels": 8, "simulation.duration": 10.0, **parameters})
    assert features.fit(IMAGES[:3]).spec_.geometry.side == side


def test_random_state_is_the_seed():
    assert tiny(random_state=None).fit(IMAGES[:3]).spec_.seed == 0
    assert tiny(random_state=7).fit(IMAGES[:3]).spec_.seed == 7
    seeds = {tiny(random_state=np.random.RandomState(n)).fit(IMAGES[:3]).spec_.seed for n in (0, 0, 1)}
    assert len(seeds) == 2


def test_an_interrupted_fit_keeps_what_was_learned(monkeypatch):
    def interrupted(spec, images, **_):
        error = StopRequestedError("stopped", signal.SIGINT)
        error.state = fit(spec.updated({"training.images": 20}), images)
        raise error

    fit = stdpnet.fit
    monkeypatch.setattr("stdpnet.fit", interrupted, raising=False)
    features = tiny()
    with pytest.raises(KeyboardInterrupt):  # as scikit-learn's searches expect: they go on after any other exception
        features.fit(IMAGES[:60])
    assert features.state_.images == 20
    assert features.transform(IMAGES[:5]).shape == (5, 32)
