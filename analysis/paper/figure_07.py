"""Figure 7: learning curves of the architectures, with bands over seeds.

python analysis/paper/figure_07.py [RUN ...] [--seeds 5] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import Network, PaperFigure, from_registry, main

NAMES = ("lcsnn-100-k12", "lcsnn-25-k12", "lcsnn-25-k12-learned", "csnn-81-k12", "fcsnn-100")
NETWORKS = tuple(Network(name) for name in NAMES)
FIGURE = PaperFigure("figure-07-learning-curves", NETWORKS, from_registry("learning-curve"), all_seeds=True)

if __name__ == "__main__":
    main(FIGURE, __doc__)
