"""Run directories: created once, never overwritten, readable while a job writes them."""

from stdpnet.runs.checkpoint import Interval, TrainingState, network_digest
from stdpnet.runs.directory import RUNS, Run, find_runs, run_path
from stdpnet.runs.responses import Responses

__all__ = ["RUNS", "Interval", "Responses", "Run", "TrainingState", "find_runs", "network_digest", "run_path"]
