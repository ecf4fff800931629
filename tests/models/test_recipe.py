"""The recipe "add a model" of docs/extending.md, carried out on a copy of the packages."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMPORTS = """
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stdpnet.data import Split
from stdpnet.data.order import training_images
from stdpnet.model import Facts, Finding, Responses, State
from stdpnet.random import Stream
from stdpnet.spec.experiment import Experiment
"""
COMMANDS = """
train contrast.toml --run whole
train contrast.toml --set training.images=300 --run part
resume part --images 500
evaluate whole --no-baselines
info whole part
watch whole --once
runs
compare whole
report whole --summary
"""
SCRIPT = """
import sys
from stdpnet.cli import main
from stdpnet.runs import Run
for line in sys.stdin.read().split("\\n"):
    sys.argv = ["stdpnet", *line.split()]
    try:
        main()
    except SystemExit as end:
        if end.code:
            sys.exit(f"{line}: {end.code}")
print("same" if len({Run.open(f"runs/{name}").load_state().digest() for name in ("whole", "part")}) == 1 else "other")
"""


def blocks(language):
    """Return the pieces of code of the section."""
    section = (ROOT / "docs/extending.md").read_text().partition("## Add a model")[2]
    return [textwrap.dedent(each) for each in re.findall(rf"^ *```{language}\n(.*?)^ *```", section, re.M | re.S)]


def test_a_model_made_by_the_recipe_is_trained_resumed_evaluated_compared_and_reported(tmp_path):
    for package in ("stdpnet", "analysis/stdpnet_analysis"):
        shutil.copytree(ROOT / package, tmp_path / Path(package).name, ignore=shutil.ignore_patterns("__pycache__"))
    code, *cases = blocks("python")
    (tmp_path / "stdpnet/baselines/contrast.py").write_text(f"from __future__ import annotations\n{IMPORTS}\n{code}")
    (configuration,) = blocks("toml")
    (tmp_path / "contrast.toml").write_text(configuration)
    model = tmp_path / "stdpnet/model.py"
    text = model.read_text().replace("MODELS = (", 'MODELS = ("contrast", ', 1)
    for function, case in zip(("spec_class", "open_model"), cases, strict=True):
        begin, definition, rest = text.partition(f"def {function}(")
        before, first, after = rest.partition('        case "features":\n')
        text = begin + definition + before + textwrap.indent(case, " " * 8) + first + after
    model.write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, input=COMMANDS.strip(), text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("same\n"), "a resumed run has the state of a straight one"
    assert "network                contrast" in done.stdout
    assert "parameters             all of them:" in done.stdout
    assert "health: Healthy.\n" in done.stdout
