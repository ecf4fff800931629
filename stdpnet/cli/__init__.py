"""The command line, one module per subject; each command imports what it needs when it is called."""

from __future__ import annotations

import logging
import sys
import warnings

import typer

from stdpnet.cli import (
    benchmark,
    comparison,
    config,
    data,
    evaluation,
    figures,
    report,
    reproduction,
    runs,
    sweeps,
    training,
    verification,
)
from stdpnet.errors import StdpnetError, StopRequestedError

app = typer.Typer(
    name="stdpnet",
    help="Unsupervised STDP learning on images: train, evaluate and compare spiking networks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # else each help loads rich with its Markdown parser, a third of the time
)
app.command("train")(training.train)
app.command("resume")(training.resume)
app.command("watch")(runs.watch)
app.command("runs")(runs.list_runs)
app.command("evaluate")(evaluation.evaluate)
app.command("info")(runs.info)
app.command("compare")(comparison.compare)
app.command("report")(report.report)
app.command("figures")(figures.figures)
app.command("verify")(verification.verify)
app.command("benchmark")(benchmark.benchmark)
app.command("sweep")(sweeps.sweep)
app.command("study")(sweeps.study)
app.add_typer(reproduction.app, name="reproduce")
app.add_typer(config.app, name="config")
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line; exit code 2 and one line on stderr for a StdpnetError, 128 + n after signal n."""
    warnings.showwarning = _show_warning
    for package in ("stdpnet", "stdpnet_analysis"):
        logging.getLogger(package).addHandler(_Printer(logging.WARNING))
    try:
        app()
    except StopRequestedError as stop:
        print(stop, file=sys.stderr)
        sys.exit(128 + stop.signal)
    except MemoryError:
        print("error: not enough memory; use fewer channels, shorter presentations or a larger dt", file=sys.stderr)
        sys.exit(2)
    except StdpnetError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def _show_warning(message: Warning | str, category: type[Warning], *place: object, **_: object) -> None:
    """Print a warning as one line, without the place in the code where it was raised."""
    print(f"warning: {message}", file=sys.stderr)


class _Printer(logging.Handler):
    """Prints what the library logs as `_show_warning` prints its warnings."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"{record.levelname.lower()}: {record.getMessage()}", file=sys.stderr, flush=True)
