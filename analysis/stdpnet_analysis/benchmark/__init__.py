"""How fast the engines are on this machine, and against what: all figures of a result are taken in one run."""

from stdpnet_analysis.benchmark.growth import growth, growth_plan, parse_growth
from stdpnet_analysis.benchmark.measure import benchmark
from stdpnet_analysis.benchmark.peers import Peer

__all__ = ["Peer", "benchmark", "growth", "growth_plan", "parse_growth"]
