"""How fast the engines are on this machine, and against what: all figures of a result are taken in one run."""

from stdpnet.benchmark.growth import growth, growth_plan, parse_growth
from stdpnet.benchmark.measure import benchmark
from stdpnet.benchmark.peers import Peer

__all__ = ["Peer", "benchmark", "growth", "growth_plan", "parse_growth"]
