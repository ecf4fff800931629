"""`stdpnet benchmark`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stdpnet.cli.common import JsonOption, SetOption, ThreadsOption, load, meter, print_json


def benchmark(
    config: Annotated[str, typer.Argument(metavar="[CONFIG]", help="A .toml file or the name of a preset.")] = (
        "lcsnn-100-k12"
    ),
    channels: Annotated[int | None, typer.Option("--channels", min=1, help="Channels; default: as configured.")] = None,
    rate: Annotated[float, typer.Option("--rate", min=0.001, help="Rate of a white pixel, Hz.")] = 127.5,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Blocks of 64 images; the best one counts.")] = 8,
    brian2: Annotated[int, typer.Option("--brian2", min=0, help="Images for the Brian2 engine; 0: none.")] = 50,
    overrides: SetOption = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how fast the compiled engine trains and answers, beside a bare add loop and Brian2."""
    keys = [f"encoder.max_rate={rate}", *([] if channels is None else [f"topology.channels={channels}"])]
    spec = load(config, [*keys, *(overrides or [])])
    from stdpnet.benchmark import benchmark as measure

    with meter("measuring", 0, quiet=as_json) as progress:
        result = measure(spec, threads=threads, rounds=rounds, brian2_images=brian2, progress=progress.advance)
    if as_json:
        print_json(result)
    else:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    """Print what was measured, stage by stage."""
    machine = result["machine"]
    print(f"{result['network']}, {result['competition']} competition, {result['dtype']}, {result['threads']} threads")
    print(f"{machine['processor']}, {machine['cores']} cores")
    print("microseconds per image:")
    for stage, value in result["microseconds_per_image"].items():
        print(f"  {stage.replace('_', ' '):10} {value:10.1f}")
    for name in ("train", "inference"):
        speed, share = result[f"{name}_images_per_s"], result[f"{name}_to_add_loop"]
        print(f"{name:10} {speed:8.0f} images/s, {share:.2f} of the time of a loop that only adds weights")
    if "train_to_brian2" in result:
        print(f"{'brian2':10} {result['brian2_images_per_s']:8.1f} images/s, 1/{result['train_to_brian2']:.0f} of ours")
