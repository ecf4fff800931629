"""Figure 5: receptive fields before and after training.

python analysis/paper/figure_05.py [RUN] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import LCSNN, PaperFigure, from_registry, main

FIGURE = PaperFigure("figure-05-receptive-fields", (LCSNN,), from_registry("receptive-fields-untrained"))

if __name__ == "__main__":
    main(FIGURE, __doc__)
