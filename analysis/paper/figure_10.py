"""Figure 10: histograms of the competition weights, before training and learned, from weak to strong competition.

python analysis/paper/figure_10.py [RUN ...] [--folder runs/paper]
"""

from matplotlib.figure import Figure

from stdpnet_analysis.competition_weights import associate, off_diagonal
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.competition import plot_competition_weights
from stdpnet_analysis.paper.harness import REGIMES, PaperFigure, main
from stdpnet_analysis.readouts.scores import accuracies, best_vote
from stdpnet_analysis.text import literal, with_minus
from stdpnet_analysis.view import RunView


def draw(views: list[RunView]) -> Figure:
    """Draw the histograms of each run.

    The titles have the best vote, and the correlation of competition with the similarity of receptive fields.
    """
    columns = min(2, len(views))
    rows = -(-len(views) // columns)
    figure = style.new_figure(style.SINGLE * columns, 72 * rows)
    for axes, view in zip(style.new_panels(figure, len(views), columns), views, strict=True):
        networks = {"before training": view.untrained, "learned": view.network}
        plot_competition_weights(axes, {name: off_diagonal(network.competition) for name, network in networks.items()})
        correlation = associate(view.network, seed=view.spec.seed).correlation
        words = f"similar fields: r = {with_minus(f'{correlation:.2f}')}"
        if view.lacks("scores") is None:
            accuracy = accuracies(view.required_scores)
            words += f", best vote {100 * accuracy[best_vote(accuracy)]:.1f} %"
        axes.set_title(f"{literal(view.run.path.name)}\n{words}", pad=32)
    figure.suptitle(f"Learned competition: {views[0].label}")
    return figure


FIGURE = PaperFigure("figure-10-competition-weights", REGIMES, draw)

if __name__ == "__main__":
    main(FIGURE, __doc__)
