"""Pages of the site that are made from pages outside of docs/, from the code, and from the lists of index.md."""

import inspect
import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = "_generated"
RENDERED = {
    "README.md": "index.md",
    "CHANGELOG.md": f"{FOLDER}/changelog.md",
    "CONTRIBUTING.md": f"{FOLDER}/contributing.md",
    "runs/README.md": f"{FOLDER}/run-directories.md",
    "analysis/README.md": f"{FOLDER}/arrays.md",
    "analysis/paper/README.md": f"{FOLDER}/thesis.md",
    "stdpnet/__init__.py": f"{FOLDER}/python.rst",
    "stdpnet/cli/__init__.py": f"{FOLDER}/commands.md",
    "configs/digits.toml": f"{FOLDER}/configuration.md",
    "docs/tutorial/plot_receptive_fields.py": f"{FOLDER}/tutorial/plot_receptive_fields.rst",
}
"""Files of the repository, and the pages of the site that show them; paths of pages count from docs/."""


def write(docs: Path) -> None:
    """Write the pages that are made from other files into docs/_generated."""
    folder = docs / FOLDER
    folder.mkdir(exist_ok=True)
    for source, page in RENDERED.items():
        if source.endswith(".md") and page.startswith(FOLDER):
            _write(docs / page, relinked((ROOT / source).read_text(), source, page))
    _write(folder / "python.rst", python_page())
    _write(folder / "commands.md", commands_page())
    _write(folder / "configuration.md", configuration_page())
    for name, text in sections().items():
        _write(folder / f"{slug(name)}.md", section_page(name, text))


def read(page: str, text: str) -> str:
    """Return the text of a page with links that lead to pages of the site, and the index with the navigation."""
    if page.startswith(FOLDER) or not (ROOT / "docs" / f"{page}.md").exists():
        return text
    text = relinked(text, f"docs/{page}.md", f"{page}.md")
    return text + toctree([f"{FOLDER}/{slug(name)}" for name in sections()]) if page == "index" else text


def relinked(text: str, source: str, page: str) -> str:
    """Return Markdown of a file of the repository with its links changed to those of a page of the site."""

    def link(match: re.Match[str]) -> str:
        target, _, fragment = match[1].partition("#")
        if not target or re.match(r"\w+:", target):
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(source), target))
        shown = RENDERED.get(path) or RENDERED.get(f"{path}/README.md") or os.path.relpath(path, "docs")
        relative = os.path.relpath(shown, os.path.dirname(page) or ".")
        return f"]({relative}{'#' + fragment if fragment else ''})"

    return re.sub(r"\]\(([^)\s]+)\)", link, text)


def sections() -> dict[str, str]:
    """Return the sections of index.md: heading and list."""
    text = (ROOT / "docs/index.md").read_text()
    found = re.findall(r"^## (.+)\n\n((?:- .+\n(?:  .+\n)*)+)", text, re.MULTILINE)
    return dict(found)


def section_page(name: str, text: str) -> str:
    """Return a section of index.md as a page that leads to the pages of its list."""
    page = f"{FOLDER}/{slug(name)}.md"
    text = relinked(text, "docs/index.md", page)
    targets = [os.path.splitext(target)[0] for target in re.findall(r"^- \[[^]]+\]\(([^)]+)\)", text, re.MULTILINE)]
    return f"# {name}\n\n{text}{toctree(targets)}"


def toctree(targets: list[str]) -> str:
    """Return a hidden table of contents."""
    return "\n```{toctree}\n:hidden:\n" + "\n".join(targets) + "\n```\n"


def slug(name: str) -> str:
    """Return a heading as a file name."""
    return "section-" + name.lower().replace(" ", "-")


def python_page() -> str:
    """Return the page of the public names, grouped as in the docstring of the package."""
    import stdpnet

    lines, shown = ["Python", "======", "", ".. currentmodule:: stdpnet", ""], set[str]()
    for title, text in re.findall(r"^(\w.+)\n((?:    .+\n)+)", stdpnet.__doc__ or "", re.MULTILINE):
        names = [name for name in re.findall(r"`(\w+)`", text) if name in set(dir(stdpnet)) - shown]
        shown.update(names)
        lines += [title, "-" * len(title), "", inspect.cleandoc(text), "", *_autosummary(names)]
    analysis = ["Analysis", "--------", "", ".. currentmodule:: stdpnet_analysis", ""]
    return "\n".join([*lines, "", *analysis, *_autosummary(["evaluate"])])


def _autosummary(names: list[str]) -> list[str]:
    return [".. autosummary::", "   :toctree: python", "", *(f"   {name}" for name in names), ""]


def commands_page() -> str:
    """Return the page of the commands: what `--help` prints."""
    import typer

    from stdpnet.cli import app

    lines = ["# Commands", ""]
    _describe(typer.main.get_command(app), "stdpnet", None, lines)
    return "\n".join(lines)


def _describe(command, name: str, parent, lines: list[str]) -> None:
    """Add the help of a command, and of those below it."""
    context = command.context_class(command, info_name=name, parent=parent, terminal_width=100, max_content_width=100)
    lines += [f"## {context.command_path}", "", "```text", command.get_help(context).strip(), "```", ""]
    for below, each in getattr(command, "commands", {}).items():
        _describe(each, below, context, lines)


def configuration_page() -> str:
    """Return the page of the keys: a documented configuration of each model."""
    import stdpnet
    from stdpnet.spec.load import dump_config

    specs = [(name, stdpnet.load_config(name)) for name in stdpnet.preset_names()]
    lines = ["# Configuration keys", "", "Every key of each model with its unit, meaning and the value of a preset;"]
    lines += ["`stdpnet config show NAME` prints the same for any preset or file.", ""]
    for model in dict.fromkeys(spec.model for _, spec in specs):
        name, spec = next(each for each in specs if each[1].model == model)
        text = dump_config(spec, documented=True).strip()
        lines += [f"## {model}", "", f"`stdpnet config show {name}`", "", "```toml", text, "```", ""]
    return "\n".join(lines)


def _write(path: Path, text: str) -> None:
    """Write a file unless it has this text, so that Sphinx reads only what has changed."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
