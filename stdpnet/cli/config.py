"""`stdpnet config list`, `show`, `schema` and `suggest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from stdpnet.cli.common import (
    ConfigArgument,
    JsonOption,
    SetOption,
    ThreadsOption,
    check_new_file,
    keys_and_values,
    load,
    print_json,
    write_config,
)
from stdpnet.cli.groups import command_group
from stdpnet.cli.meters import meter

app = command_group("Show the presets and what every key means.")


Architecture = Literal["locally_connected", "convolutional", "fully_connected"]
"""Architectures of spiking networks."""


@app.command("list")
def list_presets(as_json: JsonOption = False) -> None:
    """List the presets."""
    from stdpnet.model import facts_of
    from stdpnet.spec.presets import preset, preset_names

    rows = []
    for name in preset_names():
        spec = preset(name)
        rows.append({"name": name, "dataset": spec.dataset.name, "synapses": facts_of(spec).total_synapses})
    if as_json:
        print_json({"presets": rows})
        return
    for row in rows:
        print(f"{row['name']:30} {row['dataset']:13} {row['synapses']:>10} synapses")


@app.command("show")
def show(config: ConfigArgument, overrides: SetOption = None, as_json: JsonOption = False) -> None:
    """Print a configuration as TOML with every default written out and every key explained."""
    from stdpnet.spec.load import dump_config
    from stdpnet.spec.schema import schema_line

    spec = load(config, overrides)
    if as_json:
        print_json(spec.model_dump(mode="json"))
    else:
        print(f"{schema_line()}{dump_config(spec, documented=True)}", end="")


@app.command("schema")
def schema() -> None:
    """Print the JSON schema of configurations, by which editors complete keys and mark mistakes."""
    from stdpnet.spec import schema

    print_json(schema.schema())


@app.command("suggest")
def suggest(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="A set's name, a folder of class folders, an .npz or .amat file.")
    ],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="A new .toml file.")] = Path(
        "suggested.toml"
    ),
    architecture: Annotated[
        Architecture, typer.Option("--architecture", help="Own weights at each position, shared ones, or one position.")
    ] = "locally_connected",
    channels: Annotated[int, typer.Option("--channels", min=1, help="Neurons per position.")] = 25,
    kernel: Annotated[int, typer.Option("--kernel", min=1, help="Side of a receptive field, pixels.")] = 12,
    stride: Annotated[int, typer.Option("--stride", min=1, help="Distance of receptive fields, pixels.")] = 4,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A key of the dataset, such as resize=32.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of all random numbers.")] = 0,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Suggest a configuration for images: from their statistics and short trainings, without labels."""
    from stdpnet.data.inspection import spec_of
    from stdpnet.stdp import suggestion

    check_new_file("--output", output, (".toml",))
    spec = spec_of(dataset).updated(keys_and_values(overrides, "--set", "resize=32"))
    options: dict[str, Any] = {"channels": channels, "kernel": kernel, "stride": stride, "seed": seed}
    with meter("probes", suggestion.PROBES, quiet=as_json) as progress:
        found = suggestion.suggest(
            spec, architecture=architecture, threads=threads, progress=progress.advance, **options
        )
    write_config(output, found.spec, *found.reasons)
    if as_json:
        print_json({"config": str(output), "reasons": found.reasons, "spec": found.spec.model_dump(mode="json")})
        return
    print("\n".join(found.reasons))
    print(f"next: stdpnet train {output}, then stdpnet evaluate {output.stem}-{found.spec.seed} --split validation")
