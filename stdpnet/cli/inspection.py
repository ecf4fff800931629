"""`stdpnet inspect`."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import typer


def inspect(
    folder: Annotated[Path, typer.Argument(metavar="RUNS_DIR", help="A folder of runs.")] = Path("runs"),
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; any but this machine's own asks for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0: any free one.")] = 5050,
) -> None:
    """Show the runs of a folder in the browser until Ctrl-C: watch, compare, look inside; nothing is written."""
    from stdpnet.extras import require

    require("inspect")
    from stdpnet_analysis.inspector.server import serve

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(folder, host, port, lambda address: print(f"{address}  (Ctrl-C ends it)", flush=True)))
