"""Draw the claim of the thesis: accuracy against the number of synapses, for the networks of Table 2.

python analysis/paper/accuracy_vs_synapses.py [RUN ...] [--seeds 5] [--folder runs/paper]
"""

from matplotlib.figure import Figure

from stdpnet.stdp.spec.presets import TABLE_2
from stdpnet_analysis.compare import compare
from stdpnet_analysis.figures import comparison as drawing
from stdpnet_analysis.paper.harness import Network, PaperFigure, main
from stdpnet_analysis.view import RunView


def draw(views: list[RunView]) -> Figure:
    """Draw all runs."""
    return drawing.accuracy_vs_synapses(compare([view.run for view in views]))


NETWORKS = tuple(Network(row.name) for row in TABLE_2.values())
FIGURE = PaperFigure("accuracy-vs-synapses", NETWORKS, draw, all_seeds=True)

if __name__ == "__main__":
    main(FIGURE, __doc__)
