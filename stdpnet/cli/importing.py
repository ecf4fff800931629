"""`stdpnet import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stdpnet.cli.common import ConfigArgument, JsonOption, SeedOption, SetOption, load, print_json


def import_weights(
    config: ConfigArgument,
    weights: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .npz with weights and theta, or a .npy with weights.")
    ],
    theta: Annotated[
        str | None, typer.Option("--theta", metavar="FILE", help="A .npy with theta, mV; zero: there is none.")
    ] = None,
    theta_scale: Annotated[
        float, typer.Option("--theta-scale", help="A factor of theta; 1000 where it was saved in volts.")
    ] = 1.0,
    run: Annotated[str | None, typer.Option("--run", help="Name or path of the new run.")] = None,
    seed: SeedOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a run of weights that BindsNET, Brian2 or another program has learned; `evaluate` scores it."""
    import numpy as np

    from stdpnet.errors import DataError
    from stdpnet_analysis.importing import import_run, read_arrays

    spec = load(config, overrides, seed=seed)
    arrays = read_arrays(weights)
    if theta == "zero":
        arrays["theta"] = np.zeros(())
    elif theta is not None:
        own = read_arrays(Path(theta))
        arrays["theta"] = own.get("theta", own.get("weights", np.zeros(0)))
    if "theta" not in arrays:
        raise DataError(
            f"{weights}: has no theta, without which a network is not complete; give --theta FILE, or --theta zero for "
            "neurons without an adaptive threshold"
        )
    made = import_run(spec, arrays, run, f"{Path(config).stem}-imported", theta_scale=theta_scale)
    if as_json:
        print_json({"run": str(made.path)})
    else:
        print(f"{made.path}: made; `stdpnet evaluate {made.path}` scores it")
