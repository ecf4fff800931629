"""Groups of commands, whose help shows the whole sentence of each command."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """A group whose help has the whole sentence of each command; typer would cut it after one line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each command with its sentence, on several lines if necessary."""
        commands = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help or "") for name, command in commands])


def command_group(help: str, commands: type[Commands] = Commands, **settings: Any) -> typer.Typer:
    """Return an empty group of commands; without the name of a command it prints its help."""
    return typer.Typer(
        cls=commands,
        help=help,
        no_args_is_help=True,
        rich_markup_mode=None,  # else each help loads rich with its Markdown parser, a third of the time
        **settings,
    )
