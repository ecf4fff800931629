"""A scikit-learn transformer: images in, spike counts of a network trained on them without labels out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

import stdpnet
from stdpnet.data import Split
from stdpnet.data.transforms import fit_square
from stdpnet.errors import ConfigError, DataError, HealthError, StopRequestedError
from stdpnet.model import facts_of, open_model
from stdpnet.random import Stream
from stdpnet.stdp.spec.experiment import STDPExperiment

TOPOLOGY = ("architecture", "channels", "kernel", "stride")
"""Parameters that are keys of the configuration's topology table."""
NUMBER_BYTES = 6
"""Bytes of the number under which an image is encoded: presentations have at most 48 bits."""


class STDPFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Spike counts of a network of spiking neurons that learns from images by STDP, without labels.

    Rows of X are square images, flattened or not: (N, n*n) or (N, n, n). A row of another length is filled up to the
    next square with black pixels. The counts of an image depend on the image and the trained network alone, not on the
    images beside it.

    The parameters below are those that are changed most. Every other key of a configuration is a parameter, too, under
    its dotted name: ``STDPFeatures(**{"plasticity.A_plus": 0.01})``, ``set_params(**{"plasticity.A_plus": 0.01})``, or
    in the grid of a GridSearchCV. `stdpnet config show NAME` explains all keys.

    Parameters
    ----------
    config : str, path or STDPExperiment
        Source of the other keys: a preset, a TOML file or an experiment. Its dataset and training.images are not
        used.
    architecture : {"locally_connected", "convolutional", "fully_connected"}, default as in config
        The connections between pixels and neurons.
    channels : int, default as in config
        Neurons at each position.
    kernel : int, default as in config
        Side of a receptive field, pixels.
    stride : int, default as in config
        Distance of neighbouring receptive fields, pixels.
    side : int or "auto"
        Side to which images are resized, pixels. auto: images smaller than the configuration's (dataset.crop) are
        enlarged to that, as its parameters suit receptive fields of a certain size; larger ones are kept, or
        enlarged to the next side that kernel and stride divide.
    value_range : (float, float) or "auto"
        Values of X that are black (0) and white (255); what lies outside is clipped. auto: 0 and 255 if `fit` sees
        uint8; else 0, or the smallest value if that is negative, and the largest value that `fit` sees.
    epochs : int
        How often `fit` shows each image; the key training.images, if given, is the number of images to show.
    engine : {"numba", "brian2"}, default as in config
        The simulation engine.
    random_state : int, RandomState or None
        Seed of the initial weights, the order of the images and the input spikes; None: the configuration's seed.
    n_jobs : int or None
        Threads that compute, as everywhere in scikit-learn: None is one, -1 all cores. Results do not depend on it.
    verbose : bool
        Whether `fit` shows its progress.
    **keys : further keys of the configuration, by dotted name

    Attributes
    ----------
    spec_ : STDPExperiment
        The whole configuration, with the geometry of the images.
    state_ : stdpnet.State
        The trained state: arrays `weights`, `theta` and `competition`.
    facts_ : stdpnet.model.Facts
        Numbers of neurons and synapses.
    value_range_ : (float, float)
        Values of X that are black and white.
    n_features_in_ : int
        Pixels of an image in X.

    Examples
    --------
    >>> import stdpnet
    >>> from sklearn.datasets import load_digits
    >>> X, _ = load_digits(return_X_y=True)
    >>> features = stdpnet.STDPFeatures("digits", channels=4, random_state=0)
    >>> features.fit(X[:20]).transform(X[20:25]).shape
    (5, 36)
    """

    def __init__(
        self,
        config: str | Path | STDPExperiment = "lcsnn-25-k12-steady",
        *,
        architecture: str | None = None,
        channels: int | None = None,
        kernel: int | None = None,
        stride: int | None = None,
        side: int | Literal["auto"] = "auto",
        value_range: tuple[float, float] | Literal["auto"] = "auto",
        epochs: int = 1,
        engine: str | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: bool = False,
        **keys: Any,
    ) -> None:
        # More than eight parameters: scikit-learn searches and clones only what the constructor takes by name.
        self.config = config
        self.architecture = architecture
        self.channels = channels
        self.kernel = kernel
        self.stride = stride
        self.side = side
        self.value_range = value_range
        self.epochs = epochs
        self.engine = engine
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        for key in keys:
            if "." not in key:
                raise TypeError(f"STDPFeatures: there is no parameter '{key}'; keys of a configuration have a dot")
        self._keys = keys

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, keys of the configuration among them."""
        return {**super().get_params(deep), **self._keys}

    def set_params(self, **params: Any) -> Self:
        """Set parameters; any key of the configuration is one."""
        super().set_params(**{name: value for name, value in params.items() if "." not in name})
        self._keys = self._keys | {name: value for name, value in params.items() if "." in name}
        return self

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Train a new network on images in seeded order; labels are not used.

        An interrupt ends the training at the next image boundary, by KeyboardInterrupt, which ends a grid search, too.
        The transformer then keeps what was learned until then.
        """
        images, threads = self._images(X, first=True), effective_n_jobs(self.n_jobs)
        try:
            self.state_ = stdpnet.fit(self.spec_, images, threads=threads, progress=bool(self.verbose))
        except StopRequestedError as error:
            self.state_ = error.state
            raise KeyboardInterrupt(str(error)) from None
        return self

    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Show further images once, in the order given; the first call makes the network, as `fit` does.

        Parameters that are changed afterwards, but n_jobs, have no effect before the next `fit`.
        """
        first = not hasattr(self, "state_")
        images = self._images(X, first=first)
        model = open_model(self.spec_)
        state = model.initial(self.spec_) if first else self.state_.copy()  # an exception leaves state_ as it is
        learner = model.learner(self.spec_, _split(images), state, threads=effective_n_jobs(self.n_jobs))
        learner.show(images)
        if not learner.state.is_finite:
            raise HealthError("STDPFeatures: weights or thresholds are not finite; lower plasticity.A_plus", fatal=True)
        self.state_ = learner.state.copy()
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.uint16]:
        """Return (N, units) the spikes of each neuron during each image; nothing is learned."""
        check_is_fitted(self, "state_")
        split, threads = _split(self._images(X, first=False)), effective_n_jobs(self.n_jobs)
        responses = open_model(self.spec_).respond(self.spec_, self.state_, split, Stream.TEST, threads=threads)
        return np.asarray(responses.counts)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the neurons, such as position3_channel17."""
        check_is_fitted(self, "state_")
        positions, units = self.facts_.positions, self.facts_.units
        pairs = (divmod(unit, units // positions) for unit in range(units))
        return np.array([f"position{position}_channel{channel}" for position, channel in pairs], object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # counts, whatever the type of the pixels
        return tags

    def _images(self, X: Any, *, first: bool) -> NDArray[np.uint8]:
        """Return X as images (N, n, n) of the network's side; the first ones decide configuration and value range."""
        if (np.ndim(X) if isinstance(X, list | tuple) else getattr(X, "ndim", 2)) == 3:
            X = np.asarray(X)
            if X.shape[1] != X.shape[2]:
                raise DataError(f"X: has the shape {X.shape}; give (N, n, n): N square images of n x n pixels")
            X = X.reshape(len(X), -1)
        X = validate_data(self, X, reset=first)
        side = math.isqrt(X.shape[1] - 1) + 1
        if first:
            self.value_range_ = self._range(X)
            self.spec_ = self._experiment(len(X), side)
            self.facts_ = facts_of(self.spec_)
        pixels = np.zeros((len(X), side * side), np.uint8)
        pixels[:, : X.shape[1]] = _grey(X, *self.value_range_)
        images, network_side = pixels.reshape(-1, side, side), self.spec_.dataset.crop
        return images if side == network_side else np.stack([fit_square(image, network_side) for image in images])

    def _range(self, X: NDArray[Any]) -> tuple[float, float]:
        """Return the values that are black and white."""
        if self.value_range == "auto":
            return (0.0, 255.0) if X.dtype == np.uint8 else (min(0.0, float(X.min())), float(X.max()))
        try:
            black, white = map(float, self.value_range)
        except (TypeError, ValueError):
            black = white = 0.0
        if not black < white:
            raise ConfigError(f"value_range: {self.value_range!r} is not (black, white) with black < white, or 'auto'")
        return black, white

    def _experiment(self, count: int, side: int) -> STDPExperiment:
        """Return the configuration for so many images of a side, with all parameters."""
        spec = self.config if isinstance(self.config, STDPExperiment) else stdpnet.load_config(self.config)
        if not isinstance(spec, STDPExperiment):
            raise ConfigError(f"config: {self.config} trains the model '{spec.model}'; give one whose model is 'stdp'")
        if isinstance(self.epochs, bool) or not isinstance(self.epochs, int | np.integer) or self.epochs < 1:
            raise ConfigError(f"epochs: {self.epochs!r} is no whole number above 0; give how often to show each image")
        named = {f"topology.{name}": getattr(self, name) for name in TOPOLOGY}
        named |= {"simulation.engine": self.engine, "seed": self._seed()}
        changes = {key: value for key, value in named.items() if value is not None}
        if self.architecture == "fully_connected":
            changes.setdefault("topology.kernel", None)  # it sees the whole image
        for key in ("dataset.crop", *changes):
            if key in self._keys:
                name = {"dataset.crop": "side"}.get(key, key.rpartition(".")[2])
                raise ConfigError(f"{key}: is the parameter {name} here; give only that")
        changes |= {"training.images": int(self.epochs) * count, "training.pool": 0, "curve.every": 0} | self._keys
        return spec.updated({**changes, "dataset.crop": self._side(side, spec, changes)})

    def _side(self, side: int, spec: STDPExperiment, changes: Mapping[str, Any]) -> int:
        """Return the side to which images of a side are resized."""
        if self.side != "auto":
            return self.side  # checked with the other keys
        side = max(side, spec.dataset.crop)
        kernel = changes.get("topology.kernel", spec.topology.kernel)
        stride = changes.get("topology.stride", spec.topology.stride)
        if isinstance(kernel, int | np.integer) and isinstance(stride, int | np.integer) and stride > 0:
            side = max(side, int(kernel))
            side += (int(kernel) - side) % int(stride)
        return side

    def _seed(self) -> int | None:
        """Return the seed that random_state stands for; None: the configuration's."""
        if self.random_state is None or isinstance(self.random_state, int | np.integer):
            return None if self.random_state is None else int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))


def _grey(X: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    """Return values scaled to 0 (black) to 255 (white) and clipped; all black if there is but one value."""
    if X.dtype == np.uint8 and (black, white) == (0.0, 255.0):
        return X
    if not black < white:
        return np.zeros(X.shape, np.uint8)
    return np.rint(255 * np.clip((X.astype(np.float64) - black) / (white - black), 0, 1)).astype(np.uint8)


def _split(images: NDArray[np.uint8]) -> Split:
    """Return images as a split in which the number of an image follows from its pixels.

    The number decides the input spikes, so that an image is answered alike whatever images are beside it.
    """
    digests = [hashlib.blake2b(image.tobytes(), digest_size=NUMBER_BYTES).digest() for image in images]
    numbers = np.array([int.from_bytes(digest) for digest in digests], np.int64)
    return Split(images, np.full(len(images), -1, np.int64), numbers)
