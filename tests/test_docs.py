"""What the code cites of docs/model.md exists there, and links between pages lead somewhere."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
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


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.stem)
def test_the_files_that_a_page_names_exist(page):
    named = set(re.findall(r"`((?:stdpnet|analysis|configs|tests|docs)/[\w/.-]+)`", page.read_text()))
    assert [path for path in sorted(named - TO_WRITE) if not (ROOT / path).exists()] == []


def test_the_index_leads_to_every_page():
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs/index.md").read_text()))
    assert linked == {page.name for page in ROOT.glob("docs/*.md")} - {"index.md"}
