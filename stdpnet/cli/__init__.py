"""The command line: thin, one module per subject; each command imports what it needs when it is called."""

from __future__ import annotations

import sys

import typer

from stdpnet.cli import config, data, evaluation, training, verification
from stdpnet.errors import StdpnetError

app = typer.Typer(
    name="stdpnet",
    help="Unsupervised STDP learning on images: train, evaluate and compare spiking networks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("train")(training.train)
app.command("evaluate")(evaluation.evaluate)
app.command("info")(evaluation.info)
app.command("verify")(verification.verify)
app.add_typer(config.app, name="config")
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2."""
    try:
        app()
    except StdpnetError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
