"""Figure 8: membrane potential and adaptive threshold of a winning and of a losing neuron, with learned competition.

python analysis/paper/figure_08.py [RUN] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import LEARNED, PaperFigure, from_registry, main

FIGURE = PaperFigure("figure-08-winner-and-loser", (LEARNED,), from_registry("membrane"))

if __name__ == "__main__":
    main(FIGURE, __doc__)
