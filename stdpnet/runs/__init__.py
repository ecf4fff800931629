"""Run directories: created once, never overwritten, readable while a job writes them."""

from stdpnet.runs.directory import Run, find_runs
from stdpnet.runs.paths import RUNS, run_path

__all__ = ["RUNS", "Run", "find_runs", "run_path"]
