"""Run directories: created once, never overwritten, readable while a job writes them."""

from stdpnet.runs.checkpoint import Interval, TrainingState, network_digest
from stdpnet.runs.directory import RUNS, Responses, Run, find_runs, run_path

__all__ = ["RUNS", "Interval", "Responses", "Run", "TrainingState", "find_runs", "network_digest", "run_path"]
