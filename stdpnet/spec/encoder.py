"""How an image becomes spikes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stdpnet.spec.base import Spec

EncoderKind = Literal["poisson", "poisson_isi", "regular"]


class EncoderSpec(Spec):
    """Each pixel fires at max_rate * value/255 (docs/model.md, Input)."""

    kind: EncoderKind = "poisson"
    """poisson (Bernoulli in each step), poisson_isi (Poisson distributed intervals) or regular (constant interval)."""
    max_rate: float = Field(127.5, gt=0)
    """Rate of a white pixel (255), Hz."""
