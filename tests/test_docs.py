"""What the code cites of docs/model.md exists there, and links between pages lead somewhere."""

import contextlib
import doctest
import importlib.util
import itertools
import os
import re
import runpy
import shlex
import sys
import tomllib
import types
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
import typer

import stdpnet
import stdpnet_analysis
from stdpnet.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("analysis/**/*.md")),
    ROOT / "runs/README.md",
]
SOURCES = [path for room in ("stdpnet", "analysis", "tests") for path in sorted((ROOT / room).rglob("*.py"))]

TO_WRITE = {"stdpnet/data/bars.py", "stdpnet/baselines/contrast.py"}
"""Files of the examples in docs/extending.md."""


def headings(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def anchor(heading):
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def citations(path):
    """Return what follows `docs/model.md, ` in a file, with line breaks and comment signs taken out."""
    text = re.sub(r"\s*\n[\s#]*", " ", path.read_text())
    return re.findall(r"docs/model\.md, ((?:steps? \d|[\"A-Z]).{1,80})", text)


def steps_of(cited):
    """Return the numbers of `step 6`, `steps 1, 2 and 4` or `steps 1 to 7`."""
    numbers = re.match(r"steps? ((?:\d|, | and | to )+)", cited)[1]
    first, *rest = map(int, re.findall(r"\d", numbers))
    return set(range(first, rest[0] + 1)) if " to " in numbers else {first, *rest}


def is_in_the_page(cited):
    names = headings(ROOT / "docs/model.md")
    if cited.startswith("step"):
        return steps_of(cited) <= {int(name[5]) for name in names if name.startswith("Step ")}
    return any(cited.strip('"').lower().startswith(name.lower()) for name in names)


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path != Path(__file__) and citations(path)], ids=lambda p: p.stem
)
def test_what_a_file_cites_of_the_model_page_exists(path):
    assert [cited for cited in citations(path) if not is_in_the_page(cited)] == []


def test_a_citation_of_nothing_is_found():
    assert all(map(is_in_the_page, ("step 6).", "steps 1, 2 and 4).", "steps 1 to 7", "Reading the activity).")))
    assert not any(map(is_in_the_page, ("step 8).", "steps 1 and 9).", "steps 5 to 8", "Weather).")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_resolve(page):
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        name, _, fragment = unquote(target).partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        if fragment:
            assert fragment in map(anchor, headings(other)), target


def files_named_in(text):
    """Return the paths and the names of modules in the text of a page; `room/{one,two}.py` names two of them."""
    named = set(re.findall(r"`((?:stdpnet|analysis|configs|tests|docs)/[\w/.-]+)`", text))
    for room, names, end in re.findall(r"`([\w/]*)(?:\{([\w,]+)\})?([\w/]*\.py)`", text):
        named |= {f"{room}{name}{end}" for name in names.split(",")}
    return named


def exists(name):
    """Return whether there is a file of a path, or anywhere a module that a page calls by the end of its path."""
    return (ROOT / name).exists() or any(f"/{path.relative_to(ROOT)}".endswith(f"/{name}") for path in SOURCES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_files_that_a_page_names_exist(page):
    named = files_named_in(page.read_text()) - TO_WRITE
    assert [name for name in sorted(named) if not exists(name)] == []


def test_a_file_that_is_not_there_is_found():
    named = files_named_in("`view.py`, `figures/{votes,smells}.py`, `docs/absent.md`, `view.pyc`, `python all.py`")
    assert named == {"view.py", "figures/votes.py", "figures/smells.py", "docs/absent.md"}
    assert {name for name in named if not exists(name)} == {"figures/smells.py", "docs/absent.md"}


def tables_of(text):
    """Return the tables of a page, each as its lines: what stands together and begins with a bar, outside of code."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in re.findall(r"(?:^ *\|.*\n?)+", text, re.MULTILINE)]


def has_a_header(table):
    """Return whether the second line of a table is the one of dashes under the header, without which all is text."""
    return len(table) > 2 and re.fullmatch(r" *\|(?: *:?-+:? *\|)+ *", table[1]) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_row_of_a_page_belongs_to_a_table_with_a_header(page):
    assert [table[0] for table in tables_of(page.read_text()) if not has_a_header(table)] == []


def test_a_row_that_a_blank_line_cuts_off_is_found():
    whole = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n"
    cut = tables_of(whole.replace("2 |\n", "2 |\n\n"))
    assert [has_a_header(table) for table in [*tables_of(whole), *cut]] == [True, True, False]


def test_the_index_leads_to_every_page():
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs/index.md").read_text()))
    assert linked == {page.name for page in ROOT.glob("docs/*.md")} - {"index.md"}


def commands_of(page):
    """Yield the words after `stdpnet` of each command in the blocks of a page, up to a pipe or another command."""
    for block in re.findall(r"^```(?!python|toml|json)\w*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if command := re.match(r"\s*(?:[A-Z_]+=\S+ |srun |exec )*stdpnet (.*)", line):
                words = shlex.split(command[1], comments=True)
                yield list(itertools.takewhile(lambda word: word not in ("|", "&", "&&", ";", ">"), words))


@pytest.fixture(scope="module")
def program():
    return typer.main.get_command(app)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_and_their_options_exist(page, program):
    for words in commands_of(page):
        command, rest = program, words
        while hasattr(command, "commands") and rest:
            named = rest[0] in command.commands
            name, rest = ("show", rest) if not named and command.name == "study" else (rest[0], rest[1:])
            assert name in command.commands, words
            command = command.commands[name]
        options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)} | {"-h", "--help"}
        given = {word.partition("=")[0] for word in rest if re.match(r"--?[A-Za-z]", word)}
        assert given <= options, words


@pytest.fixture(scope="module")
def site():
    """Return docs/pages.py, which makes the site's pages and navigation."""
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs/pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def targets_of(text):
    """Return the links of a page that lead to files, without their fragments."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    targets = (target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text))
    return [target for target in targets if target and not re.match(r"\w+:", target)]


def test_the_navigation_of_the_site_leads_to_every_page(site):
    listed = set()
    for name, text in site.sections().items():
        entries = re.search(r":hidden:\n(.*?)\n```", site.section_page(name, text), re.DOTALL)[1].split()
        listed |= {os.path.normpath(f"{site.FOLDER}/{entry}") for entry in entries}
    shown = {*site.RENDERED.values()} | {page.name for page in ROOT.glob("docs/*.md")}
    assert listed == {os.path.splitext(page)[0] for page in shown - {"index.md"}}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_to_pages_and_files_of_the_site(site, page):
    source = os.path.relpath(page, ROOT)
    shown = site.RENDERED.get(source, os.path.relpath(source, "docs"))
    for target in targets_of(site.relinked(page.read_text(), source, shown)):
        path = os.path.normpath(os.path.join(os.path.dirname(shown), target))
        assert path in site.RENDERED.values() or (ROOT / "docs" / path).exists(), target


@pytest.mark.parametrize("page", ["migrating", "notebooks", "own-images", "pipelines"])
def test_the_python_blocks_of_a_how_to_run(page, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    names = {}
    with contextlib.chdir(tmp_path):
        for block in re.findall(r"^```python\n(.*?)^```", (ROOT / f"docs/{page}.md").read_text(), re.M | re.S):
            exec(compile(block, f"{page}.md", "exec"), names)
    assert names


class MLflow(types.ModuleType):
    """What the observer of docs/tracking.md calls of mlflow, for one run."""

    def __init__(self):
        super().__init__("mlflow")
        self.started, self.open, self.steps, self.params, self.metrics = [], False, [], {}, {}

    def start_run(self, run_id, run_name):
        assert not self.open
        self.open = True
        self.started.append((run_id, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="7"), data=SimpleNamespace(metrics=self.metrics))

    def log_params(self, params):
        self.params |= params

    def log_artifact(self, path):
        assert Path(path).exists()

    def log_metrics(self, numbers, step):
        assert numbers["images"] == step
        self.metrics |= numbers
        self.steps.append(step)

    def end_run(self):
        self.open = False


def test_the_mlflow_observer_of_the_pages_logs_each_row_once(tmp_path, monkeypatch):
    fake = MLflow()
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    test_the_python_blocks_of_a_how_to_run("tracking", tmp_path, monkeypatch)
    assert fake.started == [(None, "tracked"), ("7", None)]
    assert fake.steps == [20, 40, 60]
    assert not fake.open
    assert fake.metrics["spikes_per_image"] > 0
    assert fake.params["topology.channels"] == 4


def test_the_tutorial_runs_and_learns(monkeypatch, capsys):
    monkeypatch.setenv("MPLBACKEND", "agg")
    names = runpy.run_path(str(ROOT / "docs/tutorial/plot_receptive_fields.py"))
    shares = [float(share) for share in re.findall(r"([\d.]+)% of the test images", capsys.readouterr().out)]
    assert len(shares) == 2
    assert min(shares) > 90
    assert names["state"].images == 2000


def test_what_is_cited_has_the_version_of_the_package():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"version {version} " in (ROOT / "docs/cite.md").read_text()
    assert f"stdpnet-{version}-py3" in (ROOT / "docs/install.md").read_text()


def test_the_command_lists_and_prints_the_pages(stdpnet_command):
    listed = stdpnet_command("docs").stdout.splitlines()
    assert {line.split()[0] for line in listed} == {page.stem for page in ROOT.glob("docs/*.md")}
    assert stdpnet_command("docs", "model").stdout == (ROOT / "docs/model.md").read_text()
    assert stdpnet_command("docs", "docs/model.md").stdout == (ROOT / "docs/model.md").read_text()
    assert stdpnet_command("docs", "modle", code=2).stderr.strip() == (
        "error: PAGE: there is no page 'modle'; did you mean 'model'?"
    )


def test_the_pages_that_the_code_sends_its_users_to_exist():
    named = {name for path in SOURCES for name in re.findall(r"`stdpnet docs ([a-z]\S*)`", path.read_text())}
    assert {"clusters", "readouts"} <= named <= {page.stem for page in ROOT.glob("docs/*.md")}


PUBLIC = {name: getattr(stdpnet, name) for name in dir(stdpnet)} | {"evaluate": stdpnet_analysis.evaluate}


@pytest.mark.parametrize("name", [name for name, found in PUBLIC.items() if "Error" not in name] + ["StdpnetError"])
def test_a_public_name_has_an_example_that_runs(name, tmp_path):
    (test,) = doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, module=False, globs={})
    assert test.examples
    with contextlib.chdir(tmp_path):
        assert doctest.DocTestRunner().run(test) == (0, len(test.examples))


def test_the_site_shows_every_public_name_once(site):
    page = site.python_page()
    shown = re.findall(r"^   (\w+)$", page, re.MULTILINE)
    assert sorted(shown) == sorted(PUBLIC)
