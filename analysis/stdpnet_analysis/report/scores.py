"""Compose the scores of a run: their table, and the commands that make them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stdpnet.runs.scores import KIND, SCALING, C, role
from stdpnet_analysis.readouts import DEFAULT, READOUTS
from stdpnet_analysis.text import count, error_cell, score_cell


def table(scores: Mapping[str, Any], split: str, images_now: int) -> dict[str, Any]:
    """Return the table of accuracies on a split: caption, headings, and a row of text for each read-out.

    Parameters
    ----------
    scores : those in the run
    split : the scored split
    images_now : training images of the run so far; scores of an earlier state are marked as stale
    """
    seen = scores["protocol"]["training_images"]
    stale = scores["protocol"].get("snapshot", "last") == "last" and seen < images_now
    columns = {
        "trained, stale" if stale else "trained": scores,
        "untrained": scores.get("untrained"),
        "pixels": scores.get("pixels"),
    }
    protocol = scores["protocol"]
    rows = []
    for name, score in scores["readouts"].items():
        found = ((column or {}).get("readouts", {}).get(name) for column in columns.values())
        rows.append([name, *map(score_cell, found), error_cell(score)])
    return {
        "caption": (
            f"{f'Stale: of the state after {count(seen)} images. ' if stale else ''}"
            f"Accuracy on {count(protocol.get('images'))} {split} images, %; in brackets the 95 % interval "
            f"(Wilson). Calibrated on {count(protocol.get('calibration_images'))} labelled images that the training "
            "never saw. ECE: expected calibration error of the trained network's probabilities, %. "
            f"{_settings(scores['readouts'])}"
        ),
        "headings": [*columns, "ECE"],
        "rows": rows,
    }


def _settings(readouts: Mapping[str, Any]) -> str:
    """Return the settings of the linear read-outs."""
    sentences = []
    for name, score in readouts.items():
        if settings := score.get("settings"):
            inverse = f", C = {settings['C']:g}" if "C" in settings else ""
            scaling = f", scaling {settings['scaling']}" if "scaling" in settings else ""
            chosen = f", chosen by cross-validation in {settings['folds']} parts" if "folds" in settings else ""
            sentences.append(f"{name}: {settings.get('kind', KIND)}{inverse}{scaling}{chosen}.")
    return " ".join(sentences)


def evaluations(scores: Mapping[str, Any]) -> list[str]:
    """Return the options of the `stdpnet evaluate` commands that make these scores, one for each linear read-out."""
    usual = {"split": "test", "snapshot": "last", "readouts": DEFAULT, "linear": KIND, "C": C, "scaling": SCALING}
    readouts = scores["readouts"]
    linear = [name for name, score in readouts.items() if role(name, score) == "linear"]
    scored = {*readouts, *(["linear"] if linear else [])} - {"own"}
    names = tuple(name for name in READOUTS if name in scored) or ("own",)
    options = []
    for number, entry in enumerate(linear or [""]):
        settings = readouts.get(entry, {}).get("settings", {})
        chosen = {**scores["protocol"], "linear": settings.get("kind", KIND), "C": settings.get("C", C)}
        chosen |= {"scaling": settings.get("scaling", SCALING), "readouts": ("linear",) if number else names}
        changed = {key: chosen[key] for key, value in usual.items() if chosen.get(key, value) != value}
        words = {key: ",".join(value) if isinstance(value, tuple) else value for key, value in changed.items()}
        options.append("".join(f" --{key} {value}" for key, value in words.items()))
    return options
