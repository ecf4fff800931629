"""Figure 4: the windows of STDP and anti-STDP, measured by pairs of spikes that the run's engine is shown.

python analysis/paper/figure_04.py [RUN] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import LEARNED, PaperFigure, from_registry, main

FIGURE = PaperFigure("figure-04-plasticity-windows", (LEARNED,), from_registry("plasticity-window"))

if __name__ == "__main__":
    main(FIGURE, __doc__)
