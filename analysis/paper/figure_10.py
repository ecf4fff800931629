"""Figure 10: histogram of the competition weights, before training and learned.

python analysis/paper/figure_10.py [RUN] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import LEARNED, PaperFigure, from_registry, main

FIGURE = PaperFigure("figure-10-competition-weights", (LEARNED,), from_registry("competition-weights"))

if __name__ == "__main__":
    main(FIGURE, __doc__)
