"""Compose the chapter of one run: sentence, facts, scores, health, figures, configuration, provenance, commands."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from stdpnet.errors import StdpnetError
from stdpnet.model import Finding, open_model
from stdpnet.runs.scores import are_spikes, linear_readout
from stdpnet.runs.summary import Summary, summarise
from stdpnet.spec.base import Spec
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.load import dump_config
from stdpnet_analysis import figures
from stdpnet_analysis.progress import Progress
from stdpnet_analysis.readouts.scores import accuracies, best_of
from stdpnet_analysis.report import scores
from stdpnet_analysis.report.images import Image, encode
from stdpnet_analysis.text import count
from stdpnet_analysis.view import TITLES, RunView

SECTIONS: dict[str, tuple[str, ...]] = {
    "Curves": ("learning-curve", "progress", "plasticity", "gradients"),
    "Receptive fields": ("receptive-fields", "neuron", "weight-histograms"),
    "Activity": ("input", "raster", "membrane", "firing-rates", "activity-map", "layers", "conversion"),
    "Competition": ("competition", "clamping"),
    "Votes": ("votes",),
    "Confusion": ("confusion", "class-accuracy"),
    "Reliability": ("reliability",),
    "Labels needed": ("labels",),
    "Robustness": ("channels-kept", "synapses-deleted", "robustness"),
}
"""Heading -> beginnings of the names of its figures."""
ELSEWHERE = "More figures"
"""Heading of all other figures."""
STATISTICS = {
    "spikes_per_image": ("spikes per image", "{:.1f}"),
    "silent_images": ("silent images", "{:.2%}"),
    "dead_neurons": ("neurons without a spike", "{:.1%}"),
    "dead_units": ("dead units", "{:.1%}"),
    "largest_share": ("largest share of a position's spikes", "{:.0%}"),
    "weight_change": ("mean change of a weight", "{:.2g}"),
    "at_w_min": ("weights at w_min", "{:.1%}"),
    "at_w_max": ("weights at w_max", "{:.1%}"),
    "theta": ("θ, median (5–95 %)", "{0[p50]:.2f} ({0[p5]:.2f}–{0[p95]:.2f}) mV"),
}
"""Key of a row of progress -> its name in the chapter, and the format of its value."""
IDENTIFYING = {
    "model",
    "seed",
    "dataset.name",
    "features.kind",
    "topology.architecture",
    "topology.channels",
    "topology.kernel",
    "training.images",
    "competition.rule",
    "competition.c_w",
}
"""Keys that the chapter lists also where they have their default."""


class Section(NamedTuple):
    """Figures under a heading, and the reasons why others are missing."""

    title: str
    images: list[Image]
    missing: list[str]


def chapter(view: RunView, anchor: str, progress: Progress) -> dict[str, Any]:
    """Return the chapter of a run, as text and images.

    Parameters
    ----------
    view : the run
    anchor : unique in the page
    progress : advances by 1 with each figure
    """
    return {**summary_of(view), "anchor": anchor, "sections": _sections(view, progress)}


def summary_of(view: RunView) -> dict[str, Any]:
    """Return all text and numbers of a run's chapter; no figure is drawn."""
    run, summary = view.run, summarise(view.run)
    return {
        "name": run.path.name,
        "path": str(run.path),
        "title": view.facts.label,
        "sentence": _sentence(view, summary),
        "facts": _facts(view, summary),
        "scores": scores.table(held, view.split, summary.images) if (held := _held_scores(view)) else None,
        "health": _health(view, summary),
        "changed": changed_keys(view.experiment),
        "config": dump_config(view.experiment),
        "provenance": _provenance(view),
        "commands": commands(view),
    }


def planned_figures(view: RunView) -> list[str]:
    """Return the names of the figures that the report will have."""
    return figures.available(view)


def _sections(view: RunView, progress: Progress) -> list[Section]:
    """Return the figures by section; where a figure raises StdpnetError, its section says why it is missing."""
    reasons = {
        name: reason
        for name, reason in figures.missing(view).items()
        if "other runs" not in figures.FIGURES[name].needs and figures.FIGURES[name].is_for(view.experiment.model)
    }
    drawn: dict[str, list[Image]] = {title: [] for title in (*SECTIONS, ELSEWHERE)}
    for name in planned_figures(view):
        try:
            image = encode(figures.draw(view, name), name, figures.FIGURES[name].description)
            drawn[section_of(name)].append(image)
        except StdpnetError as error:
            reasons[name] = str(error)
        progress.advance(1, name)
    missing: dict[str, dict[str, list[str]]] = {title: {} for title in drawn}
    for name, reason in reasons.items():
        missing[section_of(name)].setdefault(reason, []).append(name)
    if (no_network := view.lacks("spiking network")) is not None:
        for reasons_of in missing.values():
            if names := reasons_of.pop(no_network, []):
                missing[ELSEWHERE].setdefault(no_network, []).extend(names)
    return [
        Section(
            title,
            images,
            [f"Not shown: {', '.join(names)}: {reason}" for reason, names in missing[title].items()],
        )
        for title, images in drawn.items()
        if images or missing[title]
    ]


def section_of(name: str) -> str:
    """Return the heading under which a figure stands."""
    matches = (title for title, stems in SECTIONS.items() if name.startswith(stems))
    return next(matches, ELSEWHERE)


def _known_scores(view: RunView) -> dict[str, Any] | None:
    """Return the scores of the state in view; None if there are none, or no state."""
    return None if view.lacks("state") else view.scores


def _held_scores(view: RunView) -> dict[str, Any] | None:
    """Return the scores in the run, even if they are of an earlier state; None if there are none."""
    return None if view.lacks("state") else view.run.load_scores(view.split, view.snapshot)


def _sentence(view: RunView, summary: Summary) -> str:
    """Return the run in one sentence."""
    dataset = TITLES.get(summary.dataset, summary.dataset)
    begin = f"{view.facts.label} on {dataset}: {count(summary.images)} of {count(summary.goal)} training "
    begin += f"images seen, {summary.state}"
    known = _known_scores(view)
    if known is None:
        return f"{begin}; {_unscored(view, summary)}."
    accuracy, parts = accuracies(known), []
    if (rule := best_of("vote", accuracy)) is not None:
        parts.append(f"{100 * accuracy[rule]:.1f} % by votes ({rule})")
    if "log_evidence" in accuracy:
        parts.append(f"{100 * accuracy['log_evidence']:.1f} % by log evidence")
    if (linear := linear_readout(known["readouts"])) is not None:
        parts.append(f"{100 * accuracy[linear]:.1f} % by the linear read-out")
    if "own" in accuracy:
        parts.append(f"{100 * accuracy['own']:.1f} % by its own answers")
    return f"{begin}; {view.split} accuracy {', '.join(parts)}."


def _unscored(view: RunView, summary: Summary) -> str:
    """Return why there are no scores of the state in view."""
    stale = [scores for scores in summary.scores if scores.stale and scores.snapshot == view.snapshot]
    if not stale:
        return "not scored yet"
    return (
        f"its scores are those of an earlier state, after {count(stale[0].training_images)} images; "
        f"stdpnet evaluate {view.run.path} scores it again"
    )


def _facts(view: RunView, summary: Summary) -> dict[str, str]:
    """Return the numbers at the top of the chapter."""
    model, known = view.facts, _known_scores(view)
    channels, details = model.units // model.positions, {**model.details}
    synapses = (f"{count(number)} {name}" for name, number in model.synapses.items())
    facts = {
        "state": summary.state,
        "training images": f"{count(summary.images)} of {count(summary.goal)}",
        "positions × channels": f"{model.positions} × {channels} = {count(model.units)} units",
        "synapses": " + ".join(synapses),
        **({"competition": str(details["competition"])} if "competition" in details else {}),
        "seed": str(summary.seed),
    }
    if summary.images_per_s is not None:
        facts["training speed"] = f"{count(summary.images_per_s)} images/s"
    if known is not None and {"spikes_per_image", "silent_images"} <= known.keys():
        counted = "spikes" if are_spikes(known.get("cost", {})) else "counts"
        facts[f"{counted} per image"] = f"{known['spikes_per_image']:.1f}"
        facts["silent images"] = f"{known['silent_images']:.2%}"
    return facts


def _health(view: RunView, summary: Summary) -> dict[str, Any]:
    """Return the findings with their intervals, a verdict, and the newest statistics."""
    watched = view.experiment.updated({"health.action": "warn"})  # also if the job had "ignore"
    rows, last = view.progress, summary.progress
    found: dict[str, tuple[int, int, str]] = {}
    for row in rows:
        for finding in _findings(watched, row):
            begin = found[finding.name][0] if finding.name in found else row["images"]
            found[finding.name] = (begin, row["images"], finding.message)
    if not rows or last is None:
        return {"verdict": "No row of progress yet.", "findings": [], "facts": {}}
    findings = [
        f"{name} ({_when(begin, end, last['images'])}): {message}" for name, (begin, end, message) in found.items()
    ]
    now = [name for name, (_, end, _) in found.items() if end == last["images"]]
    verdict = f"Now: {', '.join(now)}." if now else "Healthy." if not found else "Healthy now, but not always."
    facts = {}
    for key, (name, form) in STATISTICS.items():
        with contextlib.suppress(KeyError, TypeError):  # an older version, or another model, has no such number
            facts[name] = form.format(last[key])
    return {"verdict": verdict, "findings": findings, "facts": facts}


def _findings(spec: Experiment, row: Mapping[str, Any]) -> list[Finding]:
    """Return what is unhealthy in a row; nothing if it lacks a number, as rows of older versions may."""
    try:
        return open_model(spec).findings(spec, row)
    except (KeyError, TypeError):
        return []


def _when(begin: int, end: int, now: int) -> str:
    until = "now" if end == now else f"image {end}"
    return until if begin == end else f"image {begin} to {until}"


def changed_keys(spec: Experiment) -> list[tuple[str, str, str]]:
    """Return key, value and meaning of the keys that differ from their defaults, and of those in IDENTIFYING."""
    rows, default = [], type(spec)()
    for name in type(spec).model_fields:
        part, usual = getattr(spec, name), getattr(default, name)
        pairs = [(f"{name}.", key, part, usual) for key in type(part).model_fields] if isinstance(part, Spec) else []
        for table, key, owner, its_default in pairs or [("", name, spec, default)]:
            value = getattr(owner, key)
            if value != getattr(its_default, key) or f"{table}{key}" in IDENTIFYING:
                meaning = " ".join((type(owner).model_fields[key].description or "").split())
                shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
                rows.append((f"{table}{key}", shown, meaning.replace("`", "")))
    return rows


def _provenance(view: RunView) -> dict[str, str]:
    recorded = view.run.provenance
    machine, versions = recorded["machine"], recorded["versions"]
    events = (f"{event['event']} at image {event.get('images', '?')}, {event['time']}" for event in view.run.events())
    return {
        "created": recorded["created"],
        "command": shlex.join(recorded["command"]),
        "git commit": recorded["git"] or "unknown (not a checkout)",
        **({"engine": f"{recorded['engine']}, {recorded.get('dtype', '')}"} if "engine" in recorded else {}),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "machine": f"{machine['system']}, {machine['cores']} cores",
        "images": f"SHA-256 {recorded.get('dataset_sha256', 'unknown')}",
        "history": "; ".join(events),
    }


def commands(view: RunView) -> list[str]:
    """Return the commands that make this run, its scores, figures and report again, from its configuration."""
    run, recorded = view.run, view.run.provenance
    path = shlex.quote(str(run.path))
    again = shlex.quote(f"{run.path.name}-again")
    commit = (recorded["git"] or "").removesuffix("-dirty")
    begin = [f"git checkout {commit}"] if commit else []
    short = f" --set training.images={run.images}" if run.images != view.experiment.training.images else ""
    lines = [*begin, f"stdpnet train {path}/config.toml --run {again}{short}"]
    if (known := _known_scores(view)) is not None:
        lines += [f"stdpnet evaluate {again}{options}" for options in scores.evaluations(known)]
    return [*lines, f"stdpnet figures {again}", f"stdpnet report {again}"]
