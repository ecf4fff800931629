"""Figure 13: learned competition clamped from below and from above, at evaluation and during training.

python analysis/paper/figure_13.py [RUN [CLAMPED ...]] [--folder runs/paper]
"""

from stdpnet_analysis.paper.harness import LEARNED, Network, PaperFigure, from_registry, main

CLAMPS = {"below": ("w_min", (-150, -50)), "above": ("w_max", (-250, -150))}
CLAMPED = tuple(
    Network(LEARNED.preset, (*LEARNED.keys, f"competition.{key}={bound}"), f"{LEARNED.name}-{side}{bound}")
    for side, (key, bounds) in CLAMPS.items()
    for bound in bounds
)
FIGURE = PaperFigure("figure-13-clamping", (LEARNED, *CLAMPED), from_registry("clamping"))

if __name__ == "__main__":
    main(FIGURE, __doc__)
