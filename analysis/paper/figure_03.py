"""Figure 3: membrane potential and adaptive threshold of a winning neuron while it sees an image.

python analysis/paper/figure_03.py [RUN] [--folder runs/paper]
"""

from matplotlib.figure import Figure

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.activity import plot_membrane
from stdpnet_analysis.paper.harness import LCSNN, PaperFigure, main
from stdpnet_analysis.recording import winner_and_loser
from stdpnet_analysis.view import RunView


def draw(views: list[RunView]) -> Figure:
    """Draw the winner of the run's image, down to as far below rest as the threshold is above it."""
    view = views[0]
    winner, _ = winner_and_loser(view.recording)
    neuron = view.spec.neuron
    figure = style.new_figure(style.SINGLE, 62)
    axes = figure.subplots()
    drawn = plot_membrane(axes, view.recording, winner, neuron)
    top = max(drawn.threshold.get_ydata()) - neuron.v_rest
    low = max(min(drawn.v.get_ydata()) - 0.05 * top, neuron.v_rest - 0.5 * top)
    axes.set(ylim=(low, neuron.v_rest + 1.25 * top), xlabel="time, ms", ylabel="potential, mV")
    axes.set_title(f"{view.label}\nwinning neuron on {view.image_title}")
    figure.legend(handles=list(drawn), loc="outside lower center", ncols=3)
    return figure


FIGURE = PaperFigure("figure-03-winning-neuron", (LCSNN,), draw)

if __name__ == "__main__":
    main(FIGURE, __doc__)
