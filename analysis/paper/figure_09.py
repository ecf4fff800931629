"""Figure 9: receptive fields under weak and under strong competition.

python analysis/paper/figure_09.py [RUN RUN] [--folder runs/paper]
"""

from matplotlib.figure import Figure

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.receptive_fields import plot_receptive_fields, top_weight
from stdpnet_analysis.paper.harness import STRONG, WEAK, PaperFigure, main
from stdpnet_analysis.readouts.scores import accuracies, best_vote
from stdpnet_analysis.text import with_minus
from stdpnet_analysis.view import RunView


def draw(views: list[RunView]) -> Figure:
    """Draw the receptive fields of each run, on one scale."""
    figure = style.new_figure(style.DOUBLE, 112)
    panels = figure.subplots(1, len(views), squeeze=False)[0]
    high = max(top_weight(view.network.weights) for view in views)
    for axes, view in zip(panels, views, strict=True):
        image = plot_receptive_fields(axes, view.network.weights, v_max=high)
        accuracy = accuracies(view.required_scores)
        vote = 100 * accuracy[best_vote(accuracy)]
        activity = f"{view.required_scores['spikes_per_image']:.0f} spikes per image"
        strength = with_minus(f"{view.spec.competition.c_w:g}")
        axes.set_title(f"competition {strength} mV: best vote {vote:.1f} %, {activity}")
    style.bar_below(figure, image, panels, "feedforward weight, mV")
    figure.suptitle(f"Weak and strong competition: {views[0].label}")
    return figure


FIGURE = PaperFigure("figure-09-weak-and-strong-competition", (WEAK, STRONG), draw)

if __name__ == "__main__":
    main(FIGURE, __doc__)
