"""Figure 6: (a) the votes of all neurons; (b) a neuron's votes from its best to its worst class, mean and deviation.

python analysis/paper/figure_06.py [RUN] [--folder runs/paper]
"""

from matplotlib.figure import Figure

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.votes import plot_ranked_votes, plot_votes, votes_by_network
from stdpnet_analysis.paper.harness import LCSNN, PaperFigure, main
from stdpnet_analysis.view import RunView


def draw(views: list[RunView]) -> Figure:
    """Draw the votes of all neurons of the run, sorted by class, above how a neuron's votes fall off."""
    view = views[0]
    figure = style.new_figure(style.DOUBLE, 125)
    above, below = figure.subplots(2, 1)
    image = plot_votes(above, view.votes, view.classes)
    figure.colorbar(image, ax=above, label="share of the neuron's votes", extend="max", pad=0.01)
    above.set_title("(a) votes of every neuron")
    plot_ranked_votes(below, votes_by_network(view))
    below.set_title("(b) a neuron's votes from its best to its worst class, mean and deviation over the neurons")
    figure.suptitle(view.label)
    return figure


FIGURE = PaperFigure("figure-06-votes", (LCSNN,), draw)

if __name__ == "__main__":
    main(FIGURE, __doc__)
