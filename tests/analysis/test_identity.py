"""The digest of the code covers everything that training and evaluation may run."""

import ast
import json
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import stdpnet
import stdpnet_analysis
from stdpnet_analysis import identity

ROOTS = {package.__name__: Path(package.__file__).parent for package in (stdpnet, stdpnet_analysis)}
STARTS = ("stdpnet.training", "stdpnet.stdp", "stdpnet_analysis.evaluation", "stdpnet_analysis.curve")
"""What trains, answers and scores: these modules and all below them."""
PRESETS = "stdpnet/stdp/spec/presets.py"
"""Loaded by whoever reads a configuration; what it holds is in the configuration then."""
HARMLESS = {
    *("dask", "distributed", "h5py", "matplotlib", "pooch", "pydantic", "pydantic-core", "rich", "threadpoolctl"),
    *("tomli-w", "typing-extensions", "cython", "nir", "tensorboardx"),
}
"""Distributions that the covered files import and whose version decides no result."""


def modules():
    """Return the file of every module of both packages, by its dotted name."""
    found = {}
    for name, root in ROOTS.items():
        for path in root.rglob("*.py"):
            parts = (name, *path.relative_to(root).with_suffix("").parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_by(path):
    """Yield every dotted name that a file imports, at its top or within a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not resolved here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def named_by(path):
    """Yield every dotted name that a file imports, or has as a string, as for an entry point."""
    yield from imported_by(path)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.split(":")[0]


def closure():
    """Return the files that the starting modules import, directly or not, packages above them included."""
    known, reached = modules(), set()
    waiting = [name for name in known if any(name == start or name.startswith(f"{start}.") for start in STARTS)]
    while waiting:
        name = waiting.pop()
        if name in known and name not in reached:
            reached.add(name)
            waiting += [*named_by(known[name]), name.rpartition(".")[0]]
    return {known[name] for name in reached}


def named(paths):
    return {f"{name}/{p.relative_to(r).as_posix()}" for p in paths for name, r in ROOTS.items() if r in p.parents}


def test_the_digest_covers_what_training_and_evaluation_import():
    reached = named(closure())
    assert {"stdpnet/_numba/philox.py", "stdpnet/random.py", "stdpnet_analysis/readouts/votes.py"} <= reached
    assert reached - set(dict(identity.covered_files())) <= {PRESETS}


def test_the_digest_covers_what_a_process_has_loaded_that_trains_and_evaluates(tmp_path):
    program = (
        "import json, sys, stdpnet\nfrom stdpnet_analysis import evaluate\n"
        "keys = ['training.images=100', 'topology.channels=8', 'dataset.validation=100']\n"
        "keys += ['curve.every=50', 'curve.validation=100']\n"
        "evaluate(stdpnet.train(stdpnet.load_config('digits', keys), 'run'))\n"
        "files = [getattr(module, '__file__', None) for module in list(sys.modules.values())]\n"
        "json.dump([file for file in files if file], open('files.json', 'w'))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    loaded = named(map(Path, json.loads((tmp_path / "files.json").read_text())))
    assert {"stdpnet/_numba/philox.py", "stdpnet_analysis/curve.py", "stdpnet_analysis/evaluation.py"} <= loaded
    assert loaded - set(dict(identity.covered_files())) <= {PRESETS}


def test_what_is_left_out_exists():
    for package, names in identity.WITHOUT_INFLUENCE.items():
        for name in names:
            assert (ROOTS[package] / name).exists()


def test_the_digest_knows_every_library_that_the_covered_files_import():
    tops = {name.partition(".")[0] for _, path in identity.covered_files() for name in imported_by(path)}
    distributions = packages_distributions()
    used = {each.lower().replace("_", "-") for top in tops & set(distributions) for each in distributions[top]} - {
        "stdpnet"
    }
    assert used - set(identity.LIBRARIES) <= HARMLESS


@pytest.mark.parametrize(
    ("package", "file", "changes"),
    [
        ("stdpnet", "_numba/philox.py", True),
        ("stdpnet", "random.py", True),
        ("stdpnet", "runs/checkpoint.py", True),
        ("stdpnet", "stdp/a_new_rule.py", True),
        ("stdpnet_analysis", "readouts/votes.py", True),
        ("stdpnet", "cli/runs.py", False),
        ("stdpnet", "stdp/spec/presets.py", False),
        ("stdpnet_analysis", "figures/style.py", False),
    ],
)
def test_the_digest_changes_with_the_code_that_computes_and_with_no_other(
    tmp_path, monkeypatch, package, file, changes
):
    module = {"stdpnet": stdpnet, "stdpnet_analysis": stdpnet_analysis}[package]
    copy = shutil.copytree(ROOTS[package], tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "__file__", str(copy / "__init__.py"))
    before = identity.code_digest.__wrapped__()
    assert before == identity.code_digest()
    with (copy / file).open("a") as changed:
        changed.write("# changed\n")
    assert (identity.code_digest.__wrapped__() != before) == changes
