"""Specification of a study: base experiment, search space, objective, sampler, pruner, budget."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from stdpnet.errors import ConfigError
from stdpnet.spec.base import Spec
from stdpnet_analysis.readouts import check_columns

Scalar = bool | int | float | str
MEAN = ("vote", "linear")
"""The columns of which the objective `mean` is the mean."""
MOST_STEPS = 1e15
"""Largest number of steps of a range: smaller steps cannot be represented."""
MOST_VALUES = 1_000_000
"""Largest number of values of a range with steps, and of combinations of a grid."""


class BaseSpec(Spec):
    """The experiment that trials vary."""

    config: str
    """A preset, or a .toml file, relative to the study's file."""
    set: tuple[str, ...] = ()
    """Overrides in order, each like "training.images=2000"."""


class DimensionSpec(Spec):
    """The values of one key: a range, or choices; the table's name is the key, such as space.plasticity.A_plus."""

    low: float | None = None
    """Lowest value of a range."""
    high: float | None = None
    """Highest value of a range."""
    log: bool = False
    """Whether the range is searched on a logarithmic scale."""
    integer: bool = False
    """Whether the range has whole numbers only."""
    step: float | None = Field(None, gt=0)
    """Distance of neighbouring values of a range; whole numbers have 1."""
    choices: tuple[Scalar, ...] = ()
    """The values, instead of a range."""
    when: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    """Other keys of the space with choices, and the value or values that they must have for this one to be searched;
    otherwise it stays as in the base."""

    @model_validator(mode="after")
    def _is_a_range_or_choices(self) -> Self:
        if self.choices:
            values = {name: getattr(self, name) for name in ("low", "high", "log", "integer", "step")}
            ranged = [name for name, value in values.items() if value is not None and value is not False]
            if ranged:
                raise ValueError(f"choices: do not go with {', '.join(ranged)}; use one or the other")
            return self
        if self.low is None or self.high is None:
            raise ValueError("low: a range needs low and high, for example { low = 0.001, high = 0.1, log = true }")
        if not self.low < self.high:
            raise ValueError(f"low: {self.low:g} must lie below high = {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"low: {self.low:g} must lie above 0 where log = true")
        if self.log and self.step is not None:
            raise ValueError("step: does not go with log = true; leave one out")
        if self.step is not None and self.high - self.low > MOST_STEPS * self.step:
            raise ValueError(f"step: {self.step:g} is too small for a range of {self.high - self.low:g}")
        if self.integer and not all(float(end).is_integer() for end in (self.low, self.high, self.step or 1)):
            raise ValueError("integer: low, high and step must be whole numbers then")
        return self

    @property
    def values(self) -> list[Scalar] | None:
        """All values, in order, or None where a range is continuous."""
        if self.choices:
            return list(self.choices)
        step = self.step or (1.0 if self.integer else None)
        if step is None or self.low is None or self.high is None or self.log:
            return None
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        if count > MOST_VALUES:
            raise ValueError(
                f"step: {step:g} makes {count:.3g} values; choose a larger one: at most {MOST_VALUES} values"
            )
        steps = [self.low + index * step for index in range(count)]
        return [int(value) for value in steps] if self.integer else list(steps)


class ObjectiveSpec(Spec):
    """What is maximised: the validation accuracy of the trained network, averaged over the repeats."""

    readout: str = "linear"
    """A read-out, such as linear, log_evidence or all; vote: the best of all, patch and spikes_first; or mean: of vote
    and linear."""
    split: str = "validation"
    """Always validation: the test split is for final figures."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of read-outs whose mean is maximised."""
        return MEAN if self.readout == "mean" else (self.readout,)

    @field_validator("readout")
    @classmethod
    def _is_known(cls, readout: str) -> str:
        if readout != "mean":
            try:
                check_columns([readout], "")
            except ConfigError as error:
                raise ValueError(f"{error}, mean") from None
        return readout

    @field_validator("split")
    @classmethod
    def _never_test(cls, split: str) -> str:
        if split != "validation":
            raise ValueError(
                f": '{split}' cannot be tuned on; only the validation split can, as the test split is for final figures"
            )
        return split


class SamplerSpec(Spec):
    """How the next values are chosen (Optuna)."""

    kind: Literal["random", "tpe", "cmaes", "grid"] = "tpe"
    """random, tpe (Bergstra et al. 2011), cmaes (Hansen & Ostermeier 2001) or grid (every combination once)."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the choice; the n-th trial's is derived from it and n, so that a restart repeats nothing."""
    startup: int = Field(10, ge=1)
    """Random trials before tpe or cmaes begin."""


class PrunerSpec(Spec):
    """Which trials are ended early, by the learning curve of their first repeat."""

    kind: Literal["none", "median", "halving", "hyperband"] = "none"
    """none, median (of earlier trials at the same image), halving (successive, asynchronous) or hyperband."""
    every: int = Field(500, ge=1)
    """Training images between two points of the learning curve."""
    calibration: int = Field(1000, ge=1)
    """Calibration images used for a point."""
    validation: int = Field(1000, ge=1)
    """Validation images scored for a point."""
    startup: int = Field(5, ge=0)
    """Trials that must have finished before one is pruned (median)."""
    warmup: int = Field(1000, ge=0)
    """Training images before a trial is pruned (median), or that each trial gets at least (halving, hyperband)."""


class BudgetSpec(Spec):
    """When to stop asking for trials; those under way are finished."""

    trials: int = Field(50, ge=1, le=1_000_000)
    """Trials of the study, however they end."""
    hours: float = Field(0.0, ge=0, le=1_000_000)
    """Hours after which a command begins no further trial; 0: no limit."""


class StudySpec(Spec):
    """A study, as its file specifies it."""

    base: BaseSpec
    """The experiment that trials vary."""
    space: dict[str, DimensionSpec] = Field(min_length=1)
    """The keys that are searched, each with its values."""
    repeats: int = Field(1, ge=1, le=1000)
    """Training seeds of a trial: the base's and those that follow it."""
    objective: ObjectiveSpec = ObjectiveSpec()
    """What is maximised."""
    sampler: SamplerSpec = SamplerSpec()
    """How values are chosen."""
    pruner: PrunerSpec = PrunerSpec()
    """Which trials are ended early."""
    budget: BudgetSpec = BudgetSpec()
    """When to stop."""
    storage: str = ""
    """Database URL such as postgresql://host/name; empty: Optuna's journal in the study's folder."""
    checkpoint: int = Field(1000, ge=1)
    """Training images between two checkpoints of a trial: what a lost worker costs at most."""

    @model_validator(mode="before")
    @classmethod
    def _nested_keys_are_dotted(cls, values: Any) -> Any:
        """Allow [space.plasticity] with A_plus = {...} beside [space."plasticity.A_plus"]."""
        if isinstance(values, dict) and isinstance(values.get("space"), dict):
            return {**values, "space": _dotted(values["space"])}
        return values

    @model_validator(mode="after")
    def _conditions_can_hold(self) -> Self:
        for key, dimension in self.space.items():
            for other, wanted in dimension.when.items():
                if other not in self.space or not self.space[other].choices:
                    raise ValueError(f"space.{key}.when: '{other}' is no key of the space with choices")
                missing = [value for value in _listed(wanted) if value not in self.space[other].choices]
                if missing:
                    raise ValueError(
                        f"space.{key}.when: {other} is never {missing[0]!r}; it has the choices "
                        f"{list(self.space[other].choices)}"
                    )
        self.ordered()
        if self.sampler.kind == "grid":
            combinations = 1
            for key, dimension in self.space.items():
                if dimension.values is None:
                    raise ValueError(
                        f"space.{key}: a grid needs choices, whole numbers or a step; give step or choose another "
                        "sampler.kind"
                    )
                combinations *= len(dimension.values)
            if combinations > MOST_VALUES:
                raise ValueError(
                    f"space: a grid of {combinations} combinations is too large; choose larger steps, or another "
                    f"sampler.kind: at most {MOST_VALUES} combinations"
                )
        return self

    def ordered(self) -> list[str]:
        """Return the keys of the space, each after those that it depends on."""
        order: list[str] = []
        waiting = list(self.space)
        while waiting:
            ready = [key for key in waiting if all(other in order for other in self.space[key].when)]
            if not ready:
                raise ValueError(f"space.{waiting[0]}.when: these conditions depend on each other in a circle")
            order += ready
            waiting = [key for key in waiting if key not in ready]
        return order

    def holds(self, key: str, values: dict[str, Any]) -> bool:
        """Return whether a key is searched, given the values of the keys before it."""
        return all(
            other in values and values[other] in _listed(wanted) for other, wanted in self.space[key].when.items()
        )


def _listed(wanted: Scalar | list[Scalar]) -> list[Scalar]:
    return wanted if isinstance(wanted, list) else [wanted]


def _dotted(tables: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables of dimensions as one table with dotted keys; a dimension has a value that is no table."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        nested = isinstance(value, dict) and value and all(isinstance(part, dict) for part in value.values())
        flat |= _dotted(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat
