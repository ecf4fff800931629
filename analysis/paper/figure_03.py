"""Figure 3: membrane potential and adaptive threshold of a winning neuron while it sees an image.

The threshold adapts while it is recorded, as in training; nothing else is learned.

python analysis/paper/figure_03.py [RUN] [--folder runs/paper]
"""

import numpy as np
from matplotlib.figure import Figure

from stdpnet.stdp.engines.protocol import FROZEN
from stdpnet_analysis.evaluation import STREAMS
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.activity import plot_membrane
from stdpnet_analysis.paper.harness import STRONG, PaperFigure, main
from stdpnet_analysis.recording import record, winner_and_loser
from stdpnet_analysis.view import RunView


def draw(views: list[RunView]) -> Figure:
    """Draw the neuron that wins on the run's image.

    The upper panel has its threshold alone, the lower one its potential and threshold.
    """
    view = views[0]
    part, neuron = view.shown_split, view.spec.neuron
    recording = record(
        view.spec,
        view.network,
        view.dataset.split(part),
        view.shown_image,
        STREAMS[part],
        switches=FROZEN._replace(adapt_theta=True),
    )
    winner, _ = winner_and_loser(recording)
    figure = style.new_figure(style.DOUBLE, 90)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2))
    drawn = plot_membrane(below, recording, winner, neuron)
    time, threshold = drawn.threshold.get_data()
    above.plot(time, threshold, color=drawn.threshold.get_color(), drawstyle="steps-post")
    top = max(threshold) - neuron.v_rest
    low = max(min(drawn.v.get_ydata()) - 0.05 * top, neuron.v_rest - 0.5 * top)
    below.set(ylim=(low, neuron.v_rest + 1.25 * top), xlabel="time, ms", ylabel="potential, mV")
    above.set(ylabel="threshold, mV")
    words = f"each spike raises its threshold by {neuron.theta_plus:g} mV, all of them by {np.ptp(threshold):.1f} mV"
    above.set_title(f"{view.label}; winning neuron on {view.image_title}\n{words}")
    figure.legend(handles=list(drawn), loc="outside lower center", ncols=3)
    return figure


FIGURE = PaperFigure("figure-03-winning-neuron", (STRONG,), draw)

if __name__ == "__main__":
    main(FIGURE, __doc__)
