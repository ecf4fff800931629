"""Figure 8: membrane potential and adaptive threshold of a winning and of a losing neuron, with learned competition.

python analysis/paper/figure_08.py [RUN] [--folder runs/study]
"""

from shared import LEARNED, Study, from_registry, main

STUDY = Study("figure-08-winner-and-loser", (LEARNED,), from_registry("membrane"))

if __name__ == "__main__":
    main(STUDY, __doc__)
