"""The thesis's claim in one figure: accuracy against the number of synapses, over the networks of Table 2.

python analysis/paper/accuracy_vs_synapses.py [RUN ...] [--seeds 5] [--folder runs/study]
"""

from matplotlib.figure import Figure
from shared import Study, main
from table_2 import STUDY as TABLE

from stdpnet_analysis.compare import compare
from stdpnet_analysis.figures import RunView
from stdpnet_analysis.figures import comparison as drawing


def draw(views: list[RunView]) -> Figure:
    """Draw all runs."""
    return drawing.accuracy_vs_synapses(compare([view.run for view in views]))


STUDY = Study("accuracy-vs-synapses", TABLE.networks, draw, all_seeds=True)

if __name__ == "__main__":
    main(STUDY, __doc__)
