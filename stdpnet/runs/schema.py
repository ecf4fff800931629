"""Types of the JSON files of a run: every reader checks a file against them, and other programs rely on them.

A key that is not named here is allowed and not checked: other versions and other models have keys of their own.
"""

from __future__ import annotations

import datetime
from functools import cache
from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from stdpnet.reading import shortened

Count = Annotated[int, Field(strict=True, ge=0, le=2**53)]
Real = Annotated[float, Field(strict=True)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Text = Annotated[str, Field(strict=True, max_length=100_000)]
Statistic = Real | None
"""A number; None where it was not finite."""
Quantiles = dict[Text, Statistic] | Annotated[list[Statistic], Field(min_length=7, max_length=7)]


def _moment(text: str) -> str:
    if datetime.datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("has no time zone")
    return text


def _rectangle(rows: list[list[int]]) -> list[list[int]]:
    if any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("its rows are not of the same length")
    return rows


Moment = Annotated[Text, AfterValidator(_moment)]
"""Date and time in ISO 8601 with a time zone."""


class Open(TypedDict):
    """An object of JSON that may have further keys."""

    __pydantic_config__ = ConfigDict(extra="allow", allow_inf_nan=False)  # type: ignore[misc]


class ProgressRow(Open):
    """A row of progress.jsonl; the statistics are those of the models of this version."""

    images: Count
    goal: NotRequired[Count]
    presentations: NotRequired[Count]
    interval_images: NotRequired[Count]
    retries: NotRequired[Statistic]
    images_per_s: NotRequired[Statistic]
    health: NotRequired[list[Text]]
    finite: NotRequired[bool]
    spikes_per_image: NotRequired[Statistic]
    spikes_per_neuron: NotRequired[Quantiles]
    silent_images: NotRequired[Statistic]
    dead_neurons: NotRequired[Statistic]
    dead_units: NotRequired[Statistic]
    largest_share: NotRequired[Statistic]
    at_w_min: NotRequired[Statistic]
    at_w_max: NotRequired[Statistic]
    weight_change: NotRequired[Statistic]
    similarity: NotRequired[Statistic]
    theta: NotRequired[Quantiles]
    competition: NotRequired[dict[Text, Statistic] | None]
    unnormalised: NotRequired[Statistic]


class CurveRow(Open):
    """A row of curve.jsonl."""

    images: Count
    accuracy: dict[Text, Share]


class EventRow(Open):
    """A row of events.jsonl."""

    event: Text
    time: Moment
    images: NotRequired[Count]
    reason: NotRequired[Text | None]


class Machine(Open):
    """The machine in provenance.json."""

    system: Text
    cores: Count | None


class Provenance(Open):
    """provenance.json."""

    created: Moment
    command: list[Text]
    versions: dict[Text, Text]
    git: Text | None
    machine: Machine
    dataset_sha256: NotRequired[Text]
    seed: NotRequired[Count]
    engine: NotRequired[Text]
    dtype: NotRequired[Text]


class Settings(Open):
    """The settings of a read-out."""

    kind: NotRequired[Text]
    C: NotRequired[Real]
    scaling: NotRequired[Text]
    folds: NotRequired[Count]


class ReliabilityBin(Open):
    """The answers whose confidence lies in one interval."""

    above: Share
    images: Annotated[Count, Field(ge=1)]
    confidence: Share
    accuracy: Share


class Reliability(Open):
    """How the confidence of answers compares with how often they are right."""

    expected_calibration_error: Share
    bins: Annotated[list[ReliabilityBin], Field(min_length=1)]


class ReadoutScore(Open):
    """The score of one read-out."""

    accuracy: Share
    interval: NotRequired[Annotated[list[Share], Field(min_length=2, max_length=2)]]
    n: NotRequired[Count]
    no_answer: NotRequired[Share]
    confusion: NotRequired[Annotated[list[list[Count]], AfterValidator(_rectangle)]]
    role: NotRequired[Text]
    settings: NotRequired[Settings]
    reliability: NotRequired[Reliability]


class ScoreTable(Open):
    """The scores of a baseline."""

    readouts: dict[Text, ReadoutScore]


class Protocol(Open):
    """What was scored, on what."""

    training_images: Count
    images: NotRequired[Count]
    calibration_images: NotRequired[Count]
    training_labels: NotRequired[Count]
    dataset: NotRequired[Text]
    split: NotRequired[Text]
    snapshot: NotRequired[Text]
    at: NotRequired[dict[Text, Any]]
    linear: NotRequired[Text]
    C: NotRequired[Real]


class ScoresFile(Open):
    """scores.json and its siblings."""

    protocol: Protocol
    readouts: dict[Text, ReadoutScore]
    facts: NotRequired[dict[Text, Any]]
    untrained: NotRequired[ScoreTable]
    pixels: NotRequired[ScoreTable]
    spikes_per_image: NotRequired[Real]
    silent_images: NotRequired[Share]
    active_neurons: NotRequired[Annotated[list[Share], Field(min_length=4, max_length=4)]]
    equal_counts: NotRequired[dict[Text, dict[Text, Share]]]
    cost: NotRequired[dict[Text, Real]]


class LabelPoint(Open):
    """The accuracy of a read-out with so many calibration labels."""

    labels: Annotated[Count, Field(ge=1)]
    mean: Share
    sd: Annotated[Real, Field(ge=0)] | None
    interval: Annotated[list[Real], Field(min_length=2, max_length=2)] | None
    accuracy: Annotated[list[Share], Field(min_length=1)]


def _same_numbers(curves: dict[str, list[LabelPoint]]) -> dict[str, list[LabelPoint]]:
    if len({tuple(point["labels"] for point in points) for points in curves.values()}) > 1:
        raise ValueError("its read-outs do not have the same numbers of labels")
    return curves


LabelCurves = Annotated[
    dict[Text, Annotated[list[LabelPoint], Field(min_length=1)]], Field(min_length=1), AfterValidator(_same_numbers)
]
"""Read-out -> its accuracy with each number of labels."""


class LabelsProtocol(Protocol):
    """What was scored, on what, and how labels were drawn."""

    draws: Count


class LabelsFile(Open):
    """labels.json and its siblings: read-out -> points, of the trained model, the untrained one and the pixels."""

    protocol: LabelsProtocol
    trained: LabelCurves
    untrained: NotRequired[LabelCurves]
    pixels: NotRequired[LabelCurves]


class RobustnessPoint(Open):
    """The scores at one strength of a distortion, or one value of a key."""

    strength: bool | Real | Text
    readouts: Annotated[dict[Text, ReadoutScore], Field(min_length=1)]


def _same_readouts(points: list[RobustnessPoint]) -> list[RobustnessPoint]:
    if len({frozenset(point["readouts"]) for point in points}) > 1:
        raise ValueError("its points do not have scores of the same read-outs")
    return points


Points = Annotated[list[RobustnessPoint], Field(min_length=1), AfterValidator(_same_readouts)]
Series = Annotated[dict[Text, Points], Field(min_length=1)]
"""Name -> points, one for each strength."""


class RobustnessFile(Open):
    """robustness.json and its siblings: series of the trained model and of the pixels."""

    protocol: Protocol
    series: Series
    pixels: NotRequired[Series]


class ConversionScore(Open):
    """The score of the answers that a rate-conversion network itself gives to a set of images."""

    accuracy: Share
    interval: Annotated[list[Share], Field(min_length=2, max_length=2)]


class ConversionStep(Open):
    """The scores of spiking units at one time step, by name of the images."""

    dt: Annotated[Real, Field(gt=0)]
    """Seconds."""
    images: dict[Text, ConversionScore]


class ConversionFile(Open):
    """conversion.json and its siblings: units without spikes, and with spikes at several time steps."""

    protocol: Protocol
    rate: Annotated[dict[Text, ConversionScore], Field(min_length=1)]
    spiking: Annotated[list[ConversionStep], Field(min_length=1)]


def _same_images(content: ConversionFile) -> ConversionFile:
    if any(step["images"].keys() != content["rate"].keys() for step in content["spiking"]):
        raise ValueError("a time step has scores of other images")
    return content


CheckedConversionFile = Annotated[ConversionFile, AfterValidator(_same_images)]
"""A file whose time steps have scores of the images that the units without spikes have."""

ROWS: dict[str, Any] = {"progress": ProgressRow, "curve": CurveRow, "events": EventRow}
"""Types of the rows of <name>.jsonl."""


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what checks JSON against a type."""
    return TypeAdapter(kind)


def row_adapter(name: str) -> TypeAdapter[Any]:
    """Return what checks the rows of a file of this name (without its ending); any JSON object fits an unknown one."""
    return adapter(ROWS.get(name, dict[str, Any]))


def reason(error: ValidationError) -> str:
    """Return in a few words what is wrong first: the key, and why; the value may be long and is left out."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    return shortened(f"{place}: {first['msg']}" if place else first["msg"])
