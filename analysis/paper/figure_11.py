"""Figure 11: receptive fields of one position, with lines between those that compete.

python analysis/paper/figure_11.py [RUN] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import LEARNED, PaperFigure, from_registry, main

FIGURE = PaperFigure("figure-11-competition-graph", (LEARNED,), from_registry("competition-graph"))

if __name__ == "__main__":
    main(FIGURE, __doc__)
