"""Run directories: created once, never overwritten, readable while a job writes them."""

from stdpnet.runs.directory import RUNS, Run, find_runs, run_path

__all__ = ["RUNS", "Run", "find_runs", "run_path"]
