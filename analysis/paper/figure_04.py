"""Figure 4: the windows of STDP and anti-STDP, measured by pairs of spikes that the run's engine is shown.

python analysis/paper/figure_04.py [RUN] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import Network, PaperFigure, from_registry, main

BOTH = Network(
    "lcsnn-25-k12-learned-thesis",
    ("plasticity.A_minus=0.005", "competition.A_minus=-1.0"),
    "lcsnn-25-k12-both-branches",
)
"""The thesis's network with a depression that can be seen: its own A_minus are 100 and 29 times smaller than A_plus."""
FIGURE = PaperFigure("figure-04-plasticity-windows", (BOTH,), from_registry("plasticity-window"))

if __name__ == "__main__":
    main(FIGURE, __doc__)
