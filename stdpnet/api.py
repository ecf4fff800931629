"""Train a model and compute its responses in memory: arrays in, arrays out, no dataset, no run directory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stdpnet.data import Split
from stdpnet.errors import ConfigError, DataError, StopRequestedError
from stdpnet.events import Events
from stdpnet.model import Responses, State, open_model
from stdpnet.random import Stream
from stdpnet.spec.experiment import Experiment
from stdpnet.stopping import StopRequest, interruptible
from stdpnet.training.display import with_progress
from stdpnet.training.loop import Observer, Training


def fit(
    spec: Experiment,
    images: ArrayLike | Events,
    labels: ArrayLike | None = None,
    *,
    state: State | None = None,
    threads: int | None = None,
    observers: Iterable[Observer] = (),
    progress: bool | None = None,
) -> State:
    """Train a model on images, and return its trained state; `stdpnet.train` does the same on a run directory.

    The images are shown in the seeded order of spec.seed until spec.training.images have been shown, in several epochs
    if that is more than the number of images. Ctrl-C, or a notebook's stop button, ends the training at the next image
    boundary; the state at that moment is the attribute `state` of the exception, and `fit` can continue from it.

    Parameters
    ----------
    spec : the experiment; the side of the images decides the geometry, spec.dataset is not used
    images : (N, n, n) uint8, white ink (255) on black (0); or recordings of an event camera (stdpnet.Events), which
        encoder.kind = events takes as spikes, and other kinds as pictures of how many events each pixel has
    labels : (N,) class of each image, for models that learn from labels; others ignore them
    state : state to continue from, as returned by `fit`, whose arrays are changed in place; default the initial one
    threads : how many threads may compute; default all cores; results do not depend on it
    observers : objects that watch the training (stdpnet.training.Observer)
    progress : whether to display the progress; default: only in a notebook and at Python's prompt

    Raises
    ------
    ConfigError
        If the spec or the state does not fit the images, or the spec asks for a learning curve, which needs a dataset.
    DataError
        If the images do not have the shape and the type given above, or there are none.
    StopRequestedError
        If the training was interrupted.
    HealthError
        If the model is unhealthy and spec.health.action is "stop", or its numbers are not finite.

    Examples
    --------
    >>> import stdpnet
    >>> spec = stdpnet.load_config("digits", {"topology.channels": 4, "training.images": 20})
    >>> images = stdpnet.load_dataset(spec.dataset).train.images
    >>> state = stdpnet.fit(spec, images, progress=False)
    >>> state.images, state.arrays["weights"].shape
    (20, (9, 144, 4))
    """
    split = as_split(images, labels)
    if len(split) == 0:
        raise DataError("images: there are none; give at least one to train on")
    spec = fitted(spec, split)
    if spec.curve.every:
        raise ConfigError(
            f"curve.every: {spec.curve.every} asks for a learning curve, which needs a dataset's validation images; "
            "set it to 0, or use stdpnet.train"
        )
    model = open_model(spec)
    if state is not None:
        _check_state(spec, state)
    learner = model.learner(spec, split, state or model.initial(spec), threads=threads)
    request = StopRequest()
    training, watching = Training(spec, learner, request), with_progress(observers, progress)
    try:
        interruptible(lambda: training.to_goal(watching), request)
        training.check_signals()  # an interrupt during the last images must stop the caller's loop, too
    except StopRequestedError as error:
        error.state = training.state
        raise
    return training.state


def respond(
    spec: Experiment,
    state: State,
    images: ArrayLike | Events,
    labels: ArrayLike | None = None,
    *,
    stream: Stream = Stream.TEST,
    threads: int | None = None,
) -> Responses:
    """Return the responses of a trained model to images; nothing is learned.

    Parameters
    ----------
    spec : the experiment with which the state was trained
    state : as returned by `fit`, or the state of a run (`Run.load_state`)
    images : (N, n, n) uint8, or recordings, as for `fit`
    labels : (N,) class of each image, copied to the result; default -1
    stream : the source of the input spikes' random numbers; image i is its presentation number i
    threads : how many threads may compute; default all cores; results do not depend on it

    Returns
    -------
    Responses, with `counts` (N, units): spikes of each neuron; neuron = position * channels + channel.

    Examples
    --------
    >>> import stdpnet
    >>> spec = stdpnet.load_config("digits", {"topology.channels": 4, "training.images": 20})
    >>> data = stdpnet.load_dataset(spec.dataset)
    >>> state = stdpnet.fit(spec, data.train.images, progress=False)
    >>> stdpnet.respond(spec, state, data.test.images[:3])
    <Responses of 36 units to 3 images>
    """
    split = as_split(images, labels)
    spec = fitted(spec, split) if len(split) else spec
    _check_state(spec, state)
    return open_model(spec).respond(spec, state, split, stream, threads=threads)


def _check_state(spec: Experiment, state: State) -> None:
    """Raise ConfigError unless a state has the arrays of the experiment's model."""
    if not isinstance(state, State):
        raise ConfigError(f"state: is a {type(state).__name__}; give what stdpnet.fit or Run.load_state() has returned")
    found, expected = (
        {name: array.shape for name, array in each.arrays.items()} for each in (state, open_model(spec).initial(spec))
    )
    for name in sorted(found | expected):
        if found.get(name) != expected.get(name):
            raise ConfigError(
                f"state: its array {name} has the shape {found.get(name)}, this spec with these images needs "
                f"{expected.get(name)}; give a state that was trained with this spec, on images of this side"
            )


def fitted(spec: Experiment, split: Split) -> Any:
    """Return the spec with the geometry of a split's images.

    Raises
    ------
    ConfigError
        If `spec` is no experiment, or its topology does not fit the images.
    """
    if not isinstance(spec, Experiment):
        raise ConfigError(f"spec: is a {type(spec).__name__}, no experiment; stdpnet.load_config(name) returns one")
    return spec.updated({"dataset.crop": split.images.shape[1]})


def as_split(images: ArrayLike | Events, labels: ArrayLike | None = None) -> Split:
    """Return arrays, or recordings of events, as a split, after a check of their shapes and types.

    Raises
    ------
    DataError
        If the images are not (N, n, n) uint8, or the labels are not (N,).
    """
    events = images if isinstance(images, Events) else None
    array = events.pictures() if events is not None else np.asarray(images)
    if array.ndim != 3 or array.shape[1] != array.shape[2] or array.shape[1] == 0:
        raise DataError(f"images: have the shape {array.shape}; give (N, n, n): N square images of n x n pixels")
    if array.dtype != np.uint8:
        raise DataError(
            f"images: are {array.dtype}; give uint8 from 0 (black) to 255 (white), for example "
            "(255 * images / images.max()).astype('uint8')"
        )
    if labels is None:
        classes: NDArray[np.int64] = np.full(len(array), -1, np.int64)
    else:
        given = np.asarray(labels)
        if given.shape != (len(array),):
            raise DataError(f"labels: have the shape {given.shape}; give one for each of the {len(array)} images")
        classes = given.astype(np.int64)
    return Split(images=array, labels=classes, indices=np.arange(len(array)), events=events)
