"""Judge the scores of a run in words: whether training helped, and what to try where it did not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

SILENT = 0.1
"""Share of silent images above which they are reported; the presets have almost none."""
WORSE = 0.03
"""Difference by which an untrained network must be better to be reported; of the smallest presets it is up to 0.022."""
BELOW_PIXELS = 0.2
"""Difference by which the pixels must be better to be reported; of the smallest presets it is up to 0.145."""
CHANCE = 1 / 9
"""Accuracy near chance: less than this share of the way from guessing to no error (of ten classes, below 20 %)."""

ELSE = "train on more images, or look at the learning rate and the other keys of the model (`stdpnet info RUN`)"
"""Advice for models other than STDP."""


def verdict(scores: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each problem of a run, the gravest first; none if all is as it should be.

    Parameters
    ----------
    scores : what `evaluate` returns; without its baselines, fewer problems can be found
    """
    trained = _accuracies(scores)
    if not trained:
        return []
    best, accuracy = max(trained.items(), key=lambda each: each[1])
    found = [*_near_chance(scores, best, accuracy), *_below_untrained(scores, trained), *_below_pixels(scores, trained)]
    own = scores["readouts"].get("own", {})  # a model with scores answers images without spikes as well
    if (silent := own.get("no_answer", scores.get("silent_images")) or 0.0) > SILENT:
        what = "raise plasticity.mean_weight or, where images are shown, encoder.max_rate, or keep theta small "
        what += "(neuron.tau_theta, neuron.target_rate)"
        found.append(f"{silent:.0%} of the images get no answer at all: {what if _is_stdp(scores) else ELSE}")
    return found


def _is_stdp(scores: Mapping[str, Any]) -> bool:
    """Return whether the keys of STDP decide what was learned; so it is in older scores, which have no facts."""
    return "facts" not in scores or "competition" in scores["facts"]["details"]


def _accuracies(table: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: score["accuracy"] for name, score in (table or {}).get("readouts", {}).items()}


def _is_less(one: float, other: float, least: float, scores: Mapping[str, Any]) -> bool:
    """Return whether an accuracy is below another one by more than `least`, and by more than chance would explain.

    The difference must exceed two standard deviations of that between two independent samples of as many images.
    """
    images = scores.get("protocol", {}).get("images") or math.inf
    return other - one > max(least, 2 * math.sqrt((one * (1 - one) + other * (1 - other)) / images))


def _near_chance(scores: Mapping[str, Any], best: str, accuracy: float) -> list[str]:
    confusion = scores["readouts"][best].get("confusion")
    if not confusion or accuracy >= (guessed := 1 / len(confusion)) + CHANCE * (1 - guessed):
        return []
    figure = "receptive-fields" if _is_stdp(scores) else "--list"
    return [
        f"the best read-out ({best}, {accuracy:.1%}) is near chance ({guessed:.1%}): look at the images "
        f"(`stdpnet data info`) and at what was learned (`stdpnet figures RUN {figure}`)"
    ]


def _below_untrained(scores: Mapping[str, Any], trained: Mapping[str, float]) -> list[str]:
    """Return a sentence if the linear read-out, or most read-outs, were better before the training than after it."""
    untrained = _accuracies(scores.get("untrained"))
    worse = {name: value for name, value in trained.items() if _is_less(value, untrained.get(name, 0.0), WORSE, scores)}
    if not worse or (len(worse) * 2 < len(trained) and "linear" not in worse):
        return []
    what = "lower plasticity.A_plus, or strengthen competition.c_w"
    name = "linear" if "linear" in worse else max(worse, key=lambda each: untrained[each] - worse[each])
    return [
        f"training has made it worse ({name}: {trained[name]:.1%}, untrained {untrained[name]:.1%}): read the health "
        f"that the training reported, {what if _is_stdp(scores) else ELSE}"
    ]


def _below_pixels(scores: Mapping[str, Any], trained: Mapping[str, float]) -> list[str]:
    pixels = _accuracies(scores.get("pixels"))
    gaps = {name: pixels[name] - trained[name] for name in pixels if name in trained}
    name = max(gaps, key=lambda each: gaps[each], default="")
    if not name or not _is_less(trained[name], pixels[name], BELOW_PIXELS, scores):
        return []
    what = "train on more images, with more channels, or start from a preset (`stdpnet config list`)"
    return [
        f"the pixels alone are much better ({name}: {trained[name]:.1%}, of the pixels {pixels[name]:.1%}): "
        f"{what if _is_stdp(scores) else ELSE}"
    ]
