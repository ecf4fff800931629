"""Figure 10: histogram of the competition weights, before training and learned.

python analysis/paper/figure_10.py [RUN] [--folder runs/study]
"""

from shared import LEARNED, Study, from_registry, main

STUDY = Study("figure-10-competition-weights", (LEARNED,), from_registry("competition-weights"))

if __name__ == "__main__":
    main(STUDY, __doc__)
