"""No two commands write to the same folder unless somebody says so."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from stdpnet.runs import RUNS
from stdpnet_analysis.sweeps import default_folder

ROOT = Path(__file__).parents[1]


def defaults():
    """Return which files have which folder below runs/ as a default."""
    found = defaultdict(set)
    rooms = ("stdpnet/cli", "analysis/paper", "analysis/stdpnet_analysis/paper")
    for path in (path for room in rooms for path in ROOT.glob(f"{room}/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Path" and node.args:
                value = getattr(node.args[0], "value", None)
                if isinstance(value, str) and value.startswith("runs/"):
                    found[value.removeprefix("runs/")].add(path.name)
    return found


def test_the_default_folders_of_all_commands_differ():
    found = defaults()
    assert {"table2", "competition", "paper"} <= set(found)
    for name, files in found.items():
        assert len(files) == 1, f"runs/{name}"
        assert not name.startswith("sweep-"), "those of `stdpnet sweep`"
        assert not re.search(r"-\d+$", name), "those of `stdpnet train`"


@pytest.mark.parametrize("stem", ["study", "table2", "paper", "competition"])
def test_a_sweep_has_a_folder_of_its_own_and_points_at_one_of_an_older_version(tmp_path, monkeypatch, recwarn, stem):
    monkeypatch.chdir(tmp_path)
    assert default_folder(Path("somewhere") / f"{stem}.toml") == f"sweep-{stem}"
    assert not recwarn
    (RUNS / stem).mkdir(parents=True)
    (RUNS / stem / "study.toml").touch()
    with pytest.warns(UserWarning, match=f"`--dir {stem}` goes on with the old one"):
        assert default_folder(Path(f"{stem}.toml")) == f"sweep-{stem}"
