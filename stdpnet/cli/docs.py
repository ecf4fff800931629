"""`stdpnet docs`: the pages of the documentation, which the package contains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import stdpnet
from stdpnet.cli.common import JsonOption, print_json
from stdpnet.errors import ConfigError, remedy_for

PACKAGE = Path(stdpnet.__file__).parent
FOLDERS = (PACKAGE / "pages", PACKAGE.parent / "docs")
"""Where the pages are: in an installed package, in a clone."""


def pages() -> dict[str, str]:
    """Return the text of each page, in Markdown, by name."""
    found = (sorted(folder.glob("*.md")) for folder in FOLDERS)
    return {path.stem: path.read_text(encoding="utf-8") for path in next(filter(None, found), [])}


def complete_page(incomplete: str) -> list[str]:
    """Return the names of pages that begin with a text, for the completion of a shell."""
    return [name for name in pages() if name.startswith(incomplete)]


def docs(
    page: Annotated[
        str | None, typer.Argument(metavar="PAGE", help="Name of the page.", autocompletion=complete_page)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the pages of the documentation, or print one as Markdown."""
    found = pages()
    if page is None:
        titles = {name: text.partition("\n")[0].removeprefix("# ") for name, text in found.items()}
        if as_json:
            print_json({"pages": titles})
            return
        for name, title in titles.items():
            print(f"{name:20} {title}")
        return
    name = Path(page).stem  # `docs/model.md`, as the code cites it, is the page `model`
    if name not in found:
        remedy = remedy_for(name, found, "`stdpnet docs` lists the pages")
        raise ConfigError(f"PAGE: there is no page '{page}'; {remedy}")
    if as_json:
        print_json({"page": name, "text": found[name]})
    else:
        print(found[name], end="")
