"""Figure 6: votes of a neuron from its best to its worst class, mean and deviation over the neurons.

python analysis/paper/figure_06.py [RUN] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import LCSNN, PaperFigure, from_registry, main

FIGURE = PaperFigure("figure-06-ranked-votes", (LCSNN,), from_registry("votes-ranked"))

if __name__ == "__main__":
    main(FIGURE, __doc__)
