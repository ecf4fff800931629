"""Figure 4: the windows of STDP and anti-STDP, measured by pairs of spikes that the run's engine is shown.

python analysis/paper/figure_04.py [RUN] [--folder runs/study]
"""

from shared import LEARNED, Study, from_registry, main

STUDY = Study("figure-04-plasticity-windows", (LEARNED,), from_registry("plasticity-window"))

if __name__ == "__main__":
    main(STUDY, __doc__)
