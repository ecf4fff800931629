import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:stdpnet|analysis|configs|tests|runs|docs)/[\w/.-]*)`", README)))
)
def test_what_the_readme_names_exists(path):
    assert (ROOT / path).exists()


def test_the_readme_has_no_gap_and_shows_commands_that_exist():
    from stdpnet.cli import app

    assert "@@" not in README
    names = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert set(re.findall(r"^\| `stdpnet (\w+)", README, re.MULTILINE)) == names
