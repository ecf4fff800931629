"""Describe the wrong use of a command in one sentence that names option, value and remedy."""

from __future__ import annotations

import re
from typing import Any

import typer

UsageError: Any = typer.BadParameter.__base__
"""The error of every wrong use of a command, which typer does not export."""


def usage_sentence(error: Any) -> str:
    """Return what a UsageError says as one sentence.

    Examples
    --------
    >>> usage_sentence(typer.BadParameter("Value error, 'a' is not one of 'b', 'c'.", param_hint="'--split'"))
    "--split: 'a' is not one of 'b', 'c'; `stdpnet -h` lists what is valid"
    """
    text = error.format_message().rstrip(".").replace(". Did", "; did")
    found = re.fullmatch(r"Invalid value for '(.+?)': (?:Value error, )?(.+)", text, re.DOTALL)
    option, message = found.groups() if found else ("", text)
    sentence = f"{option}: " * bool(option) + message[:1].lower() + message[1:]
    if message.startswith("Input should"):  # a message of pydantic, which lacks the value
        sentence += f", got {error.__cause__.errors()[0]['input']}"
    if "did you mean" in sentence:
        return sentence
    command = error.ctx.command_path if error.ctx else "stdpnet"
    return f"{sentence}; `{command} -h` lists what is valid"
