"""Settings of the encoder, which makes spikes of an image or of a recording of events."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stdpnet.events import Polarity
from stdpnet.spec.base import Spec

EncoderKind = Literal["poisson", "poisson_isi", "regular", "events"]


class EncoderSpec(Spec):
    """Each pixel fires at max_rate * value/255, or at the times of its events (docs/model.md, Input)."""

    kind: EncoderKind = "poisson"
    """poisson (Bernoulli in each step), poisson_isi (Poisson distributed intervals), regular (constant interval), or
    events (the recorded events of an event camera are the spikes; nothing is drawn)."""
    max_rate: float = Field(127.5, gt=0)
    """Rate of a white pixel (255), Hz; not used by kind = events."""
    polarity: Polarity = "both"
    """Which events are spikes: both, on (a pixel became brighter) or off (darker); only for kind = events."""
    start: float = Field(0.0, ge=0, le=1e7)
    """Time of a recording at which its presentation begins, ms; it goes on for simulation.duration; only for kind =
    events."""

    @property
    def or_rate(self) -> str:
        """Words for a remedy that names the rate before another key; empty for events, which have no rate."""
        return "" if self.kind == "events" else "encoder.max_rate or "
