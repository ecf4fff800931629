"""Look inside a trained model: one neuron, and the activity and answers that one image evokes."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.api import as_split
from stdpnet.data import Split, saccades
from stdpnet.errors import RunError
from stdpnet.model import Responses, open_model
from stdpnet.random import Stream
from stdpnet_analysis.evaluation import STREAMS
from stdpnet_analysis.inspector.arrays import Placement, centred, evidence, placement, strongest_competitors
from stdpnet_analysis.prediction import class_probabilities
from stdpnet_analysis.preferred import preferred_images
from stdpnet_analysis.readouts.base import CountsClassifier, dense
from stdpnet_analysis.readouts.reader import OWN, Reader
from stdpnet_analysis.readouts.votes import class_sums
from stdpnet_analysis.recording import ImageRecording, record, winner_and_loser
from stdpnet_analysis.view import RunView

PLACED = 1000
"""Number of training images from which the place of the ink is measured."""
EVIDENCE = "log_evidence"
"""The voting rule whose evidence is shown, added up over the positions."""


class Inside:
    """Look inside one state of a run.

    Results have a key `lacks`: why something cannot be shown, or None. In the result of `about` it is a dict, need ->
    reason or None.

    Parameters
    ----------
    view : the arrays of the run
    """

    def __init__(self, view: RunView) -> None:
        self.view = view
        names = view.experiment.evaluation.readouts
        self._reader = Reader(tuple(names), threads=1)

    @cached_property
    def _readouts(self) -> dict[str, CountsClassifier]:
        """The read-outs of the configuration, fitted to the kept calibration responses."""
        if self.view.lacks("responses") is not None or not self.view.calibration.counts.shape[1]:
            return {}
        return self._reader.fit_all(self.view.experiment, self.view.facts, self.view.calibration)

    @cached_property
    def _placement(self) -> Placement:
        return placement(self.view.dataset.train.images[:PLACED])

    def about(self) -> dict[str, Any]:
        """Return sizes, classes, the number of images, and what the run lacks."""
        view = self.view
        lacks = {need: view.lacks(need) for need in ("spiking network", "state", "images", "responses")}
        content: dict[str, Any] = {"label": view.facts.label, "lacks": lacks, "geometry": None, "classes": []}
        if lacks["state"] is None:
            content["classes"] = list(view.classes)
        if lacks["state"] is None and lacks["images"] is None:
            content["split"] = view.shown_split
            content["images"] = len(view.dataset.split(view.shown_split))
            content["side"] = int(view.dataset.train.images.shape[-1])
        if lacks["spiking network"] is None:
            geometry = view.spec.geometry
            content["geometry"] = {
                "positions": geometry.positions,
                "per_side": geometry.positions_per_side if geometry.chosen is None else 1,
                "channels": geometry.channels,
                "kernel": geometry.kernel,
            }
        return content

    def neuron(self, neuron: int) -> dict[str, Any]:
        """Return weights, threshold, votes, strongest competitors and preferred images of a neuron.

        Parameters
        ----------
        neuron : position * channels + channel
        """
        view, network = self.view, self.view.network
        geometry = network.geometry
        if not 0 <= neuron < geometry.neurons:
            raise RunError(f"neuron: {neuron} is none; choose one of 0..{geometry.neurons - 1}")
        position, channel = divmod(neuron, geometry.channels)
        competition = network.competition
        content: dict[str, Any] = {
            "neuron": neuron,
            "position": position,
            "channel": channel,
            "origin": list(geometry.origin(position)),
            "theta": float(network.theta[position, channel]),
            "field": self._field(position, channel),
            "competitors": [
                {"channel": other, "weight": weight, "field": self._field(position, other)}
                for other, weight in strongest_competitors(competition[position], channel)
            ]
            if competition.ndim
            else [],
            "fixed": None if competition.ndim else float(competition),
            "votes": None,
            "preferred": [],
            "lacks": view.lacks("responses"),
        }
        if content["lacks"] is None:
            content["votes"] = view.votes[:, neuron].tolist()
            content["preferred"] = self._preferred(neuron)
        return content

    def _field(self, position: int, channel: int) -> list[list[float]]:
        network = self.view.network
        geometry = network.geometry
        field = network.weights[0 if geometry.shared else position, :, channel]
        shaped: list[list[float]] = field.reshape(geometry.kernel, geometry.kernel).astype(float).tolist()
        return shaped

    def _preferred(self, neuron: int) -> list[dict[str, Any]]:
        scored, images = self.view.scored, self.view.lacks("images") is None
        counts = dense(scored.counts[:, [neuron]])
        return [
            {
                "number": int(number),
                "class": self.view.classes[scored.labels[number]],
                "spikes": int(counts[number, 0]),
                "image": self.view.dataset.split(self.view.split).images[number].tolist() if images else None,
            }
            for number in preferred_images(counts, 0)
        ]

    def drawing(self, pixels: NDArray[np.uint8]) -> dict[str, Any]:
        """Return what a drawing (h, w), white on black, evokes once it is placed as the training images are.

        A network that was trained on recordings of an event camera gets the recording of a simulated one (`saccades`).
        """
        train = self.view.dataset.train
        image = centred(pixels, int(train.images.shape[-1]), self._placement)[np.newaxis]
        split = as_split(image if train.events is None else saccades(image))
        experiment = self._reader.experiment_for(self.view.experiment)
        model = open_model(experiment)
        responses = model.respond(experiment, self.view.state, split, Stream.TEST, threads=1)
        return {"label": None, **self._shown(split, 0, Stream.TEST, responses)}

    def image(self, number: int) -> dict[str, Any]:
        """Return the activity that an image of the scored split evokes, and the answers to its kept responses."""
        view = self.view
        split, stream = view.dataset.split(view.shown_split), STREAMS[view.shown_split]
        if not 0 <= number < len(split):
            raise RunError(f"image: {number} is none; choose one of 0..{len(split) - 1}")
        responses = None
        if view.lacks("responses") is None and view.shown_split == view.split:
            kept, only = view.scored, [number]
            responses = Responses(
                counts=kept.counts[only],
                labels=kept.labels[only],
                indices=kept.indices[only],
                scores=None if kept.scores is None else kept.scores[only],
                first_spikes=None if kept.first_spikes is None else kept.first_spikes[only],
            )
        return {"label": view.classes[split.labels[number]], **self._shown(split, number, stream, responses)}

    def _shown(self, split: Split, number: int, stream: Stream, responses: Responses | None) -> dict[str, Any]:
        view = self.view
        content: dict[str, Any] = {"image": split.images[number].tolist(), "answers": [], "activity": None}
        if view.lacks("spiking network") is None:
            found = record(view.spec, view.network, split, number, stream, threads=1)
            content["activity"] = self._activity(found)
        if responses is not None:
            content["answers"] = self._answers(responses)
        content["lacks"] = view.lacks("responses")
        return content

    def _activity(self, recording: ImageRecording) -> dict[str, Any]:
        """Return input spikes, responses per position, potentials of winner and loser, and evidence."""
        counts, channels = recording.counts, recording.counts.shape[1]
        neurons = dict(zip(("winner", "loser"), winner_and_loser(recording), strict=True))
        threshold = self.view.spec.neuron.v_thresh
        content: dict[str, Any] = {
            "dt": recording.dt,
            "steps": len(recording.v),
            "input": {"steps": recording.input_steps.tolist(), "pixels": recording.input_pixels.tolist()},
            "spikes": counts.sum(axis=1).tolist(),
            "winners": [int(row.argmax()) if row.any() else None for row in counts],
            "evidence": None,
        }
        for name, neuron in neurons.items():
            position, channel = divmod(neuron, channels)
            content[name] = {
                "neuron": neuron,
                "spikes": int(counts[position, channel]),
                "v": recording.v[:, position, channel].tolist(),
                "threshold": (threshold + recording.theta[:, position, channel]).tolist(),
                "fired": np.flatnonzero(recording.spikes[:, position, channel]).tolist(),
            }
        if self.view.lacks("responses") is None:
            known = self.view.calibration
            sums, images = class_sums(known.counts, known.labels, len(self.view.classes))
            content["evidence"] = evidence(EVIDENCE, counts.astype(float), sums, images).tolist()
        return content

    def _answers(self, responses: Responses) -> list[dict[str, Any]]:
        """Return the answer and probabilities of each read-out; a model's own answers come without probabilities."""
        classes = self.view.classes
        found: list[dict[str, Any]] = []
        if responses.scores is not None:
            found.append(
                {"readout": OWN, "answer": classes[int(np.argmax(responses.scores[0]))], "probabilities": None}
            )
        for name, readout in self._readouts.items():
            label = int(self._reader.answer(name, readout, responses).predicted[0])
            chances = class_probabilities(name, readout, responses, len(classes))
            found.append(
                {
                    "readout": name,
                    "answer": None if label < 0 else classes[label],
                    "probabilities": None if chances is None else chances[0].tolist(),
                }
            )
        return found
