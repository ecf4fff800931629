"""`stdpnet doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from stdpnet.cli.common import JsonOption, print_json
from stdpnet.reading import visible


def doctor(
    engines: Annotated[
        bool, typer.Option("--engines/--no-engines", help="Also compare both engines on five images.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Examine the installation: versions, compiler, cores, caches, data, and whether both engines agree."""
    from stdpnet.doctor import examine

    found = []
    for check in examine(engines):
        found.append(check)
        if not as_json:
            print(f"{check.state:8} {check.name}: {visible(check.message)}", flush=True)
    healthy = all(check.state != "failed" for check in found)
    if as_json:
        print_json({"healthy": healthy, "checks": [check._asdict() for check in found]})
    if not healthy:
        raise typer.Exit(1)
