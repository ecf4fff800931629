"""`stdpnet evaluate`."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Annotated, Any, Literal

import typer

from stdpnet.cli.common import (
    AtOption,
    BaselinesOption,
    JsonOption,
    ReadoutsOption,
    RunsArgument,
    SchedulerFileOption,
    SchedulerOption,
    ScoredSplit,
    ThreadsOption,
    console_of_plain_text,
    every_run,
    operating_point,
    print_json_of_runs,
    readout_names,
)
from stdpnet.cli.meters import meter
from stdpnet.errors import ConfigError

Linear = Literal["logistic", "sgd"]
"""Kinds of the linear read-out."""
Scaling = Literal["standardised_roots", "roots", "none"]
"""What the logistic read-out does to the counts."""


def evaluate(
    runs: RunsArgument,
    split: Annotated[
        ScoredSplit, typer.Option("--split", help="test for the final result, validation for tuning.")
    ] = "test",
    readouts: ReadoutsOption = None,
    linear: Annotated[
        Linear, typer.Option("--linear", help="logistic: on scaled counts; sgd: the thesis's, on raw counts.")
    ] = "logistic",
    C: Annotated[
        float, typer.Option("--C", min=1e-9, help="Inverse regularisation strength of the linear read-out.")
    ] = 0.01,
    scaling: Annotated[
        Scaling, typer.Option("--scaling", help="Of the counts, for logistic: square roots, standardised or not; none.")
    ] = "standardised_roots",
    baselines: BaselinesOption = True,
    snapshot: Annotated[
        str, typer.Option("--snapshot", help="last, or best: the best by validation that the learning curve kept.")
    ] = "last",
    at: AtOption = None,
    threads: ThreadsOption = None,
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Calibrate the networks of runs on labelled images and score them, one after the other."""
    if not math.isfinite(C):
        raise ConfigError(f"--C {C}: is no finite number; choose one such as 0.01")
    opened = every_run(runs)
    from stdpnet_analysis import evaluation
    from stdpnet_analysis.verdict import verdict

    results = []
    with ExitStack() as cluster:
        responder = None
        if scheduler is not None or scheduler_file is not None:
            from stdpnet_analysis.cluster.pool import pool
            from stdpnet_analysis.cluster.responses import responder as responder_of

            responder = responder_of(cluster.enter_context(pool(scheduler, scheduler_file)))
        options: dict[str, Any] = {"readouts": readout_names(readouts), "linear": linear, "C": C}
        options |= {"scaling": scaling, "baselines": baselines, "snapshot": snapshot, "at": operating_point(at)}
        for run in opened:
            with meter() as progress:
                scores = evaluation.evaluate(
                    run, split, threads=threads, progress=progress, responder=responder, **options
                )
            results.append({"run": str(run.path), **scores, "verdict": verdict(scores)})
            if not as_json:
                _print_scores(str(run.path), scores)
                for sentence in verdict(scores):
                    print(f"verdict: {sentence}")
    if as_json:
        print_json_of_runs(results)


def _print_scores(title: str, scores: dict[str, Any]) -> None:
    """Print a table: a row per read-out, beside the untrained network and the pixels."""
    from rich.table import Table

    from stdpnet.runs.scores import are_spikes
    from stdpnet_analysis.text import error_cell, score_cell

    protocol, console = scores["protocol"], console_of_plain_text()
    table = Table(
        title=f"{title}: accuracy on {protocol['images']} {protocol['split']} images of {protocol['dataset']}, %",
        caption=(
            f"trained on {protocol['training_images']} images {_labels(protocol['training_labels'])}, "
            f"calibrated on {protocol['calibration_images']} with labels{_point(protocol)}; "
            "in brackets: 95 % interval (Wilson)"
        ),
    )
    for heading in ("read-out", "trained", "untrained", "pixels"):
        table.add_column(heading, justify="left" if heading == "read-out" else "right")
    for name in scores["readouts"]:
        cells = [scores, scores.get("untrained"), scores.get("pixels")]
        table.add_row(name, *(score_cell((cell or {}).get("readouts", {}).get(name)) for cell in cells))
    console.print(table)
    errors = ", ".join(
        f"{name} {error_cell(score)}" for name, score in scores["readouts"].items() if "reliability" in score
    )
    if errors:
        print(f"expected calibration error of the probabilities, %: {errors}")
    counted = "spikes" if are_spikes(scores["cost"]) else "counts"
    print(
        f"{scores['spikes_per_image']:.1f} {counted} per image; "
        f"silent images: {scores['silent_images']:.2%}; results in {title}/scores*.json"
    )
    if "active_neurons" in scores:
        shares = ", ".join(f"{share:.1%}" for share in scores["active_neurons"])
        print(f"positions in which 0, 1, 2, 3 or more neurons spike: {shares}")
    for name, shares in scores.get("equal_counts", {}).items():
        print(
            f"positions that spike and answer the same if each weight of the learned {name} is replaced by the mean of "
            f"all: {shares['mean']:.1%}; by its initial value: {shares['initial']:.1%}"
        )


def _point(protocol: dict[str, Any]) -> str:
    """Return what differs from the training, as a part of a sentence."""
    return "".join(f", {key} = {value}" for key, value in protocol.get("at", {}).items())


def _labels(count: int) -> str:
    return f"with {count} labels" if count else "without labels"
