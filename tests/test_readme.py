import contextlib
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
    assert set(re.findall(r"^\| `stdpnet ([\w-]+)", README, re.MULTILINE)) == names


@pytest.fixture(scope="module")
def after_the_python_blocks(tmp_path_factory):
    """Run the Python blocks of the README, one after the other, in an empty folder; return their names."""
    names = {}
    with contextlib.chdir(tmp_path_factory.mktemp("readme")):
        for block in re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL):
            exec(compile(block, "README.md", "exec"), names)
    return names


def test_the_python_blocks_of_the_readme_run(after_the_python_blocks):
    assert 0.5 < after_the_python_blocks["scores"]["readouts"]["linear"]["accuracy"] < 1


def test_the_readmes_accuracy_of_the_transformer_is_the_one_that_it_gets(after_the_python_blocks):
    claimed = float(re.search(r"^`accuracy` is (0\.\d+)", README, re.MULTILINE)[1])
    assert after_the_python_blocks["accuracy"] == pytest.approx(claimed, abs=0.01)  # float32 differs between processors
