"""Figure 5: receptive fields before and after training.

python analysis/paper/figure_05.py [RUN] [--folder runs/study]
"""

from shared import LCSNN, Study, from_registry, main

STUDY = Study("figure-05-receptive-fields", (LCSNN,), from_registry("receptive-fields-untrained"))

if __name__ == "__main__":
    main(STUDY, __doc__)
