"""What networks that learn from labels share: the optimiser, and batches that depend on nobody's division of images."""

import numpy as np
import pytest

from stdpnet.api import as_split
from stdpnet.baselines.supervised.facts import labels_used
from stdpnet.baselines.supervised.learner import Batch, SupervisedLearner, initial_state
from stdpnet.baselines.supervised.optimiser import moments, update
from stdpnet.baselines.supervised.spec import OptimiserSpec, SupervisedTrainingSpec
from stdpnet.data import load_dataset
from stdpnet.errors import ConfigError, DataError
from stdpnet.random import image_order
from stdpnet.spec.experiment import Experiment
from tests.models.cases import images, labels


class Linear(Experiment):
    training: SupervisedTrainingSpec = SupervisedTrainingSpec(classes=2, batch=4, images=30)
    optimiser: OptimiserSpec = OptimiserSpec()


class Means:
    """A network of one weight: the gradient is the mean brightness of the batch times its labels."""

    def __init__(self):
        self.sums = {"bright": np.zeros(2)}

    def batch(self, arrays, pictures, classes, first):
        bright = pictures.mean(axis=(1, 2)) / 255
        gradient = np.array([np.mean(bright * (classes - 0.4)), first])
        return Batch({"weights": gradient}, loss=float(bright.mean()), correct=3, sums={"bright": gradient})

    def row(self, interval):
        return {"bright": float(interval["bright"].sum())}

    def findings(self, row):
        return []


def learner(**changes):
    spec = Linear(dataset={"crop": 6}).updated(changes)
    state = initial_state(spec, Means(), {"weights": np.array([0.5, 0.0])})
    return SupervisedLearner(spec, as_split(images(), labels()), state, Means())


def naive_adam(weight, gradients, rate, beta_1, beta_2, epsilon):
    mean = square = 0.0
    for t, gradient in enumerate(gradients, start=1):
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient**2
        weight -= rate * (mean / (1 - beta_1**t)) / ((square / (1 - beta_2**t)) ** 0.5 + epsilon)
    return weight


def test_adam_is_the_published_recurrence():
    spec = OptimiserSpec(learning_rate=0.1, beta_1=0.8, beta_2=0.95)
    gradients = np.random.default_rng(0).normal(size=(7, 3))
    arrays = {"weights": np.array([0.3, -0.2, 1.0])}
    expected = [naive_adam(w, g, 0.1, 0.8, 0.95, 1e-8) for w, g in zip(arrays["weights"], gradients.T, strict=True)]
    arrays |= moments(spec, arrays)
    for number, gradient in enumerate(gradients, start=1):
        update(spec, arrays, {"weights": gradient}, number)
    np.testing.assert_allclose(arrays["weights"], expected, rtol=1e-12)


def test_gradient_descent_goes_down_a_clipped_gradient():
    spec = OptimiserSpec(kind="sgd", learning_rate=0.5, clip=1.0)
    arrays = {"weights": np.zeros(3)}
    assert moments(spec, arrays) == {}
    update(spec, arrays, {"weights": np.array([0.2, 3.0, -4.0])}, 1)
    np.testing.assert_allclose(arrays["weights"], [-0.1, -0.5, 0.5])


def test_an_update_is_made_of_a_full_batch_in_the_seeded_order():
    trained = learner(**{"optimiser.kind": "sgd", "optimiser.learning_rate": 1.0})
    while trained.advance(5):
        pass
    shown = image_order(0, 40, 0, 30)
    weight = 0.5
    for first in range(0, 28, 4):
        batch = shown[first : first + 4]
        weight -= np.mean(images()[batch].mean(axis=(1, 2)) / 255 * (labels()[batch] - 0.4))
    np.testing.assert_allclose(trained.state.arrays["weights"], [weight, -sum(range(0, 28, 4))])
    np.testing.assert_array_equal(trained.state.arrays["waiting_labels"][:2], labels()[shown[28:]])
    row = trained.row()
    assert (row["updates"], row["images"], row["training_accuracy"]) == (7, 30, 0.75)
    trained.begin_interval()
    assert (trained.row()["loss"], trained.row()["bright"], trained.row()["weight_change"]) == (None, 0.0, 0.0)


def test_labels_are_needed_and_their_number_is_checked():
    with pytest.raises(DataError, match="labels: this model learns from them"):
        learner().show(images(3))
    with pytest.raises(DataError, match="labels: this model learns from them"):
        SupervisedLearner(Linear(), as_split(images()), learner().state, Means())
    for classes in (3, 10):
        with pytest.raises(ConfigError, match=r"training.classes: \d+, but .* 2 classes; set training.classes = 2"):
            learner(**{"training.classes": classes})
    with pytest.raises(ConfigError, match=r"image of class 2; set training.classes = 3"):
        learner().show(images(2), np.array([0, 2]))


def test_labels_are_counted_once():
    assert labels_used(Linear()) == 30
    many = {"training.images": 10**6}
    assert labels_used(Linear().updated(many)) == 50_000
    assert labels_used(Linear().updated(many | {"dataset.validation": 1000, "dataset.calibration": 500})) == 58_500
    assert labels_used(Linear().updated(many | {"training.pool": 200})) == 200
    digits = Linear().updated(many | {"dataset.name": "digits", "dataset.validation": 100})
    assert labels_used(digits) == len(load_dataset(digits.dataset).train)
    own = Linear().updated(many | {"dataset.name": "npz", "dataset.path": "x.npz"})
    assert labels_used(own) == 10**6
