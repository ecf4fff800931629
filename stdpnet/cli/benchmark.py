"""`stdpnet benchmark`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stdpnet.cli.common import (
    FIGURE_ENDINGS,
    MOST_IMAGES,
    JsonOption,
    SetOption,
    ThreadsOption,
    as_json_text,
    check_new_file,
    check_spiking,
    load,
    print_json,
)
from stdpnet.cli.meters import meter
from stdpnet.errors import ConfigError


def benchmark(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A .toml file or the name of a preset.")] = (
        "lcsnn-100-k12-steady"
    ),
    channels: Annotated[int | None, typer.Option("--channels", min=1, help="Channels; default: as configured.")] = None,
    rate: Annotated[float, typer.Option("--rate", min=0.001, help="Rate of a white pixel, Hz.")] = 127.5,
    rounds: Annotated[
        int,
        typer.Option(
            "--rounds", min=1, max=10_000, help="How often a block of images is timed; the best round counts."
        ),
    ] = 20,
    warm_up: Annotated[
        int, typer.Option("--warm-up", min=0, max=MOST_IMAGES, help="Images to train on before the timing.")
    ] = 512,
    brian2: Annotated[
        int, typer.Option("--brian2", min=0, max=MOST_IMAGES, help="Images for the Brian2 engine; 0: none.")
    ] = 50,
    peer: Annotated[
        list[str] | None,
        typer.Option(
            "--peer", metavar="NAME[=PYTHON]", help="bindsnet or annarchy, and the interpreter that has it; repeatable."
        ),
    ] = None,
    peer_images: Annotated[
        int, typer.Option("--peer-images", min=1, max=MOST_IMAGES, help="Images for each --peer.")
    ] = 10,
    grow: Annotated[
        list[str] | None,
        typer.Option(
            "--grow",
            metavar="QUANTITY[=VALUES]",
            help="Measure the growth with channels, kernel, duration, rate, threads, or all: "
            "channels,rate or channels=25,100; repeatable.",
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="A new .pdf, .png or .svg file for the figure of --grow.")
    ] = None,
    job: Annotated[
        bool, typer.Option("--job", help="Time a whole job instead: train and evaluate as configured, by part.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", help="A new file for the JSON object.")] = None,
    overrides: SetOption = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how fast the compiled engine trains and evaluates, beside a bare add loop and other simulators."""
    if job:
        if peer or grow or figure:
            raise ConfigError("--job: times train and evaluate only; leave --peer, --grow and --figure out")
        check_new_file("--output", output)
        _measure_job(load(config, [*_channels(channels), *(overrides or [])]), threads, output, as_json)
        return
    check_spiking(load(config), "benchmark")
    spec = load(config, [f"encoder.max_rate={rate}", *_channels(channels), *(overrides or [])])
    if figure and not grow:
        raise ConfigError(f"--figure {figure}: draws what --grow measures; add --grow all")
    check_new_file("--output", output)
    check_new_file("--figure", figure, FIGURE_ENDINGS)
    from stdpnet_analysis.benchmark import Peer, Timing, growth, growth_plan, parse_growth
    from stdpnet_analysis.benchmark import benchmark as measure
    from stdpnet_analysis.readouts import ReadoutSettings, make_readouts

    plan, peers = growth_plan(spec, parse_growth(grow or [])), [Peer.parse(text) for text in peer or []]
    with meter("measuring", 0, quiet=as_json) as progress:
        timing = Timing(threads, rounds, warm_up)
        result = measure(
            spec,
            timing,
            brian2_images=brian2,
            readouts=make_readouts(spec.evaluation.readouts, ReadoutSettings(spec.geometry.positions)),
            peers=peers,
            peer_images=peer_images,
            progress=progress,
        )
        if plan:
            result["growth"] = growth(spec, plan, timing, progress=progress)
    _write(result, output)
    if figure:
        from stdpnet_analysis.benchmark.figure import save_growth

        save_growth(result["growth"], figure)
    if as_json:
        print_json(result)
    else:
        _print(result)


def _channels(channels: int | None) -> list[str]:
    return [] if channels is None else [f"topology.channels={channels}"]


def _measure_job(spec: Any, threads: int | None, output: Path | None, as_json: bool) -> None:
    """Measure a whole job; write and print the seconds of its parts."""
    from stdpnet_analysis.benchmark.job import PARTS, measure_job

    result = measure_job(spec, threads)
    _write(result, output)
    if as_json:
        print_json(result)
        return
    for part, seconds in result["seconds"].items():
        print(f"{PARTS[part]:20} {seconds:8.2f} s")
    print(f"{'in all':20} {result['total_seconds']:8.2f} s, peak memory {result['peak_memory_mb']:.0f} MB")


def _write(result: dict[str, Any], output: Path | None) -> None:
    """Write the measurements to a file where one is asked for."""
    if output:
        from stdpnet.runs.files import write_text

        write_text(output, as_json_text(result) + "\n")


def _print(result: dict[str, Any]) -> None:
    """Print the measurements."""
    machine = result["machine"]
    print(f"{result['network']}, {result['competition']} competition, {result['dtype']}, {result['threads']} threads")
    print(f"{machine['processor']}, {machine['cores']} cores")
    print("microseconds per image, on one thread; in brackets by how much the mean round exceeds the best:")
    for stage, value in result["microseconds_per_image"].items():
        print(f"  {stage.replace('_', ' '):11} {value:9.1f} (+{result['stage_noise_microseconds'][stage]:.1f})")
    print(f"  {'(add loop)':11} {result['add_loop_microseconds_per_image']:9.1f}")
    for name in ("train", "inference"):
        speed, share = result[f"{name}_images_per_s"], result[f"{name}_to_add_loop"]
        print(f"{name:10} {speed:8.0f} images/s, {share:.2f} of the time of a loop that only adds weights")
    print(f"{result['synaptic_events_per_s']:.3g} synaptic events/s, peak memory {result['peak_memory_mb']:.0f} MB")
    for name, other in result["simulators"].items():
        print(
            f"{name:10} {other['train_images_per_s']:8.1f} images/s in training (1/{result[f'train_to_{name}']:.0f}), "
            f"{other['inference_images_per_s']:.1f} in inference (1/{result[f'inference_to_{name}']:.0f})"
        )
    for row in result.get("growth", []):
        print(
            f"{row['quantity']:8} {row['value']:6g}: training {row['train_microseconds_per_image']:.1f} us, "
            f"inference {row['inference_microseconds_per_image']:.1f} us"
        )
