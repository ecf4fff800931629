"""Figure 11: receptive fields of one position, with lines between those that compete, from weak to strong.

python analysis/paper/figure_11.py [RUN ...] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import REGIMES, PaperFigure, from_registry, main

FIGURE = PaperFigure("figure-11-competition-graph", REGIMES, from_registry("competition-side-by-side"))

if __name__ == "__main__":
    main(FIGURE, __doc__)
