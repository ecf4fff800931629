"""Measure how fast the engines are on this machine, beside other simulators; all figures are taken in one run."""

from stdpnet_analysis.benchmark.growth import growth, growth_plan, parse_growth
from stdpnet_analysis.benchmark.measure import benchmark
from stdpnet_analysis.benchmark.peers import Peer
from stdpnet_analysis.benchmark.workload import Timing

__all__ = ["Peer", "Timing", "benchmark", "growth", "growth_plan", "parse_growth"]
