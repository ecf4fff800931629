"""Figure 7: learning curves of the architectures, with bands over seeds.

python analysis/studies/figure_07.py [RUN ...] [--seeds 5] [--folder runs/study]
"""

from shared import LCSNN, LEARNED, Network, Study, from_registry, main

NETWORKS = (Network("lcsnn-100-k12"), LCSNN, LEARNED, Network("csnn-81-k12"), Network("fcsnn-100"))
STUDY = Study("figure-07-learning-curves", NETWORKS, from_registry("learning-curve"), all_seeds=True)

if __name__ == "__main__":
    main(STUDY, __doc__)
