"""Figure 6: votes of a neuron from its best to its worst class, mean and deviation over the neurons.

python analysis/paper/figure_06.py [RUN] [--folder runs/study]
"""

from shared import LCSNN, Study, from_registry, main

STUDY = Study("figure-06-ranked-votes", (LCSNN,), from_registry("votes-ranked"))

if __name__ == "__main__":
    main(STUDY, __doc__)
