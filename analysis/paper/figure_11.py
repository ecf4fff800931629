"""Figure 11: receptive fields of one position, with lines between those that compete.

python analysis/paper/figure_11.py [RUN] [--folder runs/study]
"""

from shared import LEARNED, Study, from_registry, main

STUDY = Study("figure-11-competition-graph", (LEARNED,), from_registry("competition-graph"))

if __name__ == "__main__":
    main(STUDY, __doc__)
