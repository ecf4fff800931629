"""Who reads the arrays of a run, or compares runs, loads no matplotlib; light modules load no NumPy either."""

import subprocess
import sys

READERS = ("view", "compare", "tables", "evaluation", "ablation", "recording", "plasticity_windows", "readouts.scores")


def loaded(*modules):
    """Return the modules that a new process has loaded after importing some of stdpnet_analysis."""
    names = ", ".join(f"stdpnet_analysis.{module}" for module in modules)
    code = f"import sys, {names}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    return set(done.stdout.split())


def test_whoever_reads_arrays_or_compares_runs_loads_no_matplotlib():
    assert "matplotlib" not in loaded(*READERS)


def test_numbers_as_text_and_progress_load_next_to_nothing():
    assert not {"numpy", "sklearn", "matplotlib", "pydantic"} & loaded("text", "progress")
