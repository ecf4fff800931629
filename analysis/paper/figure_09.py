"""Figure 9: receptive fields under weak and under strong competition.

python analysis/paper/figure_09.py [RUN RUN] [--folder runs/study]
"""

from matplotlib.figure import Figure
from shared import LCSNN, Network, Study, main

from stdpnet_analysis.figures import RunView, style
from stdpnet_analysis.figures.receptive_fields import plot_receptive_fields, top_weight
from stdpnet_analysis.readouts.votes import RULES


def draw(views: list[RunView]) -> Figure:
    """Draw the receptive fields of each run, on one scale."""
    figure = style.new_figure(style.DOUBLE, 112)
    panels = figure.subplots(1, len(views), squeeze=False)[0]
    high = max(top_weight(view.network.weights) for view in views)
    for axes, view in zip(panels, views, strict=True):
        image = plot_receptive_fields(axes, view.network.weights, v_max=high)
        vote = max(view.required_scores["readouts"][rule]["accuracy"] for rule in RULES)
        activity = f"{view.required_scores['spikes_per_image']:.0f} spikes per image"
        axes.set_title(f"competition {view.spec.competition.c_w:g} mV: best vote {100 * vote:.1f} %, {activity}")
    figure.colorbar(
        image, ax=panels, label="feedforward weight, mV", location="bottom", shrink=0.4, aspect=35, pad=0.02
    )
    figure.suptitle(f"Weak and strong competition: {views[0].label}")
    return figure


WEAK = Network(LCSNN.preset, ("competition.c_w=-1",), f"{LCSNN.preset}-weak")
STUDY = Study("figure-09-weak-and-strong-competition", (WEAK, LCSNN), draw)

if __name__ == "__main__":
    main(STUDY, __doc__)
