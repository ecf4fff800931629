"""`stdpnet config list`, `show` and `schema`."""

from __future__ import annotations

import typer

from stdpnet.cli.common import ConfigArgument, JsonOption, SetOption, load, print_json

app = typer.Typer(help="Show the presets and what every key means.", no_args_is_help=True, rich_markup_mode=None)


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
        print(f"{row['name']:30} {row['dataset']:8} {row['synapses']:>10} synapses")


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
    from stdpnet.spec.schema import FILE

    print(FILE.read_text(encoding="utf-8"), end="")
