"""The command line, one module per subject; commands import what they need when they are called.

Typer makes an option of every parameter of a command's function, so some commands have more than eight parameters.
"""

from __future__ import annotations

import gc
import logging
import sys
import warnings
from functools import cache, partial
from typing import Annotated, Any

import typer

from stdpnet.cli import (
    benchmark,
    comparison,
    config,
    conversion,
    data,
    docs,
    doctor,
    evaluation,
    export,
    figures,
    importing,
    inspection,
    labels,
    prediction,
    report,
    reproduction,
    robustness,
    runs,
    show_model,
    sweeps,
    training,
    verification,
)
from stdpnet.cli.groups import command_group
from stdpnet.cli.last_resort import report_internal_error
from stdpnet.cli.streams import safe_streams
from stdpnet.cli.usage import UsageError, usage_sentence
from stdpnet.errors import ConfigError, StdpnetError, StopRequestedError
from stdpnet.reading import visible

COLLECTIONS = (50_000, 20, 50)
"""Thresholds of the garbage collector. The objects made by importing libraries stay; with Python's own thresholds,
looking through them again and again takes 7 % of the start of a command."""

app = command_group(
    "Unsupervised STDP learning on images: train, evaluate and compare spiking networks.",
    name="stdpnet",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command("train")(training.train)
app.command("resume")(training.resume)
app.command("watch")(runs.watch)
app.command("runs")(runs.list_runs)
app.command("evaluate")(evaluation.evaluate)
app.command("predict")(prediction.predict)
app.command("export")(export.export)
app.command("import")(importing.import_weights)
app.command("labels")(labels.labels)
app.command("robustness")(robustness.robustness)
app.command("conversion")(conversion.conversion)
app.command("info")(runs.info)
app.command("compare")(comparison.compare)
app.command("report")(report.report)
app.command("figures")(figures.figures)
app.command("inspect")(inspection.inspect)
app.command("verify")(verification.verify)
app.command("show-model")(show_model.show_model)
app.command("doctor")(doctor.doctor)
app.command("benchmark")(benchmark.benchmark)
app.command("docs")(docs.docs)
app.command("sweep")(sweeps.sweep)
app.add_typer(sweeps.study, name="study")
app.add_typer(reproduction.app, name="reproduce")
app.add_typer(config.app, name="config")
app.add_typer(data.app, name="data")


def _print_version(asked: bool) -> None:
    """Print the version and exit if it is asked for."""
    if asked:
        from importlib.metadata import version

        print(f"stdpnet {version('stdpnet')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an internal error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line.

    Exit code 2 and one line on stderr for a StdpnetError, 128 + n after signal n, 70 for an error that is a fault of
    stdpnet.
    """
    gc.set_threshold(*COLLECTIONS)
    warnings.showwarning = _show_warning
    for package in ("stdpnet", "stdpnet_analysis"):
        logging.getLogger(package).addHandler(_Printer(logging.WARNING))
    with safe_streams():
        sys.exit(_code())


def _code() -> int:
    """Run a command, write what it has printed, and return its exit code."""
    try:
        try:
            code = _command()() or 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        return code
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message(), file=sys.stderr)
            return 2
        return _printed(f"error: {usage_sentence(error)}", 2)
    except typer.Abort as abort:
        return _internal_error(abort.__cause__ or abort)  # an EOFError, which is a fault: no command asks for input
    except StopRequestedError as stop:
        return _printed(str(stop), 128 + stop.signal)
    except MemoryError:
        return _printed("error: not enough memory; use fewer channels, fewer or smaller images, or a larger dt", 2)
    except ConfigError as error:
        return max(_printed(f"error: {sentence}", 2) for sentence in error.args)
    except StdpnetError as error:
        return _printed(f"error: {error}", 2)
    except Exception as error:
        return _internal_error(error)


@cache
def _command() -> Any:
    """Return a function that runs a command and returns its exit code; typer reads the options from signatures."""
    return partial(typer.main.get_command(app), prog_name="stdpnet", standalone_mode=False)


def _printed(sentence: str, code: int) -> int:
    """Print a sentence on stderr, and return the exit code."""
    print(visible(sentence), file=sys.stderr)
    return code


def _internal_error(error: BaseException) -> int:
    return report_internal_error(error, debug="--debug" in sys.argv[1:])


def _show_warning(message: Warning | str, category: type[Warning], *place: object, **_: object) -> None:
    """Print a warning as one line, without the place in the code where it was raised."""
    print(f"warning: {visible(str(message))}", file=sys.stderr)


class _Printer(logging.Handler):
    """Prints what the library logs as `_show_warning` prints its warnings."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"{record.levelname.lower()}: {visible(record.getMessage())}", file=sys.stderr, flush=True)
