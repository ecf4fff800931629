"""Load the arrays of a run when they are needed; if one is missing, say why and name the command that makes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

from stdpnet.arrays import Float64s
from stdpnet.data import Dataset, load_dataset
from stdpnet.errors import ConfigError, DataError, RunError
from stdpnet.model import Facts, Responses, State, facts_of, open_model
from stdpnet.runs import Run
from stdpnet.spec.experiment import Experiment
from stdpnet.stdp.network import Network, initial_network, network_of
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet.training import check_dataset
from stdpnet_analysis.compare import evaluate_command
from stdpnet_analysis.evaluation import STREAMS, name_of, response_key
from stdpnet_analysis.readouts.base import answers
from stdpnet_analysis.readouts.votes import class_means, vote_scores
from stdpnet_analysis.recording import ImageRecording, record
from stdpnet_analysis.text import literal

Need = Literal[
    "spiking network",
    "state",
    "responses",
    "scores",
    "images",
    "learned competition",
    "curve",
    "progress",
    "other runs",
]
"""What a figure can need of a run."""
SCORED = ("test", "validation")
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}


class Settings(NamedTuple):
    """Choices of the user; figures that do not need them ignore them."""

    image: int | None = None
    """Number of the image to show, in the scored split; None: the first one that is answered correctly."""
    neuron: int | None = None
    """Neuron to show (position * channels + channel); None: the one with most spikes on that image."""
    images: int = 300
    """How many images are shown again where a changed network is simulated."""
    threads: int | None = None
    """Threads that simulate; None: all cores. Results do not depend on it."""


class RunView:
    """The arrays of a run, finished or not; nothing here writes into it.

    Parameters
    ----------
    run : the run
    settings : which image, neuron and number of images the figures are to use
    snapshot : "last", or the name of a kept state such as "best"
    others : runs to compare it with, where a figure does
    """

    def __init__(
        self, run: Run, settings: Settings | None = None, snapshot: str = "last", others: Sequence[Run] = ()
    ) -> None:
        self.run, self.settings, self.snapshot = run, settings or Settings(), snapshot
        self.others = [RunView(other, self.settings) for other in others]
        self._responses: dict[tuple[str, str], Responses | None] = {}
        self._lacks: dict[Need, str | None] = {}

    @property
    def experiment(self) -> Experiment:
        """The experiment, of any model."""
        return self.run.spec

    @property
    def spec(self) -> STDPExperiment:
        """The experiment of a spiking network; RunError where it is one of another model."""
        if not isinstance(self.experiment, STDPExperiment):
            raise RunError(f"{self.run.path}: {self._no_network}")
        return self.experiment

    @property
    def _no_network(self) -> str:
        return f"this needs a network with model = 'stdp', and this one is '{self.experiment.model}'"

    @cached_property
    def facts(self) -> Facts:
        """What a table says about the model."""
        return facts_of(self.experiment)

    @property
    def label(self) -> str:
        """The model's name and how far it is trained."""
        name = TITLES.get(self.experiment.dataset.name, self.experiment.dataset.name)
        return f"{self.facts.label}, {name}, {self.state.images} training images"

    @cached_property
    def state(self) -> State:
        """The newest readable state, or the chosen snapshot."""
        return self.run.load_snapshot(self.snapshot)

    @cached_property
    def network(self) -> Network:
        """The trained network; not to be changed."""
        return network_of(self.spec, self.state)

    @cached_property
    def untrained(self) -> Network:
        """The same network before its first image."""
        return initial_network(self.spec)

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset of the run."""
        dataset = load_dataset(self.experiment.dataset)
        check_dataset(self.run, dataset)
        return dataset

    @cached_property
    def split(self) -> str:
        """The scored split with responses: test if it has any, else validation."""
        return next((name for name in SCORED if self.responses(name) is not None), SCORED[0])

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, as figures write them; their numbers where the dataset is not at hand."""
        if self.lacks("images") is None:
            return tuple(map(literal, self.dataset.classes))
        known = [found.labels.max() for name in ("calibration", *SCORED) if (found := self.responses(name))]
        return tuple(str(number) for number in range(int(max(known, default=9)) + 1))

    def responses(self, part: str, network: str | None = None) -> Responses | None:
        """Return the spike counts of a split that `stdpnet evaluate` has kept, or None if there are none of this state.

        Parameters
        ----------
        part : calibration, test or validation
        network : "trained" (the default: the state in view) or "untrained"
        """
        name = network or name_of(self.snapshot)
        key = (part, name)
        if key not in self._responses:
            chosen = open_model(self.experiment).initial(self.experiment) if name == "untrained" else self.state
            expected = response_key(self.experiment, chosen, self.run.dataset_sha256, part)
            self._responses[key] = self.run.load_responses(f"{name}-{part}", expected)
        return self._responses[key]

    @property
    def calibration(self) -> Responses:
        """Responses to the calibration images."""
        return self._required("calibration")

    @property
    def scored(self) -> Responses:
        """Responses to the images that the network is scored on."""
        return self._required(self.split)

    def _required(self, part: str) -> Responses:
        found = self.responses(part)
        if found is None:
            raise RunError(f"{self.run.path}: {self.lacks('responses')}")
        return found

    @cached_property
    def votes(self) -> Float64s:
        """(n_classes, P*C) mean count of each neuron over the calibration images of each class."""
        return class_means(self.calibration.counts, self.calibration.labels, len(self.classes))

    @cached_property
    def shown_split(self) -> str:
        """The split of the image to show: the scored one, or the first that has images."""
        filled = [name for name in (self.split, *SCORED, "calibration") if len(self.dataset.split(name))]
        return filled[0] if filled else "calibration"

    @cached_property
    def shown_image(self) -> int:
        """Number, within its split, of the image to show: as set, or the first that is answered correctly.

        Answers are a supervised model's own, else those of the votes.
        """
        images = len(self.dataset.split(self.shown_split))
        if self.settings.image is not None:
            if self.settings.image >= images:
                raise ConfigError(
                    f"--image {self.settings.image}: there are {images} {self.shown_split} images; "
                    f"choose one of 0..{images - 1}"
                )
            return self.settings.image
        if self.lacks("responses") is not None or self.shown_split != self.split:
            return 0
        first = slice(0, 100)
        if self.scored.scores is not None:
            return int((self.scored.scores[first].argmax(axis=1) == self.scored.labels[first]).argmax())
        scores = vote_scores(self.scored.counts[first], self.votes, self.facts.positions, "all")
        return int((answers(scores) == self.scored.labels[first]).argmax())

    @cached_property
    def recording(self) -> ImageRecording:
        """The image to show, recorded step by step in the state in view."""
        split, stream = self.dataset.split(self.shown_split), STREAMS[self.shown_split]
        return record(self.spec, self.network, split, self.shown_image, stream, threads=self.settings.threads)

    @property
    def shown_neuron(self) -> int:
        """The neuron to show: as set, or the one with most spikes on the image to show."""
        neurons = self.spec.geometry.neurons
        if self.settings.neuron is None:
            return int(self.recording.counts.argmax())
        if self.settings.neuron >= neurons:
            raise ConfigError(f"--neuron {self.settings.neuron}: there are {neurons}; choose one of 0..{neurons - 1}")
        return self.settings.neuron

    def check_settings(self) -> None:
        """Raise ConfigError or RunError if the image, the neuron or the snapshot asked for is not there."""
        if self.snapshot != "last":
            _ = self.state
        if self.settings.image is not None:
            _ = self.shown_image
        if self.settings.neuron is not None:
            _ = self.shown_neuron

    @property
    def image_title(self) -> str:
        """Split, number and class of the image to show."""
        return f"{self.shown_split} image {self.shown_image}, class {self.classes[self.recording.label]}"

    @cached_property
    def scores(self) -> dict[str, Any] | None:
        """The scores of the state in view on the scored split; None if `stdpnet evaluate` has not written any."""
        scores = self.run.load_scores(self.split, self.snapshot)
        return scores if scores and scores["protocol"]["training_images"] == self.state.images else None

    @property
    def required_scores(self) -> dict[str, Any]:
        """The scores; RunError where there are none."""
        if self.scores is None:
            raise RunError(f"{self.run.path}: {self.lacks('scores')}")
        return self.scores

    @cached_property
    def curve(self) -> list[dict[str, Any]]:
        """Rows of the learning curve."""
        return self.run.rows("curve")

    @cached_property
    def progress(self) -> list[dict[str, Any]]:
        """Rows of the training's progress."""
        return self.run.rows("progress")

    def lacks(self, need: Need) -> str | None:
        """Return why the run has not what a figure needs, and the command that makes it; None if it has it."""
        return self._lacks[need] if need in self._lacks else self._lacks.setdefault(need, self._find(need))

    def _find(self, need: Need) -> str | None:
        path = self.run.path
        match need:
            case "spiking network":
                return None if isinstance(self.experiment, STDPExperiment) else self._no_network
            case "state":
                return self._find_state()
            case "responses":
                return self._find_responses()
            case "scores":
                return self._find_responses() or (None if self.scores else self._unevaluated("its scores are stale"))
            case "other runs":
                return None if self.others else "compares two runs; name another one with --beside RUN"
            case "images":
                return self._find_images()
            case "learned competition":
                return self._find_learned_competition()
            case "curve":
                return None if self.curve else "no learning curve; train with --set curve.every=500"
            case "progress":
                return None if self.progress else f"no row of progress yet; `stdpnet resume {path}` trains on"

    def _find_state(self) -> str | None:
        if not self.run.has_state:
            if self.run.status != "running":
                return f"no checkpoint yet; `stdpnet resume {self.run.path}` writes one"
            often = self.experiment.checkpoint
            times = [f"after {often.every} images"] * (often.every > 0)
            times += [f"after {often.minutes:g} minutes"] * (often.minutes > 0)
            return f"no checkpoint yet; the first one comes {', '.join([*times, 'at the end of the training'])}"
        try:
            _ = self.state
        except RunError as error:
            return str(error)
        return None

    def _find_learned_competition(self) -> str | None:
        spec = self.spec
        if spec.competition.is_learned:
            return None
        channels, c_w = spec.geometry.channels, abs(spec.competition.c_w)
        if channels == 1:
            remedy = "--set topology.channels=25 --set competition.rule=anti_stdp"
            return f"it has one channel: no neuron has another one at its position to compete with; train with {remedy}"
        what = "it has no competition"
        if spec.competition.rule != "none":
            others = "the other neuron" if channels == 2 else f"the {channels - 1} others"
            what = f"its competition is fixed: every neuron inhibits {others} of its position by {c_w:g} mV"
        return f"{what}; train with --set competition.rule=anti_stdp"

    def _find_images(self) -> str | None:
        try:
            _ = self.dataset
        except (DataError, RunError) as error:
            return str(error)
        return None

    def _find_responses(self) -> str | None:
        if (reason := self.lacks("state")) is not None:
            return reason
        if self.responses("calibration") and any(self.responses(name) for name in SCORED):
            return None
        stale = any((self.run.path / "responses").glob("trained-*.h5"))
        return self._unevaluated("its responses are those of another state" if stale else "no responses yet")

    def _unevaluated(self, what: str) -> str:
        return f"{what}; `{evaluate_command(self.run, snapshot=self.snapshot)}` makes them"
