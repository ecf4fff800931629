"""The interface of all models: state, responses, facts, learner; and the module of each model, by name.

Jobs, runs, evaluation, comparison and the command line use models through this interface alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from stdpnet import notebook
from stdpnet.data import Split
from stdpnet.errors import ConfigError, remedy_for
from stdpnet.random import Stream
from stdpnet.spec.experiment import Experiment

MODELS = ("stdp", "features", "rate_conversion", "surrogate_gradient", "colanet")
"""Names of the models."""
MOST_COUNT = np.iinfo(np.uint16).max
"""Largest count, and largest step of a first spike, of Responses."""


@dataclass
class State:
    """A model between two training images: all that is needed to continue as if it had not stopped.

    Examples
    --------
    >>> import stdpnet
    >>> spec = stdpnet.load_config("digits", {"topology.channels": 4, "training.images": 20})
    >>> images = stdpnet.load_dataset(spec.dataset).train.images
    >>> half = stdpnet.fit(spec.updated({"training.images": 10}), images, progress=False)
    >>> whole = stdpnet.fit(spec, images, state=half, progress=False)  # continues with ten more images
    >>> whole.digest() == stdpnet.fit(spec, images, progress=False).digest()
    True
    """

    arrays: dict[str, NDArray[Any]]
    """What training changes, by name."""
    images: int = 0
    """Training images shown so far; this is also the place in the seeded order."""
    presentations: int = 0
    """Presentations so far: images and their retries; the number of the next one."""
    interval: dict[str, Any] = field(default_factory=dict)
    """Statistics since the last row of progress: arrays and numbers by name. An initial state has all the names, and
    checkpoints are checked against them."""

    @property
    def is_finite(self) -> bool:
        """Whether all values of the arrays are numbers, none of them infinite."""
        return all(bool(np.isfinite(array).all()) for array in self.arrays.values())

    def copy(self) -> State:
        """Return an independent copy."""
        interval = {
            name: value.copy() if isinstance(value, np.ndarray) else value for name, value in self.interval.items()
        }
        arrays = {name: array.copy() for name, array in self.arrays.items()}
        return State(arrays=arrays, images=self.images, presentations=self.presentations, interval=interval)

    def changed_arrays(self, other: State) -> list[str]:
        """Return the names of the arrays that are not equal, value for value, to the other state's."""
        return [name for name, array in self.arrays.items() if not np.array_equal(array, other.arrays[name])]

    def digest(self) -> str:
        """Return the SHA-256 of the arrays: their names, types, shapes and bytes."""
        digest = hashlib.sha256()
        for name, array in self.arrays.items():
            digest.update(f"{name} {array.dtype} {array.shape};".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def __repr__(self) -> str:
        arrays = ", ".join(f"{name} {array.shape} {array.dtype}" for name, array in self.arrays.items())
        return f"<State after {self.images} images: {arrays}>"

    def _repr_html_(self) -> str:
        """Return the arrays as a table: shape, type and range of values."""
        rows = [(name, notebook.described(array)) for name, array in self.arrays.items()]
        return notebook.table(f"State after {self.images} images, {self.presentations} presentations", rows)


@dataclass(frozen=True)
class Responses:
    """The responses of a trained model to images: spike counts, or the class scores of a supervised model.

    Examples
    --------
    >>> import numpy as np
    >>> import stdpnet
    >>> counts = np.array([[2, 0, 1], [0, 3, 0]], np.uint16)
    >>> stdpnet.Responses(counts, labels=np.array([5, 1]), indices=np.arange(2))
    <Responses of 3 units to 2 images>
    """

    counts: Any
    """(N, units) uint16, array or scipy.sparse.csr_array: spikes of each neuron during each image, at most 65535."""
    labels: NDArray[np.int64]
    """(N,) class of each image."""
    indices: NDArray[np.int64]
    """(N,) place of each image in its source set."""
    scores: NDArray[Any] | None = None
    """(N, classes) float of a supervised model: the largest is its answer."""
    first_spikes: Any = None
    """(N, units) uint16, array or csr_array: step of each neuron's first spike, counted from 1, 0 where there is none;
    None unless a read-out of the experiment's evaluation.readouts needs it (n_gram), and of models without spikes."""
    cost: Mapping[str, float] = field(default_factory=dict)
    """Mean cost of an image by quantity: input_spikes and events (transmissions of a spike by a synapse) of a spiking
    network, multiplications of other models."""

    def __repr__(self) -> str:
        return f"<Responses of {self.counts.shape[1]} units to {len(self.labels)} images>"

    def _repr_html_(self) -> str:
        """Return sizes, activity and cost as a table."""
        images = len(self.labels)
        rows: list[notebook.Row] = [("images", images), ("units", self.counts.shape[1])]
        if images and self.scores is None:
            spikes = np.asarray(self.counts.sum(axis=1, dtype=np.int64))
            rows.append(("spikes per image", f"{spikes.mean():.1f}"))
            rows.append(("silent images", f"{np.mean(spikes == 0):.2%}"))
        rows += [(f"{name.replace('_', ' ')} per image", f"{value:.0f}") for name, value in self.cost.items()]
        return notebook.table("Responses", rows)


class Facts(NamedTuple):
    """Facts about a model, for tables."""

    label: str
    """Short name, such as LCSNN 25/12."""
    family: str
    """Family of models that it belongs to, such as LCSNN."""
    positions: int
    """Groups of units that see the same pixels; units are numbered position by position."""
    units: int
    """Neurons, or features."""
    synapses: Mapping[str, int]
    """Weights by kind; a shared one counts once."""
    labels: int = 0
    """Number of labels that its training uses."""
    details: Mapping[str, Any] = {}
    """Further columns of a table by name, such as channels and kernel."""

    @property
    def total_synapses(self) -> int:
        """Weights of all kinds."""
        return sum(self.synapses.values())

    def _repr_html_(self) -> str:
        """Return the facts as a table."""
        rows: list[notebook.Row] = [("family", self.family), ("positions", self.positions), ("units", self.units)]
        rows += [(f"{kind} synapses", number) for kind, number in self.synapses.items()]
        rows += [("labels", self.labels), *self.details.items()]
        return notebook.table(self.label, rows)


class Finding(NamedTuple):
    """Something unhealthy in an interval of training."""

    name: str
    message: str
    """What was seen, and what usually helps."""
    fatal: bool = False
    """Whether it makes no sense to continue."""
    mild: bool = False
    """Whether it is only worth a look: health.action = "stop" does not stop because of it."""


class Learner(Protocol):
    """A model in training; its state is complete between two calls."""

    threads: int | None

    @property
    def state(self) -> State:
        """The present state of the training; its arrays are those that learn, not copies."""
        ...

    def advance(self, most: int) -> int:
        """Show up to `most` more images of the seeded order, not beyond the goal; return how many."""
        ...

    def show(self, images: NDArray[np.uint8], labels: NDArray[np.int64] | None = None) -> None:
        """Learn from images (N, n, n) in the order given; a model that needs no labels ignores them."""
        ...

    def note(self) -> str:
        """Return a few words about the activity since the last row, for a display of progress."""
        ...

    def row(self) -> dict[str, Any]:
        """Return the statistics of the interval that ends now, JSON-serialisable."""
        ...

    def findings(self, row: Mapping[str, Any]) -> list[Finding]:
        """Return what is unhealthy in a row."""
        ...

    def begin_interval(self) -> None:
        """Begin a new interval: the next row describes only what happens after this call."""
        ...


class Responder(Protocol):
    """A function that shows images to a trained model, in this process or on a cluster."""

    def __call__(
        self,
        spec: Any,
        state: State,
        split: Split,
        stream: Stream,
        *,
        threads: int | None = None,
        progress: Callable[[int], None] = ...,
    ) -> Responses:
        """Return the responses of a model to the images of a split; nothing is learned.

        Parameters
        ----------
        spec : the experiment
        state : its trained state; it is not changed
        split : images, labels and indices
        stream : the source of input spikes; an image's index is the number of its presentation
        threads : how many threads may compute; default all cores; results do not depend on it
        progress : called with the number of further images answered

        Raises
        ------
        EngineError
            If the state was changed, which is a defect of the model.
        """
        ...


class Model(Protocol):
    """A module, or an object, that offers a model to jobs, runs and evaluation."""

    def facts(self, spec: Any) -> Facts:
        """Return the facts about the model of a spec."""
        ...

    def initial(self, spec: Any) -> State:
        """Return the untrained state."""
        ...

    def learner(self, spec: Any, split: Split, state: State, *, threads: int | None = None) -> Learner:
        """Return a learner that continues from a state, whose arrays it may change, with the images of a split."""
        ...

    def findings(self, spec: Any, row: Mapping[str, Any]) -> list[Finding]:
        """Return what is unhealthy in a row of progress, as the learner does.

        If `health.action` is "ignore", only what is fatal.
        """
        ...

    @property
    def respond(self) -> Responder:
        """The function that shows images to a trained state."""
        ...


LearnerMaker = Callable[..., Learner]
"""A function with the arguments of Model.learner; it may return a learner that computes on a cluster."""


def spec_class(name: str) -> type[Experiment]:
    """Return the class of a model's experiments.

    Raises
    ------
    ConfigError
        If there is no model of that name.
    """
    match name:
        case "stdp":
            from stdpnet.stdp.spec.experiment import STDPExperiment

            return STDPExperiment
        case "features":
            from stdpnet.baselines.features.spec import FeaturesExperiment

            return FeaturesExperiment
        case "rate_conversion":
            from stdpnet.baselines.rate_conversion.spec import RateConversionExperiment

            return RateConversionExperiment
        case "surrogate_gradient":
            from stdpnet.baselines.surrogate_gradient.spec import SurrogateGradientExperiment

            return SurrogateGradientExperiment
        case "colanet":
            from stdpnet.baselines.colanet.spec import ColaNETExperiment

            return ColaNETExperiment
    raise ConfigError(f"model: '{name}' is unknown; {remedy_for(name, MODELS)}")


@cache
def presets() -> Mapping[str, Experiment]:
    """Return every preset of every model, by name; validated only at the first call, because that takes a while."""
    from stdpnet.baselines.colanet.presets import presets as colanet
    from stdpnet.baselines.features.presets import presets as features
    from stdpnet.baselines.rate_conversion.presets import presets as rate_conversion
    from stdpnet.baselines.surrogate_gradient.presets import presets as surrogate_gradient
    from stdpnet.stdp.spec.presets import presets as stdp

    return MappingProxyType({**stdp(), **features(), **rate_conversion(), **surrogate_gradient(), **colanet()})


def open_model(spec: Experiment) -> Model:
    """Return the model that an experiment trains."""
    model: Model
    match spec.model:
        case "stdp":
            from stdpnet.stdp import model
        case "features":
            from stdpnet.baselines.features import model
        case "rate_conversion":
            from stdpnet.baselines.rate_conversion import model
        case "surrogate_gradient":
            from stdpnet.baselines.surrogate_gradient import model
        case "colanet":
            from stdpnet.baselines.colanet import model
        case unknown:
            raise ConfigError(f"model: '{unknown}' is unknown; {remedy_for(unknown, MODELS)}")
    return model


def equations_of(spec: Experiment) -> list[Any]:
    """Return the equations of an experiment's model (stdpnet.description.Equation); none where it states none."""
    if spec.model != "stdp":
        return []
    from stdpnet.stdp import equations

    return list(equations.equations(cast(Any, spec)))


def facts_of(spec: Experiment) -> Facts:
    """Return the facts about the model of an experiment."""
    return open_model(spec).facts(spec)
